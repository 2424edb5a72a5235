#pragma once

// Internal to platform/net.

#include <deque>
#include <optional>
#include <string>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "platform/net/stream.hpp"
#include "platform/net/websocket.hpp"

namespace yyc3::net {

using WsStream = beast::websocket::stream<AnyStream>;

/// Two pumps on one stream: one reads into a bounded queue, one writes from another, so that
/// cancelling a `read()` never tears a frame. Both hold this object alive until they end.
class WebSocket::Impl : public std::enable_shared_from_this<WebSocket::Impl> {
 public:
  Impl(AnyStream stream, WebSocketOptions options);

  /// Server side: answers the upgrade request. Errors: kUnavailable, kTimeout, kInvalid.
  Task<Result<void>> accept(beast::http::request<beast::http::string_body> request);
  /// Client side.
  Task<Result<void>> handshake(std::string host, std::string target, Headers headers);
  /// After accept or handshake.
  void start();

  Task<Result<WebSocketMessage>> read();
  bool send(std::string data, bool binary);
  void close(std::uint16_t code, std::string reason);
  Task<void> flushed();
  /// Waits until both pumps have ended: the connection is gone.
  Task<void> ended();
  void cut();

  [[nodiscard]] bool is_open() const { return open_; }
  [[nodiscard]] std::uint16_t close_code() const { return close_code_; }
  [[nodiscard]] const std::string& close_reason() const { return close_reason_; }
  [[nodiscard]] std::size_t queued_bytes() const { return queued_bytes_; }
  [[nodiscard]] const std::string& subprotocol() const { return options_.subprotocol; }
  [[nodiscard]] Executor executor() { return stream_.get_executor(); }

 private:
  static Task<void> read_pump(std::shared_ptr<Impl> self);
  static Task<void> write_pump(std::shared_ptr<Impl> self);
  void set_limits(beast::role_type role);
  void finish_reading(const ErrorValue& error);

  WebSocketOptions options_;
  WsStream stream_;
  bool open_ = false;
  int pumps_ = 0;
  std::deque<WebSocketMessage> inbound_;
  std::optional<Error> end_;  // why no more messages come
  Signal readable_;
  Signal inbound_room_;
  std::deque<WebSocketMessage> outbound_;
  std::size_t queued_bytes_ = 0;
  Signal writable_;
  Signal drained_;
  Signal gone_;
  bool closing_ = false;
  beast::websocket::close_reason our_reason_;
  std::uint16_t close_code_ = 1006;
  std::string close_reason_;
};

}  // namespace yyc3::net
