#include "platform/net/http_client.hpp"

#include <array>
#include <fmt/format.h>
#include <list>
#include <sys/socket.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include "platform/net/connect.hpp"
#include "platform/net/websocket_impl.hpp"

namespace yyc3::net {

namespace http = beast::http;

namespace {

constexpr std::uint32_t kHeaderBytesMax = 64 * 1024;
constexpr std::size_t kPiece = 16 * 1024;
constexpr int kInterimMax = 5;  // 1xx answers before the real one

using Parser = http::response_parser<http::buffer_body>;

struct Connection {
  explicit Connection(std::shared_ptr<AnyStream> to, const Executor& executor)
      : stream(std::move(to)), idle_limit(executor) {}
  std::shared_ptr<AnyStream> stream;
  beast::flat_buffer buffer;
  asio::steady_timer idle_limit;
  bool reused = false;

  /// A connection at rest is silent; bytes or an end on it mean that the server gave it up.
  [[nodiscard]] bool is_stale() const {
    char byte = 0;
    return ::recv(stream->socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
  }
};

/// One exchange's outcome besides the response.
struct Progress {
  bool any_byte = false;  // of an answer
  bool keep = false;      // the connection may be used again
};

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
         method == "OPTIONS";
}

std::string head_of(const ClientRequest& request, const Endpoint& endpoint) {
  std::string text = fmt::format("{} {}{} HTTP/1.1\r\nHost: {}\r\n", request.method,
                                 endpoint.base_path, request.target, endpoint.host_header());
  for (const auto& [name, value] : request.headers.all())
    text += fmt::format("{}: {}\r\n", name, value);
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT")
    text += fmt::format("Content-Length: {}\r\n", request.body.size());
  return text + "\r\n";
}

/// What goes on the request line must not be able to end it.
Result<void> check(const ClientRequest& request) {
  for (const std::string_view text :
       {std::string_view(request.method), std::string_view(request.target)}) {
    for (const char c : text) {
      if (c <= ' ' || c == 0x7f)
        return fail(ErrorCode::kInvalid, "HTTP: a space or control character in the request line");
    }
  }
  if (!request.target.starts_with('/'))
    return fail(ErrorCode::kInvalid, "HTTP: the target must begin with '/'");
  return {};
}

Error error_of(const ErrorValue& error) {
  const auto& parse = http::make_error_code(http::error::bad_method).category();
  const bool torn = error == http::error::end_of_stream || error == http::error::partial_message;
  if (error.category() == parse && !torn)
    return Error{ErrorCode::kInvalid, "HTTP: " + error.message()};
  return Error{ErrorCode::kUnavailable, "HTTP: " + error.message()};
}

/// Hands a piece of the body on; the error says why the exchange ends here.
Result<void> take_piece(const ClientRequest& request, ClientResponse& response,
                        std::string_view piece, std::uint64_t& total) {
  total += piece.size();
  if (total > request.body_bytes_max)
    return fail(ErrorCode::kInvalid,
                fmt::format("HTTP: the body is longer than {} bytes", request.body_bytes_max));
  if (request.on_chunk && response.status / 100 == 2) {
    if (!piece.empty() && !request.on_chunk(piece))
      return fail(ErrorCode::kCancelled, "HTTP: broken off by the caller");
    return {};
  }
  response.body += piece;
  return {};
}

void copy_head(const Parser& parser, ClientResponse& response) {
  response.status = static_cast<int>(parser.get().result_int());
  for (const auto& field : parser.get()) {
    response.headers.add(std::string_view(field.name_string().data(), field.name_string().size()),
                         std::string_view(field.value().data(), field.value().size()));
  }
}

Task<Result<ClientResponse>> read_body(Connection& connection, const ClientRequest& request,
                                       Parser& parser) {
  ClientResponse response;
  copy_head(parser, response);
  std::array<char, kPiece> piece{};
  std::uint64_t total = 0;
  while (!parser.is_done()) {
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    const auto [error, bytes] =
        co_await http::async_read_some(*connection.stream, connection.buffer, parser, kTuple);
    const std::string_view got(piece.data(), piece.size() - body.size);
    const Result<void> taken = take_piece(request, response, got, total);
    if (!taken) co_return fail(taken.error().code, taken.error().detail);
    if (error && error != http::error::need_buffer) {
      const Error why = error_of(error);
      co_return fail(why.code, why.detail);
    }
  }
  co_return response;
}

Task<Result<ClientResponse>> exchange(Connection& connection, const ClientRequest& request,
                                      const Endpoint& endpoint, Progress& progress) {
  const std::string head = head_of(request, endpoint);
  const std::array<asio::const_buffer, 2> parts = {asio::buffer(head), asio::buffer(request.body)};
  const auto [broken, sent] = co_await asio::async_write(*connection.stream, parts, kTuple);
  // a server may answer (413) and close while we still write: look for its answer all the same
  std::optional<Parser> parser;
  for (int i = 0; i < kInterimMax; ++i) {
    parser.emplace();
    parser->header_limit(kHeaderBytesMax);
    parser->body_limit(boost::none);  // take_piece() counts
    parser->skip(request.method == "HEAD");
    const auto [error, bytes] =
        co_await http::async_read_header(*connection.stream, connection.buffer, *parser, kTuple);
    progress.any_byte = progress.any_byte || bytes > 0 || connection.buffer.size() > 0;
    if (error) {
      const Error why = error_of(broken ? broken : error);
      co_return fail(why.code, why.detail);
    }
    if (parser->get().result_int() >= 200) break;
  }
  if (parser->get().result_int() < 200)
    co_return fail(ErrorCode::kInvalid, "HTTP: only interim answers");
  Result<ClientResponse> response = co_await read_body(connection, request, *parser);
  progress.keep = response && !broken && parser->keep_alive() && connection.buffer.size() == 0;
  co_return response;
}

}  // namespace

struct HttpClient::Impl : std::enable_shared_from_this<HttpClient::Impl> {
  Impl(Executor on, Endpoint to, HttpClientOptions with)
      : executor(std::move(on)), endpoint(std::move(to)), options(std::move(with)) {}

