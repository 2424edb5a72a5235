#include "platform/net/http_session.hpp"

#include <array>
#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "platform/net/race.hpp"

namespace yyc3::net {

namespace http = beast::http;

namespace {

constexpr std::size_t kReadAheadMax = 16 * 1024;  // pipelined bytes taken while a handler runs
constexpr std::size_t kPieceMax = 4096;

std::string head_of(const HttpResponse& response, bool is_head, bool keep_alive) {
  std::string text =
      fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  for (const auto& [name, value] : response.headers.all())
    text += fmt::format("{}: {}\r\n", name, value);
  const bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
  if (response.source && !response.source_size && !is_head) {
    text += "Transfer-Encoding: chunked\r\n";
  } else if (!bodiless) {
    const std::uint64_t size =
        response.source ? response.source_size.value_or(0) : response.body.size();
    if (!is_head || !response.source || response.source_size)
      text += fmt::format("Content-Length: {}\r\n", size);
  }
  text += keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
  return text;
}

/// Errors that the client should be told about, by status; 0: just close.
int status_of(const ErrorValue& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return 431;
  if (error == http::error::body_limit) return 413;
  const bool parse_error =
      error.category() == http::make_error_code(http::error::bad_method).category();
  const bool cut_off = error == http::error::end_of_stream || error == http::error::partial_message;
  return parse_error && !cut_off ? 400 : 0;
}

}  // namespace

HttpSession::HttpSession(AnyStream stream, std::shared_ptr<ServerShared> shared, std::string peer)
    : stream_(std::move(stream)),
      buffer_(shared->options.header_bytes_max + kReadAheadMax + kPieceMax),
      shared_(std::move(shared)),
      peer_(std::move(peer)),
      is_unix_(!shared_->options.unix_path.empty()),
      is_tls_(stream_.tls() != nullptr) {}

Task<void> HttpSession::run() {
  const auto self = shared_from_this();
  if (is_tls_) {
    stream_.next_layer().expires_after(shared_->options.header_timeout);
    const auto [error] = co_await stream_.tls()->async_handshake(TlsStream::server, kTuple);
    if (error) co_return;
  }
  bool alive = true;
  while (alive && !shared_->draining) alive = co_await serve_one();
  co_await close_gently();
}

void HttpSession::drain() {
  if (const auto websocket = websocket_.lock()) {
    websocket->close(1001, "server is going away");
  } else if (idle_) {
    stream_.cut();
  }
}

void HttpSession::cut() {
  if (const auto websocket = websocket_.lock()) {
    websocket->cut();
  } else {
    stream_.cut();
  }
}

/// One request and its answer; false when the connection must end.
Task<bool> HttpSession::serve_one() {
  idle_ = true;
  const bool there = co_await wait_for_request();
  idle_ = false;
  if (!there) co_return false;
  Parser parser;
  const bool has_head = co_await read_head(parser);
  if (!has_head) co_return false;
  const bool has_body = co_await read_body(parser);
  if (!has_body) co_return false;
  Message message = parser.release();
  const Result<HttpRequest> request = to_request(message);
  if (!request) {
    const bool kept = co_await refuse(400, "Bad request", request.error().detail);
    co_return kept;
  }
  bool alive = false;
  if (request->is_upgrade) {
    alive = co_await upgrade(*request, std::move(message));
  } else {
    alive = co_await answer(*request, message.keep_alive());
  }
  co_return alive;
}

Task<bool> HttpSession::wait_for_request() {
  if (buffer_.size() > 0) co_return true;  // pipelined
  stream_.next_layer().expires_after(shared_->options.idle_timeout);
  const auto [error, bytes] = co_await stream_.async_read_some(buffer_.prepare(kPieceMax), kTuple);
  buffer_.commit(bytes);
  co_return !error;
}

Task<bool> HttpSession::read_head(Parser& parser) {
  parser.header_limit(static_cast<std::uint32_t>(shared_->options.header_bytes_max));
  parser.body_limit(boost::none);  // set once the route is known
  stream_.next_layer().expires_after(shared_->options.header_timeout);
  const auto [error, bytes] = co_await http::async_read_header(stream_, buffer_, parser, kTuple);
  if (!error) co_return true;
  const int status = status_of(error);
  if (status != 0) co_await refuse(status, std::string(reason_phrase(status)), error.message());
  co_return false;
}

Task<bool> HttpSession::read_body(Parser& parser) {
  const auto& head = parser.get();
  std::size_t limit = shared_->options.body_bytes_max;
  if (shared_->options.body_limit) {
    const std::string_view target(head.target().data(), head.target().size());
    const auto path = parse_path(target.substr(0, target.find('?')));
    if (path) limit = shared_->options.body_limit(std::string(head.method_string()), *path);
  }
  const bool too_long = parser.content_length() && *parser.content_length() > limit;
  if (!too_long) {
    parser.body_limit(limit);
    if (beast::iequals(head[http::field::expect], "100-continue") && buffer_.size() == 0) {
      const bool sent = co_await write("HTTP/1.1 100 Continue\r\n\r\n", std::string());
      if (!sent) co_return false;
    }
    stream_.next_layer().expires_after(shared_->options.body_timeout);
    const auto [error, bytes] = co_await http::async_read(stream_, buffer_, parser, kTuple);
    if (!error) co_return true;
    if (status_of(error) == 400) {
      std::string why = error.message();
      co_return co_await refuse(400, "Bad request", std::move(why));
    }
    if (status_of(error) == 0) co_return false;
  }
  const std::string detail = fmt::format("the body may have {} bytes here", limit);
  co_return co_await refuse(413, "Body too large", detail);
}

/// Answers and gives up the connection: where the next request would begin is not known.
Task<bool> HttpSession::refuse(int status, std::string title, std::string detail) {
  HttpResponse response = HttpResponse::problem(status, title, detail);
  co_await write_response(std::move(response), false, false);
  co_return false;
}

Result<HttpRequest> HttpSession::to_request(const Message& message) const {
  HttpRequest request;
  request.method = std::string(message.method_string());
  const std::string_view target(message.target().data(), message.target().size());
  const std::size_t mark = std::min(target.find('?'), target.size());
  auto path = parse_path(target.substr(0, mark));
  if (!path) return fail(path.error().code, path.error().detail);
  auto query = parse_query(target.substr(std::min(mark + 1, target.size())));
  if (!query) return fail(query.error().code, query.error().detail);
  request.path = std::move(*path);
  request.query = std::move(*query);
  for (const auto& field : message) {
    request.headers.add(std::string_view(field.name_string().data(), field.name_string().size()),
                        std::string_view(field.value().data(), field.value().size()));
  }
  if (message.count(http::field::host) != 1 && message.version() >= 11)
    return fail(ErrorCode::kInvalid, "exactly one Host header is needed");
  request.body = message.body();
  request.peer = peer_;
  request.is_unix = is_unix_;
  request.is_tls = is_tls_;
  request.is_upgrade = beast::websocket::is_upgrade(message);
  return request;
}

/// Handler and answer on one side, a look-out for the client's leaving on the other.
Task<bool> HttpSession::answer(HttpRequest request, bool keep_alive) {
  const Executor executor = co_await asio::this_coro::executor;
  bool alive = false;
  stream_.next_layer().expires_never();  // a handler may take its time
  Race race(executor);
  race.add(answer_into(std::move(request), keep_alive, alive));
  race.add(watch_for_leaving());
  co_await race.finish(std::nullopt);
  co_return alive && !race.failure(0);
}

Task<void> HttpSession::answer_into(HttpRequest request, bool keep_alive, bool& alive) {
  const bool is_head = request.method == "HEAD";
  HttpResponse response = co_await call_handler(std::move(request));
  if (response.websocket) response = HttpResponse::problem(426, "This is a WebSocket");
  const bool keep = keep_alive && !shared_->draining;
  const bool written = co_await write_response(std::move(response), is_head, keep);
  alive = written && keep;
}

Task<HttpResponse> HttpSession::call_handler(HttpRequest request) {
  std::string why;
  try {
    HttpResponse response = co_await shared_->handler(std::move(request));
    co_return response;
  } catch (const std::exception& error) {
    why = error.what();
  }
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() == asio::cancellation_type::none) {
    shared_->log.error("request handler failed", {{"error.message", why}});
  }  // else the client has left, and nobody reads this answer
  co_return HttpResponse::problem(500, "Internal error");
}

