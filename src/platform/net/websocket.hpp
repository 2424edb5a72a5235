#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "platform/net/http.hpp"

namespace yyc3::net {

struct WebSocketMessage {
  WebSocketMessage() = default;
  WebSocketMessage(std::string bytes, bool binary) : data(std::move(bytes)), is_binary(binary) {}
  std::string data;
  bool is_binary = false;
};

/// One WebSocket, either end (RFC 6455). Pings and idle time-out run by themselves, while a
/// `read` is pending: keep reading.
/// Threads: its executor only. Held by shared_ptr; dropping the last one cuts the connection.
class WebSocket {
 public:
  class Impl;
  explicit WebSocket(std::shared_ptr<Impl> impl);
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  /// The next message. One reader at a time.
  /// Errors: kCancelled: closed properly, see close_code(); kTimeout: idle; kInvalid: the peer
  /// broke the protocol or a limit; kUnavailable: the connection broke.
  Task<Result<WebSocketMessage>> read();

  /// Queues a message. False: the queue is full or the socket closed; the message is not sent and
  /// the caller decides (drop, slow down, close).
  bool send_text(std::string data);
  bool send_binary(std::string data);

  /// Sends what is queued, then a close frame; `read` ends when the peer answers.
  /// @param code 1000, 1001, 1008 …; @param reason at most 123 bytes, cut.
  void close(std::uint16_t code = 1000, std::string reason = {});
  /// Waits until the queue is empty or the socket closed.
  Task<void> flushed();

  [[nodiscard]] bool is_open() const;
  [[nodiscard]] std::uint16_t close_code() const;  ///< of the peer; 1006 when it gave none
  [[nodiscard]] std::string close_reason() const;
  [[nodiscard]] std::size_t queued_bytes() const;
  [[nodiscard]] const std::string& subprotocol() const;  ///< agreed one; may be empty
  [[nodiscard]] Executor executor() const;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace yyc3::net