  Task<Result<std::shared_ptr<Connection>>> connection(bool fresh);
  void keep(std::shared_ptr<Connection> used);
  static Task<Result<ClientResponse>> send(std::shared_ptr<Impl> self, ClientRequest request);

  Executor executor;
  Endpoint endpoint;
  HttpClientOptions options;
  std::shared_ptr<asio::ssl::context> tls;
  std::list<std::shared_ptr<Connection>> idle;  // newest in front
};

Task<Result<std::shared_ptr<Connection>>> HttpClient::Impl::connection(bool fresh) {
  while (!fresh && !idle.empty()) {
    const auto old = idle.front();
    idle.pop_front();
    if (old->is_stale()) continue;
    old->idle_limit.cancel();
    old->reused = true;
    co_return old;
  }
  if (endpoint.tls && !tls) {
    const auto made = make_client_tls(options);
    if (!made) co_return fail(made.error().code, made.error().detail);
    tls = *made;
  }
  const auto stream = co_await connect_stream(endpoint, options.connect_timeout, tls);
  if (!stream) co_return fail(stream.error().code, stream.error().detail);
  co_return std::make_shared<Connection>(*stream, executor);
}

void HttpClient::Impl::keep(std::shared_ptr<Connection> used) {
  if (options.idle_connections_max == 0) return;
  used->idle_limit.expires_after(options.idle_lifetime);
  used->idle_limit.async_wait([weak = weak_from_this(), raw = used.get()](const ErrorValue& error) {
    const auto self = weak.lock();
    if (!error && self) self->idle.remove_if([raw](const auto& one) { return one.get() == raw; });
  });
  idle.push_front(std::move(used));
  if (idle.size() > options.idle_connections_max) idle.pop_back();
}

Task<Result<ClientResponse>> HttpClient::Impl::send(std::shared_ptr<Impl> self,
                                                    ClientRequest request) {
  for (bool fresh = false;; fresh = true) {
    const auto connected = co_await self->connection(fresh);
    if (!connected) co_return fail(connected.error().code, connected.error().detail);
    const std::shared_ptr<Connection> used = *connected;
    Progress progress;
    Result<ClientResponse> response = co_await exchange(*used, request, self->endpoint, progress);
    if (progress.keep) self->keep(used);
    const bool lost_race = !response && response.error().code == ErrorCode::kUnavailable &&
                           used->reused && !progress.any_byte;
    if (!lost_race || !is_idempotent(request.method)) co_return response;
  }
}

HttpClient::HttpClient(const Executor& executor, Endpoint endpoint, HttpClientOptions options)
    : impl_(std::make_shared<Impl>(executor, std::move(endpoint), std::move(options))) {}

HttpClient::~HttpClient() { impl_->idle.clear(); }

Task<Result<ClientResponse>> HttpClient::send(ClientRequest request) {
  const auto impl = impl_;
  const Result<void> sound = check(request);
  if (!sound) co_return fail(sound.error().code, sound.error().detail);
  const Milliseconds limit = request.deadline;
  Task<Result<ClientResponse>> work = Impl::send(impl, std::move(request));
  Result<ClientResponse> response = co_await with_deadline(std::move(work), limit);
  co_return response;
}

const Endpoint& HttpClient::endpoint() const { return impl_->endpoint; }

Task<Result<std::shared_ptr<WebSocket>>> connect_websocket(WebSocketTarget target) {
  std::shared_ptr<asio::ssl::context> tls;
  if (target.endpoint.tls) {
    const auto made = make_client_tls(target.client);
    if (!made) co_return fail(made.error().code, made.error().detail);
    tls = *made;
  }
  const auto stream = co_await connect_stream(target.endpoint, target.client.connect_timeout, tls);
  if (!stream) co_return fail(stream.error().code, stream.error().detail);
  const auto impl = std::make_shared<WebSocket::Impl>(std::move(**stream), target.options);
  const std::string path = target.endpoint.base_path + target.target;
  const Result<void> shaken =
      co_await impl->handshake(target.endpoint.host_header(), path, target.headers);
  if (!shaken) co_return fail(shaken.error().code, shaken.error().detail);
  impl->start();
  co_return std::make_shared<WebSocket>(impl);
}

}  // namespace yyc3::net
