#include "platform/net/http_server.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/ip/address.hpp>

#include "platform/net/http_session.hpp"

namespace yyc3::net {

namespace {

using Acceptor = asio::basic_socket_acceptor<StreamProtocol, Executor>;

constexpr std::size_t kUnixPathMax = 107;
constexpr const char* kFullAnswer =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
    "Connection: close\r\n\r\n";

std::string address_of(const Socket& socket) {
  ErrorValue error;
  const auto peer = socket.remote_endpoint(error);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (error) return {};
  if (peer.data()->sa_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(peer.data());
    ::inet_ntop(AF_INET, &in->sin_addr, text.data(), text.size());
  } else if (peer.data()->sa_family == AF_INET6) {
    const auto* in6 = reinterpret_cast<const sockaddr_in6*>(peer.data());
    ::inet_ntop(AF_INET6, &in6->sin6_addr, text.data(), text.size());
  }
  return text.data();
}

/// True when somebody listens there; a socket file without a listener is a leftover and removed.
bool someone_listens(asio::io_context& context, const std::string& path) {
  asio::local::stream_protocol::socket probe(context);
  ErrorValue error;
  probe.connect(asio::local::stream_protocol::endpoint(path), error);
  if (!error) return true;
  struct stat info{};
  if (::lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode)) ::unlink(path.c_str());
  return false;
}

}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(const Executor& on, HttpServerOptions options, HttpHandler handler, telemetry::Log& log)
      : executor(on),
        shared(std::make_shared<ServerShared>(
            ServerShared{std::move(options), std::move(handler), log})),
        acceptor(on) {}

  [[nodiscard]] bool is_unix() const { return !shared->options.unix_path.empty(); }

  Result<void> open_tls();
  Result<void> open();
  Result<void> listen_on(const StreamProtocol::endpoint& endpoint);
  static Task<void> accept_loop(std::shared_ptr<Impl> self);
  static Task<void> serve(std::shared_ptr<Impl> self, Socket socket);
  void refuse(Socket& socket) const;
  void stop_listening();
  void cut_all();

  Executor executor;
  std::shared_ptr<ServerShared> shared;
  Acceptor acceptor;
  std::unique_ptr<asio::ssl::context> tls;
  std::uint16_t port = 0;
  bool bound_unix = false;
  std::atomic<std::size_t> connections{0};
  std::uint64_t next_id = 0;
  std::map<std::uint64_t, std::weak_ptr<HttpSession>> sessions;
};

Result<void> HttpServer::Impl::open_tls() {
  const HttpServerOptions& options = shared->options;
  if (options.certificate_file.empty() != options.key_file.empty())
    return fail(ErrorCode::kInvalid, "TLS: certificate_file and key_file go together");
  if (options.certificate_file.empty()) return {};
  tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  ErrorValue error;
  tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                   asio::ssl::context::no_tlsv1_1);
  tls->use_certificate_chain_file(options.certificate_file, error);
  if (error) return fail(ErrorCode::kInvalid, "TLS: certificate_file: " + error.message());
  tls->use_private_key_file(options.key_file, asio::ssl::context::pem, error);
  if (error) return fail(ErrorCode::kInvalid, "TLS: key_file: " + error.message());
  return {};
}

Result<void> HttpServer::Impl::open() {
  const HttpServerOptions& options = shared->options;
  if (auto ready = open_tls(); !ready) return ready;
  if (is_unix()) {
    if (options.unix_path.size() > kUnixPathMax)
      return fail(ErrorCode::kInvalid, "unix_path: longer than 107 bytes");
    asio::io_context probing;
    if (someone_listens(probing, options.unix_path))
      return fail(ErrorCode::kBusy, "unix_path: another process listens there");
    return listen_on(asio::local::stream_protocol::endpoint(options.unix_path));
  }
  ErrorValue error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) return fail(ErrorCode::kInvalid, "address: not an IP address");
  if (!address.is_loopback() && !tls)
    return fail(ErrorCode::kInvalid,
                "address: only a loopback address may go without TLS; give certificate and key");
  return listen_on(asio::ip::tcp::endpoint(address, options.port));
}

