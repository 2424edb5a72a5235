#include "platform/net/connect.hpp"

#include <charconv>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/error.hpp>

namespace yyc3::net {

namespace {

constexpr std::size_t kAddressesMax = 4;  // of one name; more are not tried

using Endpoints = std::vector<StreamProtocol::endpoint>;

Task<Result<Endpoints>> resolve(Endpoint endpoint) {
  Endpoints found;
  if (!endpoint.unix_path.empty()) {
    found.emplace_back(asio::local::stream_protocol::endpoint(endpoint.unix_path));
    co_return found;
  }
  ErrorValue not_literal;
  const auto literal = asio::ip::make_address(endpoint.host, not_literal);
  if (!not_literal) {
    found.emplace_back(asio::ip::tcp::endpoint(literal, endpoint.port));
    co_return found;
  }
  asio::ip::tcp::resolver resolver(co_await asio::this_coro::executor);
  const std::string port = std::to_string(endpoint.port);
  const auto [error, results] = co_await resolver.async_resolve(endpoint.host, port, kTuple);
  if (error) co_return fail(ErrorCode::kUnavailable, "resolve: " + error.message());
  for (const auto& result : results) {
    if (found.size() < kAddressesMax) found.emplace_back(result.endpoint());
  }
  co_return found;
}

Task<Result<std::shared_ptr<AnyStream>>> connect_any(Endpoint endpoint,
                                                     std::shared_ptr<asio::ssl::context> tls) {
  const Executor executor = co_await asio::this_coro::executor;
  const Result<Endpoints> addresses = co_await resolve(endpoint);
  if (!addresses) co_return fail(addresses.error().code, addresses.error().detail);
  std::string why = "no address";
  for (const auto& address : *addresses) {
    Socket socket(executor);
    const auto [error] = co_await socket.async_connect(address, kTuple);
    if (error) {
      why = error.message();
      continue;
    }
    if (endpoint.unix_path.empty()) {
      ErrorValue ignored;
      socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    }
    if (!endpoint.tls) co_return std::make_shared<AnyStream>(std::move(socket));
    const auto stream = std::make_shared<AnyStream>(std::move(socket), *tls);
    ErrorValue literal;
    (void)asio::ip::make_address(endpoint.host, literal);
    if (literal) {  // SNI carries names only; the macro SSL_set_tlsext_host_name casts in C style
      ::SSL_ctrl(stream->tls()->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME,
                 TLSEXT_NAMETYPE_host_name, endpoint.host.data());
    }
    stream->tls()->set_verify_callback(asio::ssl::host_name_verification(endpoint.host));
    const auto [refused] = co_await stream->tls()->async_handshake(TlsStream::client, kTuple);
    if (refused) co_return fail(ErrorCode::kUnavailable, "TLS: " + refused.message());
    co_return stream;
  }
  co_return fail(ErrorCode::kUnavailable, "connect: " + why);
}

}  // namespace

Result<std::shared_ptr<asio::ssl::context>> make_client_tls(const HttpClientOptions& options) {
  auto tls = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                   asio::ssl::context::no_tlsv1_1);
  tls->set_verify_mode(asio::ssl::verify_peer);
  ErrorValue error;
  if (options.ca_file.empty()) {
    tls->set_default_verify_paths(error);
  } else {
    tls->load_verify_file(options.ca_file, error);
  }
  if (error) return fail(ErrorCode::kInvalid, "TLS: ca_file: " + error.message());
  return tls;
}

Task<Result<std::shared_ptr<AnyStream>>> connect_stream(Endpoint endpoint, Milliseconds limit,
                                                        std::shared_ptr<asio::ssl::context> tls) {
  Task<Result<std::shared_ptr<AnyStream>>> work = connect_any(std::move(endpoint), std::move(tls));
  auto connected = co_await with_deadline(std::move(work), limit);
  co_return connected;
}

Result<Endpoint> Endpoint::parse(std::string_view url) {
  Endpoint endpoint;
  if (url.starts_with("unix:")) {
    std::string_view path = url.substr(5);
    while (path.starts_with("//")) path.remove_prefix(1);
    if (!path.starts_with('/'))
      return fail(ErrorCode::kInvalid, "endpoint: unix: needs an absolute path");
    if (path.size() > 107)
      return fail(ErrorCode::kInvalid, "endpoint: the socket path is longer than 107 bytes");
    return unix_socket(std::string(path));
  }
  const std::size_t colon = url.find("://");
  const std::string_view scheme = url.substr(0, std::min(colon, url.size()));
  endpoint.tls = scheme == "https" || scheme == "wss";
  if (colon == std::string_view::npos || (!endpoint.tls && scheme != "http" && scheme != "ws"))
    return fail(ErrorCode::kInvalid,
                "endpoint: use http://, https://, ws://, wss:// or unix:/path");
  std::string_view rest = url.substr(colon + 3);
  std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  std::string_view path = rest.substr(authority.size());
  if (path.find_first_of("?#") != std::string_view::npos)
    return fail(ErrorCode::kInvalid, "endpoint: no query or fragment here");
  if (authority.find('@') != std::string_view::npos)
    return fail(ErrorCode::kInvalid, "endpoint: credentials do not belong in an URL");
  while (path.ends_with('/')) path.remove_suffix(1);
  endpoint.base_path = path;
  endpoint.port = endpoint.tls ? 443 : 80;
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return fail(ErrorCode::kInvalid, "endpoint: missing ']'");
    endpoint.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
  } else {
    endpoint.host = authority.substr(0, authority.find(':'));
    port = authority.substr(endpoint.host.size());
  }
  if (endpoint.host.empty()) return fail(ErrorCode::kInvalid, "endpoint: the host is missing");
  for (const char c : endpoint.host) {
    if (c <= ' ' || c == 0x7f) return fail(ErrorCode::kInvalid, "endpoint: bad host");
  }
  if (port.empty()) return endpoint;
  const auto [stop, error] =
      std::from_chars(port.data() + 1, port.data() + port.size(), endpoint.port);
  if (port.front() != ':' || error != std::errc() || stop != port.data() + port.size() ||
      endpoint.port == 0)
    return fail(ErrorCode::kInvalid, "endpoint: the port must be 1 to 65535");
  return endpoint;
}

Endpoint Endpoint::unix_socket(std::string path) {
  Endpoint endpoint;
  endpoint.host = "localhost";
  endpoint.unix_path = std::move(path);
  return endpoint;
}

Endpoint Endpoint::tcp(std::string host, std::uint16_t port) {
  Endpoint endpoint;
  endpoint.host = std::move(host);
  endpoint.port = port;
  return endpoint;
}

std::string Endpoint::host_header() const {
  const bool v6 = host.find(':') != std::string::npos;
  const std::string name = v6 ? "[" + host + "]" : host;
  if (!unix_path.empty() || port == (tls ? 443 : 80)) return name;
  return name + ":" + std::to_string(port);
}

}  // namespace yyc3::net