/// Ends when the client has left. What it sends meanwhile is the next request: kept, bounded.
Task<void> HttpSession::watch_for_leaving() {
  while (buffer_.size() < kReadAheadMax) {
    const auto [error, bytes] =
        co_await stream_.async_read_some(buffer_.prepare(kPieceMax), kTuple);
    buffer_.commit(bytes);
    if (error) co_return;
  }
  co_await sleep_until(SteadyTime::max());
}

Task<bool> HttpSession::write_response(HttpResponse response, bool is_head, bool keep_alive) {
  std::string head = head_of(response, is_head, keep_alive);
  if (is_head) response.body.clear();
  if (response.source && !is_head) {
    const bool sent = co_await write(std::move(head), std::string());
    if (!sent) co_return false;
    const bool whole = co_await write_source(std::move(response));
    co_return whole;
  }
  const bool sent = co_await write(std::move(head), std::move(response.body));
  co_return sent;
}

Task<bool> HttpSession::write_source(HttpResponse response) {
  std::uint64_t left = response.source_size.value_or(0);
  const bool chunked = !response.source_size;
  while (chunked || left > 0) {
    Result<std::string> piece = co_await response.source();
    if (!piece) {
      shared_->log.warn("body broke off", {{"error.message", piece.error().detail}});
      co_return false;
    }
    if (piece->empty()) break;
    if (!chunked && piece->size() > left) piece->resize(left);
    left -= chunked ? 0 : piece->size();
    std::string head = chunked ? fmt::format("{:x}\r\n", piece->size()) : std::string();
    std::string body = std::move(*piece);
    if (chunked) body += "\r\n";
    const bool sent = co_await write(std::move(head), std::move(body));
    if (!sent) co_return false;
  }
  if (!chunked) co_return left == 0;
  const bool ended = co_await write("0\r\n\r\n", std::string());
  co_return ended;
}

