#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "platform/net/http.hpp"

namespace yyc3::net {

/// Answers one request. Runs on the server's executor. When the client goes away (also when it
/// half-closes), the handler is cancelled. What it throws becomes 500 problem+json.
using HttpHandler = std::function<Task<HttpResponse>(HttpRequest)>;

struct HttpServerOptions {
  std::string address = "127.0.0.1";  ///< IP; other than loopback only with TLS
  std::uint16_t port = 0;             ///< 0: any free one, see HttpServer::port()
  std::string unix_path;              ///< if set, listens there (mode 0600) and not on TCP
  std::string certificate_file;       ///< PEM chain; with `key_file` turns TLS on
  std::string key_file;               ///< PEM

  std::size_t header_bytes_max = 16 * 1024;  ///< beyond: 431
  std::size_t body_bytes_max = 1 << 20;      ///< beyond: 413
  /// A route's own body limit; called with method and path before the body is read.
  std::function<std::size_t(const std::string&, const std::string&)> body_limit;
  std::size_t connections_max = 512;    ///< beyond: 503 with Retry-After
  Milliseconds header_timeout{10'000};  ///< from a request's first byte to its last header
  Milliseconds body_timeout{30'000};    ///< for the whole body
  Milliseconds idle_timeout{60'000};    ///< between requests
  Milliseconds write_timeout{30'000};   ///< for each write; a reader slower than that is cut
};

/// HTTP/1.1 (RFC 9112) and WebSocket (RFC 6455) on one address.
///
/// Threads: lives on one executor; `start` may be called from any thread, `port` and
/// `connections` too. Pipelined requests are answered one after another, in order.
class HttpServer {
 public:
  /// Listens when it returns. Errors: kInvalid (bad address, address that needs TLS, unreadable
  /// certificate), kBusy (port or socket path in use), kUnavailable.
  static Result<std::unique_ptr<HttpServer>> start(const Executor& executor,
                                                   HttpServerOptions options, HttpHandler handler,
                                                   telemetry::Log& log);
  /// stop(). Connections hold what they need, so that this may run before they have ended.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;  ///< 0 on a Unix socket
  [[nodiscard]] std::size_t connections() const;

  /// Stops listening, lets requests that run finish (their answers say `Connection: close`),
  /// closes idle connections and, after `limit`, the rest. WebSockets get close code 1001.
  Task<void> drain(Milliseconds limit);
  /// Closes everything now. Threads: any.
  void stop();

 private:
  struct Impl;
  explicit HttpServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace yyc3::net
