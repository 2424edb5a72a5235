#include "platform/net/stream.hpp"

#include <boost/beast/websocket/teardown.hpp>

namespace yyc3::net {

void AnyStream::read_some(const Gathered<asio::mutable_buffer>& to, Transferred handler) {
  if (tls_)
    tls_->async_read_some(to, std::move(handler));
  else
    plain_->async_read_some(to, std::move(handler));
}

void AnyStream::write_some(const Gathered<asio::const_buffer>& from, Transferred handler) {
  if (tls_)
    tls_->async_write_some(from, std::move(handler));
  else
    plain_->async_write_some(from, std::move(handler));
}

void tear_down(beast::role_type role, AnyStream& stream, AnyHandler<ErrorValue> handler) {
  if (stream.tls() != nullptr)
    stream.tls()->async_shutdown(std::move(handler));
  else
    beast::websocket::async_teardown(role, stream.socket(), std::move(handler));
}

}  // namespace yyc3::net
