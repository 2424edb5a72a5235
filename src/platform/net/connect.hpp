#pragma once

// Internal to platform/net: opening connections, for HttpClient and connect_websocket.

#include <memory>

#include "platform/net/http_client.hpp"
#include "platform/net/stream.hpp"

namespace yyc3::net {

/// Trust store and rules of outgoing TLS. Errors: kInvalid when `ca_file` cannot be read.
Result<std::shared_ptr<asio::ssl::context>> make_client_tls(const HttpClientOptions& options);

/// Resolves, connects, and for TLS verifies the peer's name and chain.
/// @param tls needed when `endpoint.tls`. Errors: kUnavailable, kTimeout.
Task<Result<std::shared_ptr<AnyStream>>> connect_stream(Endpoint endpoint, Milliseconds limit,
                                                        std::shared_ptr<asio::ssl::context> tls);

}  // namespace yyc3::net