Result<void> HttpServer::Impl::listen_on(const StreamProtocol::endpoint& endpoint) {
  ErrorValue error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return fail(ErrorCode::kUnavailable, "socket: " + error.message());
  if (!is_unix()) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  acceptor.bind(endpoint, error);
  if (error) {
    const bool busy = error == asio::error::address_in_use;
    return fail(busy ? ErrorCode::kBusy : ErrorCode::kUnavailable, "bind: " + error.message());
  }
  bound_unix = is_unix();
  // before listen(): nobody can connect while the mode is still wrong
  if (bound_unix && ::chmod(shared->options.unix_path.c_str(), S_IRUSR | S_IWUSR) != 0)
    return fail(ErrorCode::kUnavailable, "unix_path: cannot set mode 0600");
  acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    const bool busy = error == asio::error::address_in_use;
    return fail(busy ? ErrorCode::kBusy : ErrorCode::kUnavailable, "listen: " + error.message());
  }
  const auto local = acceptor.local_endpoint(error);
  if (local.data()->sa_family == AF_INET)
    port = ntohs(reinterpret_cast<const sockaddr_in*>(local.data())->sin_port);
  if (local.data()->sa_family == AF_INET6)
    port = ntohs(reinterpret_cast<const sockaddr_in6*>(local.data())->sin6_port);
  return {};
}

Task<void> HttpServer::Impl::accept_loop(std::shared_ptr<Impl> self) {
  while (self->acceptor.is_open()) {
    auto [error, socket] = co_await self->acceptor.async_accept(self->executor, kTuple);
    if (error == asio::error::operation_aborted) co_return;
    if (error) {  // out of descriptors: the listener must live on
      self->shared->log.warn("accept failed", {{"error.message", error.message()}});
      co_await sleep_for(Milliseconds(100));
      continue;
    }
    if (self->connections >= self->shared->options.connections_max) {
      self->refuse(socket);
      continue;
    }
    if (!self->is_unix()) {
      ErrorValue ignored;
      socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    }
    ++self->connections;
    spawn(self->executor, serve(self, std::move(socket)), self->shared->log, "http connection");
  }
}

Task<void> HttpServer::Impl::serve(std::shared_ptr<Impl> self, Socket socket) {
  struct Leaving {
    ~Leaving() { --count; }
    std::atomic<std::size_t>& count;
  };
  const Leaving leaving{self->connections};
  std::string peer = address_of(socket);
  AnyStream stream =
      self->tls ? AnyStream(std::move(socket), *self->tls) : AnyStream(std::move(socket));
  const auto session =
      std::make_shared<HttpSession>(std::move(stream), self->shared, std::move(peer));
  const std::uint64_t id = self->next_id++;
  self->sessions[id] = session;
  co_await session->run();
  self->sessions.erase(id);
}

/// Says 503 without waiting for anything: a fresh socket's buffer takes these bytes at once.
void HttpServer::Impl::refuse(Socket& socket) const {
  ErrorValue ignored;
  if (!tls) {
    socket.non_blocking(true, ignored);
    socket.send(asio::buffer(std::string_view(kFullAnswer)), 0, ignored);
  }
  socket.shutdown(Socket::shutdown_send, ignored);
  std::array<char, 4096> scrap{};  // unread bytes would turn the close into a reset
  socket.receive(asio::buffer(scrap), 0, ignored);
}

void HttpServer::Impl::stop_listening() {
  ErrorValue ignored;
  acceptor.close(ignored);
  if (bound_unix) ::unlink(shared->options.unix_path.c_str());
  bound_unix = false;
}

void HttpServer::Impl::cut_all() {
  for (const auto& [id, weak] : sessions) {
    if (const auto session = weak.lock()) session->cut();
  }
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { stop(); }

Result<std::unique_ptr<HttpServer>> HttpServer::start(const Executor& executor,
                                                      HttpServerOptions options,
                                                      HttpHandler handler, telemetry::Log& log) {
  auto impl = std::make_shared<Impl>(executor, std::move(options), std::move(handler), log);
  if (const auto opened = impl->open(); !opened) {
    impl->stop_listening();
    return fail(opened.error().code, opened.error().detail);
  }
  spawn(executor, Impl::accept_loop(impl), log, "http listener");
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::uint16_t HttpServer::port() const { return impl_->port; }
std::size_t HttpServer::connections() const { return impl_->connections; }

Task<void> HttpServer::drain(Milliseconds limit) {
  const auto impl = impl_;
  impl->shared->draining = true;
  impl->stop_listening();
  for (const auto& [id, weak] : std::map(impl->sessions)) {
    if (const auto session = weak.lock()) session->drain();
  }
  constexpr Milliseconds kStep{10};
  for (Milliseconds waited{0}; waited < limit && impl->connections > 0; waited += kStep)
    co_await sleep_for(kStep);
  impl->cut_all();
}

void HttpServer::stop() {
  asio::dispatch(impl_->executor, [impl = impl_] {
    impl->shared->draining = true;
    impl->stop_listening();
    impl->cut_all();
  });
}

}  // namespace yyc3::net
