#include "platform/net/websocket.hpp"

#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "platform/net/websocket_impl.hpp"

namespace yyc3::net {

namespace websocket = beast::websocket;
namespace http = beast::http;

namespace {

constexpr std::size_t kInboundMax = 64;  // messages; then the peer waits (TCP back-pressure)

Error error_of(const ErrorValue& error) {
  if (error == websocket::error::closed)
    return Error{ErrorCode::kCancelled, "WebSocket: closed by the peer"};
  if (error == beast::error::timeout)
    return Error{ErrorCode::kTimeout, "WebSocket: the peer is silent"};
  if (error.category() == websocket::make_error_code(websocket::error::closed).category())
    return Error{ErrorCode::kInvalid, "WebSocket: " + error.message()};
  return Error{ErrorCode::kUnavailable, "WebSocket: " + error.message()};
}

}  // namespace

WebSocket::Impl::Impl(AnyStream stream, WebSocketOptions options)
    : options_(std::move(options)),
      stream_(std::move(stream)),
      readable_(stream_.get_executor()),
      inbound_room_(stream_.get_executor()),
      writable_(stream_.get_executor()),
      drained_(stream_.get_executor()),
      gone_(stream_.get_executor()) {}

void WebSocket::Impl::set_limits(beast::role_type role) {
  stream_.next_layer().next_layer().expires_never();  // the WebSocket has its own clock
  auto limits = websocket::stream_base::timeout::suggested(role);
  limits.handshake_timeout = options_.handshake_timeout;
  limits.idle_timeout = options_.idle_timeout;
  limits.keep_alive_pings = true;
  stream_.set_option(limits);
  stream_.read_message_max(options_.message_bytes_max);
}

Task<Result<void>> WebSocket::Impl::accept(http::request<http::string_body> request) {
  set_limits(beast::role_type::server);
  const std::string protocol = options_.subprotocol;
  stream_.set_option(
      websocket::stream_base::decorator([protocol](websocket::response_type& response) {
        if (!protocol.empty()) response.set(http::field::sec_websocket_protocol, protocol);
      }));
  const auto [error] = co_await stream_.async_accept(request, kTuple);
  if (error) {
    const Error why = error_of(error);
    co_return fail(why.code, why.detail);
  }
  co_return Result<void>();
}

Task<Result<void>> WebSocket::Impl::handshake(std::string host, std::string target,
                                              Headers headers) {
  set_limits(beast::role_type::client);
  const std::string protocol = options_.subprotocol;
  stream_.set_option(
      websocket::stream_base::decorator([protocol, headers](websocket::request_type& request) {
        for (const auto& [name, value] : headers.all()) request.set(name, value);
        if (!protocol.empty()) request.set(http::field::sec_websocket_protocol, protocol);
      }));
  websocket::response_type response;
  const auto [error] = co_await stream_.async_handshake(response, host, target, kTuple);
  if (error == websocket::error::upgrade_declined)
    co_return fail(ErrorCode::kInvalid,
                   "WebSocket refused with HTTP status " + std::to_string(response.result_int()));
  if (error) {
    const Error why = error_of(error);
    co_return fail(why.code, why.detail);
  }
  if (std::string_view(response[http::field::sec_websocket_protocol]) != protocol)
    co_return fail(ErrorCode::kInvalid, "WebSocket: the server does not speak " + protocol);
  co_return Result<void>();
}

void WebSocket::Impl::start() {
  open_ = true;
  pumps_ = 2;
  // neither pump throws: their errors end up in end_
  asio::co_spawn(stream_.get_executor(), read_pump(shared_from_this()), asio::detached);
  asio::co_spawn(stream_.get_executor(), write_pump(shared_from_this()), asio::detached);
}

Task<void> WebSocket::Impl::read_pump(std::shared_ptr<Impl> self) {
  beast::flat_buffer buffer;
  while (true) {
    const auto [error, bytes] = co_await self->stream_.async_read(buffer, kTuple);
    if (error) {
      self->finish_reading(error);
      break;
    }
    self->inbound_.emplace_back(beast::buffers_to_string(buffer.data()),
                                self->stream_.got_binary());
    buffer.consume(bytes);
    self->readable_.notify();
    while (self->inbound_.size() >= kInboundMax && self->open_) co_await self->inbound_room_.wait();
  }
  if (--self->pumps_ == 0) self->gone_.notify();
}

void WebSocket::Impl::finish_reading(const ErrorValue& error) {
  open_ = false;
  // a close frame may have come although the last steps under it failed (a reset after it)
  const websocket::close_reason& reason = stream_.reason();
  const bool has_frame = error == websocket::error::closed || reason.code != 0;
  end_ = error_of(has_frame || closing_ ? ErrorValue(websocket::error::closed) : error);
  if (has_frame) {
    close_code_ = reason.code == websocket::close_code::none ? 1005 : reason.code;
    close_reason_ = std::string(reason.reason.data(), reason.reason.size());
  } else if (error == websocket::error::message_too_big) {
    close_code_ = websocket::close_code::too_big;  // ours: we end it with this code
  }
  outbound_.clear();
  queued_bytes_ = 0;
  readable_.notify();
  writable_.notify();
  drained_.notify();
}

Task<void> WebSocket::Impl::write_pump(std::shared_ptr<Impl> self) {
  while (self->open_) {
    if (self->outbound_.empty()) {
      self->drained_.notify();
      if (self->closing_) {
        // ends the read pump too: it gets the peer's close frame, or the time-out
        co_await self->stream_.async_close(self->our_reason_, kTuple);
        break;
      }
      co_await self->writable_.wait();
      continue;
    }
    const WebSocketMessage message = std::move(self->outbound_.front());
    self->outbound_.pop_front();
    self->stream_.binary(message.is_binary);
    const auto [error, bytes] =
        co_await self->stream_.async_write(asio::buffer(message.data), kTuple);
    self->queued_bytes_ -= std::min(self->queued_bytes_, message.data.size());
    if (error) break;
  }
  self->open_ = false;
  self->inbound_room_.notify();
  self->drained_.notify();
  if (--self->pumps_ == 0) self->gone_.notify();
}

Task<Result<WebSocketMessage>> WebSocket::Impl::read() {
  const auto self = shared_from_this();
  while (self->inbound_.empty()) {
    if (self->end_) co_return fail(self->end_->code, self->end_->detail);
    co_await self->readable_.wait();
  }
  WebSocketMessage message = std::move(self->inbound_.front());
  self->inbound_.pop_front();
  self->inbound_room_.notify();
  co_return message;
}

bool WebSocket::Impl::send(std::string data, bool binary) {
  if (!open_ || closing_) return false;
  if (outbound_.size() >= options_.queue_messages_max ||
      queued_bytes_ + data.size() > options_.queue_bytes_max)
    return false;
  queued_bytes_ += data.size();
  outbound_.emplace_back(std::move(data), binary);
  writable_.notify();
  return true;
}

void WebSocket::Impl::close(std::uint16_t code, std::string reason) {
  if (closing_) return;
  closing_ = true;
  reason.resize(std::min<std::size_t>(reason.size(), 123));  // a control frame holds 125 bytes
  our_reason_ = websocket::close_reason(static_cast<websocket::close_code>(code), reason);
  writable_.notify();
}

Task<void> WebSocket::Impl::flushed() {
  const auto self = shared_from_this();
  while (self->open_ && self->queued_bytes_ > 0) co_await self->drained_.wait();
}

Task<void> WebSocket::Impl::ended() {
  const auto self = shared_from_this();
  while (self->pumps_ > 0) co_await self->gone_.wait();
}

void WebSocket::Impl::cut() {
  open_ = false;
  stream_.next_layer().cut();
  writable_.notify();
  inbound_room_.notify();
}

WebSocket::WebSocket(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebSocket::~WebSocket() { impl_->cut(); }
Task<Result<WebSocketMessage>> WebSocket::read() { return impl_->read(); }
bool WebSocket::send_text(std::string data) { return impl_->send(std::move(data), false); }
bool WebSocket::send_binary(std::string data) { return impl_->send(std::move(data), true); }
void WebSocket::close(std::uint16_t code, std::string reason) {
  impl_->close(code, std::move(reason));
}
Task<void> WebSocket::flushed() { return impl_->flushed(); }
bool WebSocket::is_open() const { return impl_->is_open(); }
std::uint16_t WebSocket::close_code() const { return impl_->close_code(); }
std::string WebSocket::close_reason() const { return impl_->close_reason(); }
std::size_t WebSocket::queued_bytes() const { return impl_->queued_bytes(); }
const std::string& WebSocket::subprotocol() const { return impl_->subprotocol(); }
Executor WebSocket::executor() const { return impl_->executor(); }

}  // namespace yyc3::net