Task<bool> HttpSession::write(std::string head, std::string body) {
  // a read of watch_for_leaving() is pending: this sets the limit of the write alone
  stream_.next_layer().expires_after(shared_->options.write_timeout);
  const std::array<asio::const_buffer, 2> parts = {asio::buffer(head), asio::buffer(body)};
  const auto [error, bytes] = co_await asio::async_write(stream_, parts, kTuple);
  co_return !error;
}

Task<bool> HttpSession::upgrade(HttpRequest request, Message message) {
  const HttpRequest kept = request;
  HttpResponse response = co_await call_handler(std::move(request));
  if (!response.websocket) {
    const bool keep = message.keep_alive() && !shared_->draining;
    const bool sent = co_await write_response(std::move(response), false, keep);
    co_return sent&& keep;
  }
  const std::string& wanted = response.websocket_options.subprotocol;
  http::token_list offered(message[http::field::sec_websocket_protocol]);
  if (!wanted.empty() && !offered.exists(wanted))
    co_return co_await refuse(400, "WebSocket refused", "the subprotocol must be " + wanted);
  if (buffer_.size() > 0) co_return false;  // no client may send frames before our 101
  const auto impl =
      std::make_shared<WebSocket::Impl>(std::move(stream_), response.websocket_options);
  websocket_ = impl;
  const Result<void> accepted = co_await impl->accept(std::move(message));
  if (accepted) {
    impl->start();
    auto websocket = std::make_shared<WebSocket>(impl);
    try {
      co_await response.websocket(kept, websocket);
    } catch (const std::exception& error) {
      shared_->log.error("WebSocket handler failed", {{"error.message", error.what()}});
      websocket->close(1011, "internal error");
    }
    websocket->close(1000);
    co_await impl->ended();
  }
  co_return false;
}

/// Says that no more comes, then waits a moment for the client to read the rest: closing with
/// unread bytes of his in our buffer would reset the connection and destroy our answer.
Task<void> HttpSession::close_gently() {
  if (!stream_.is_valid()) co_return;  // became a WebSocket
  ErrorValue ignored;
  stream_.next_layer().expires_after(Milliseconds(1000));
  if (is_tls_) co_await stream_.tls()->async_shutdown(kTuple);
  stream_.socket().shutdown(Socket::shutdown_send, ignored);
  std::array<char, kPieceMax> scrap{};
  for (int i = 0; i < 64; ++i) {
    const auto [error, bytes] =
        co_await stream_.next_layer().async_read_some(asio::buffer(scrap), kTuple);
    if (error) break;
  }
  stream_.cut();
}

}  // namespace yyc3::net
