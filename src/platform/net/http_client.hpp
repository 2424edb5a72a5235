#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "platform/net/http.hpp"

namespace yyc3::net {

/// Where a server is: `http://host[:port][/base]`, `https://…`, `ws://…`, `wss://…`, or
/// `unix:/absolute/path.sock`.
class Endpoint {
 public:
  Endpoint() = default;
  /// Errors: kInvalid, naming what is wrong. User information in an URL is refused.
  static Result<Endpoint> parse(std::string_view url);
  static Endpoint unix_socket(std::string path);
  static Endpoint tcp(std::string host, std::uint16_t port);

  std::string host;  ///< name or IP, without brackets; "localhost" on a Unix socket
  std::uint16_t port = 0;
  std::string unix_path;  ///< if set, host and port only fill the Host header
  std::string base_path;  ///< put before every target; "" or "/v1", no '/' at its end
  bool tls = false;

  [[nodiscard]] std::string host_header() const;
};

struct HttpClientOptions {
  std::string ca_file;                   ///< PEM; empty: the system's. The peer is always verified
  Milliseconds connect_timeout{3'000};   ///< resolve, connect and TLS handshake together
  std::size_t idle_connections_max = 4;  ///< kept for reuse; 0: a new one for every request
  Milliseconds idle_lifetime{15'000};    ///< older ones are not reused

  /// A new connection for every request: for POSTs, which are not sent again when they lose the
  /// race with a server that closes an idle connection, and so that cancelling is closing.
  static HttpClientOptions one_request_a_connection() {
    HttpClientOptions options;
    options.idle_connections_max = 0;
    return options;
  }
};

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";  ///< path and query, already encoded
  Headers headers;
  std::string body;
  Milliseconds deadline{10'000};           ///< for everything, connecting included
  std::size_t body_bytes_max = 16u << 20;  ///< of the response; beyond: kInvalid
  /// If set, the pieces of a 2xx body go here as they arrive (SSE, PCM) and `body` stays empty.
  /// Returning false breaks off: the connection is destroyed and `send` gives kCancelled.
  std::function<bool(std::string_view)> on_chunk;
};

class ClientResponse {
 public:
  ClientResponse() = default;
  int status = 0;
  Headers headers;
  std::string body;
};

/// HTTP/1.1 client of one endpoint. Redirects are not followed.
/// Threads: its executor only; any number of requests at once. Cancelling the coroutine destroys
/// the request's connection, which tells the server to stop.
class HttpClient {
 public:
  HttpClient(const Executor& executor, Endpoint endpoint, HttpClientOptions options = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Any status is a success here. Errors: kTimeout (deadline), kUnavailable (no connection, TLS
  /// not trusted, broke off), kInvalid (not HTTP, body beyond its bound), kCancelled (on_chunk).
  /// An idempotent request that fails on a reused connection before any byte came back is sent
  /// again, once, on a new one (RFC 9112 §9.3.1).
  Task<Result<ClientResponse>> send(ClientRequest request);

  [[nodiscard]] const Endpoint& endpoint() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

struct WebSocketTarget {
  Endpoint endpoint;
  std::string target = "/";
  Headers headers;
  WebSocketOptions options;
  HttpClientOptions client;
};

/// Opens a WebSocket on the calling coroutine's executor.
/// Errors: kUnavailable (no connection), kTimeout, kInvalid (refused, or another subprotocol).
Task<Result<std::shared_ptr<WebSocket>>> connect_websocket(WebSocketTarget target);

}  // namespace yyc3::net
