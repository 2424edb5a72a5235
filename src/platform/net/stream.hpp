#pragma once

// Internal to platform/net: the one place that pulls Beast in. No other room includes it.

#include <array>
#include <memory>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/role.hpp>
#include <boost/beast/core/stream_traits.hpp>

#include "platform/net/any_handler.hpp"
#include "platform/net/task.hpp"

namespace yyc3::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
using ErrorValue = boost::system::error_code;

/// Errors as values: `auto [error, bytes] = co_await …(kTuple)`.
inline constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

using StreamProtocol = asio::generic::stream_protocol;  // TCP and Unix sockets alike
using Socket = asio::basic_stream_socket<StreamProtocol, Executor>;
using PlainStream = beast::basic_stream<StreamProtocol, Executor>;
using TlsStream = asio::ssl::stream<PlainStream>;

/// A connected byte stream: TCP, Unix or TLS. One type, so that the HTTP and WebSocket templates
/// are compiled once; it forgets their handlers and buffers, so that those under it are too. Time
/// limits are set on `next_layer()` (beast::basic_stream::expires_after).
class AnyStream {
 public:
  using executor_type = Executor;
  using next_layer_type = PlainStream;

  explicit AnyStream(Socket socket) : plain_(std::make_unique<PlainStream>(std::move(socket))) {}
  AnyStream(Socket socket, asio::ssl::context& context)
      : tls_(std::make_unique<TlsStream>(std::move(socket), context)) {}

  [[nodiscard]] executor_type get_executor() { return next_layer().get_executor(); }
  [[nodiscard]] PlainStream& next_layer() { return tls_ ? tls_->next_layer() : *plain_; }
  [[nodiscard]] const PlainStream& next_layer() const {
    return tls_ ? std::as_const(*tls_).next_layer() : *plain_;
  }
  [[nodiscard]] Socket& socket() { return next_layer().socket(); }
  [[nodiscard]] TlsStream* tls() { return tls_.get(); }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(ErrorValue, std::size_t)>(
        [this](auto&& handler, const Buffers& to) {
          read_some(gather<asio::mutable_buffer>(to),
                    {std::forward<decltype(handler)>(handler), get_executor()});
        },
        token, buffers);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(ErrorValue, std::size_t)>(
        [this](auto&& handler, const Buffers& from) {
          write_some(gather<asio::const_buffer>(from),
                     {std::forward<decltype(handler)>(handler), get_executor()});
        },
        token, buffers);
  }

  /// False once moved from.
  [[nodiscard]] bool is_valid() const { return plain_ || tls_; }

  /// Cuts the connection; what waits on it ends with an error.
  void cut() {
    if (!is_valid()) return;
    ErrorValue ignored;
    socket().shutdown(Socket::shutdown_both, ignored);
    next_layer().close();
  }

 private:
  using Transferred = AnyHandler<ErrorValue, std::size_t>;
  template <class Buffer>
  using Gathered = std::array<Buffer, 16>;

  /// The first that are not empty: "some" may be less than all.
  template <class Buffer, class Buffers>
  static Gathered<Buffer> gather(const Buffers& buffers) {
    Gathered<Buffer> out;
    std::size_t n = 0;
    for (auto at = asio::buffer_sequence_begin(buffers);
         at != asio::buffer_sequence_end(buffers) && n < out.size(); ++at)
      if (const Buffer one(*at); one.size() > 0) out[n++] = one;
    return out;
  }
  void read_some(const Gathered<asio::mutable_buffer>& to, Transferred handler);
  void write_some(const Gathered<asio::const_buffer>& from, Transferred handler);

  std::unique_ptr<PlainStream> plain_;
  std::unique_ptr<TlsStream> tls_;
};

void tear_down(beast::role_type role, AnyStream& stream, AnyHandler<ErrorValue> handler);

/// How Beast's WebSocket ends the connection under it (found by argument-dependent look-up).
template <class Handler>
void async_teardown(beast::role_type role, AnyStream& stream, Handler&& handler) {
  tear_down(role, stream, {std::forward<Handler>(handler), stream.get_executor()});
}

}  // namespace yyc3::net
