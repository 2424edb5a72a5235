#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/net/task.hpp"

namespace yyc3::net {

class WebSocket;

/// Header fields in the order they were added; names compare without case (RFC 9110 §5.1).
class Headers {
 public:
  Headers() = default;
  void set(std::string_view name, std::string_view value);  ///< replaces every field of that name
  void add(std::string_view name, std::string_view value);
  void erase(std::string_view name);
  /// The first field of that name.
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return get(name).has_value(); }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

using Query = std::multimap<std::string, std::string, std::less<>>;

/// A request as a server received it.
class HttpRequest {
 public:
  HttpRequest() = default;
  /// The first query parameter of that name.
  [[nodiscard]] std::optional<std::string> param(std::string_view name) const;

  std::string method;  ///< as sent: "GET", "POST" …
  std::string path;    ///< percent-decoded; no NUL, no encoded '/', no '.' or '..' segment
  Query query;         ///< percent-decoded, '+' is a space
  Headers headers;
  std::string body;
  std::string peer;         ///< IP address; empty on a Unix socket
  bool is_unix = false;     ///< came over a Unix socket (mode 0600: the same user)
  bool is_tls = false;      ///< came over TLS
  bool is_upgrade = false;  ///< asks for a WebSocket
};

/// Gives the next piece of a body; an empty one ends it. An error breaks the connection off, so
/// that the client cannot take a torn body for a whole one.
using BodySource = std::function<Task<Result<std::string>>()>;

struct WebSocketOptions {
  std::string subprotocol;                  ///< offered or demanded; empty: none
  std::size_t message_bytes_max = 1 << 20;  ///< longer messages close with 1009
  std::size_t queue_messages_max = 256;     ///< outbound; `send` is false beyond
  std::size_t queue_bytes_max = 4u << 20;   ///< outbound
  Milliseconds idle_timeout{60'000};        ///< a ping after half of it; closed when unanswered
  Milliseconds handshake_timeout{10'000};
};

/// Runs one accepted WebSocket; it is closed when the coroutine ends.
using WebSocketHandler = std::function<Task<void>(HttpRequest, std::shared_ptr<WebSocket>)>;

/// What a handler answers: a whole body, a pulled body, or "go on as a WebSocket".
class HttpResponse {
 public:
  HttpResponse() = default;
  explicit HttpResponse(int code) : status(code) {}
  HttpResponse(int code, std::string text, std::string_view content_type = "application/json");

  /// application/problem+json (RFC 9457). `detail` goes to the client: no secrets, no PII.
  static HttpResponse problem(int code, std::string_view title, std::string_view detail = {});
  /// The body is pulled while it is written; with `size` as Content-Length, else chunked.
  static HttpResponse stream(int code, std::string_view content_type, BodySource source,
                             std::optional<std::uint64_t> size = std::nullopt);
  /// Accepts the upgrade that `is_upgrade` asked for (otherwise the client gets 426).
  static HttpResponse upgrade(WebSocketOptions options, WebSocketHandler run);

  int status = 500;
  Headers headers;
  std::string body;
  BodySource source;                         ///< if set, `body` is not sent
  std::optional<std::uint64_t> source_size;  ///< bytes `source` will give in all
  WebSocketOptions websocket_options;
  WebSocketHandler websocket;  ///< if set, the connection becomes a WebSocket
};

/// "a=1&b=%E4%BD%A0" → pairs. Errors: kInvalid for a bad escape, NUL, or more than 128 parameters.
Result<Query> parse_query(std::string_view text);
/// Decodes a request path. Errors: kInvalid for what `HttpRequest::path` excludes.
Result<std::string> parse_path(std::string_view text);
/// Percent-encodes everything but RFC 3986 unreserved characters.
std::string percent_encode(std::string_view text);
std::string_view reason_phrase(int status);

/// One satisfiable byte range of a resource of `size` bytes (RFC 9110 §14.2).
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  ///< inclusive
};
/// nullopt: absent, malformed or several ranges (answer 200 with everything).
/// Errors: kInvalid: well-formed but outside (answer 416 with `Content-Range: bytes */size`).
Result<std::optional<ByteRange>> parse_range(std::string_view header, std::uint64_t size);

}  // namespace yyc3::net
