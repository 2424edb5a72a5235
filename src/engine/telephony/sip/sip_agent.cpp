#include "engine/telephony/sip/sip_agent.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "engine/telephony/sip/agent_loop.hpp"

namespace yyc3::sip {

namespace {

constexpr std::size_t kHeadersMax = 16;
constexpr int kPortTries = 5;

bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '"' || c == '\\';
  });
}

bool is_header_name(std::string_view name) {
  static constexpr std::string_view kOwn[] = {"via",
                                              "from",
                                              "to",
                                              "call-id",
                                              "cseq",
                                              "contact",
                                              "route",
                                              "record-route",
                                              "max-forwards",
                                              "content-length",
                                              "content-type",
                                              "authorization",
                                              "proxy-authorization"};
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool token =
      !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-';
      });
  return token && std::find(std::begin(kOwn), std::end(kOwn), lower) == std::end(kOwn);
}

tl::unexpected<Error> invalid(const char* text) { return fail(ErrorCode::kInvalid, text); }

Result<void> check_target(const DialRequest& request) {
  const std::string& target = request.target;
  if (target.size() > 255 || !is_plain(target))
    return invalid("target: unusable characters or too long");
  if (target.starts_with('+')) {
    const bool digits =
        target.size() >= 8 && target.size() <= 16 &&
        std::all_of(target.begin() + 1, target.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return invalid("target: not an E.164 number");
    if (!request.trunk) return invalid("target: an E.164 number needs a trunk (sip.trunk)");
    return {};
  }
  if (!target.starts_with("sip:") || target.size() < 6)
    return invalid("target: must be sip:user@host or +E.164");
  return {};
}

Result<void> check(const DialRequest& request) {
  auto target = check_target(request);
  if (!target) return target;
  if (!is_ip_literal(request.media.address)) return invalid("media.address: not a literal IP");
  if (request.media.rtp_port == 0) return invalid("media.rtp_port: 1-65535");
  if (request.media.codecs.empty()) return invalid("media.codecs: none");
  if (request.media.dtmf_payload_type < 96 || request.media.dtmf_payload_type > 127)
    return invalid("media.dtmf_payload_type: 96-127");
  if (request.ring_timeout < Milliseconds{1} || request.ring_timeout > std::chrono::minutes(10))
    return invalid("ring_timeout: 1 ms to 10 min");
  if (!is_plain(request.caller_id) || request.caller_id.size() > 64)
    return invalid("caller_id: unusable characters or too long");
  if (request.trunk && (!is_plain(request.trunk->display_name) || !is_plain(request.trunk->host) ||
                        !is_plain(request.trunk->auth_user)))
    return invalid("trunk: control characters, quotes or backslashes");
  if (request.headers.size() > kHeadersMax) return invalid("headers: more than 16");
  for (const auto& [name, value] : request.headers) {
    const bool printable = std::none_of(value.begin(), value.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
    if (!is_header_name(name) || !printable || value.size() > 512)
      return invalid("headers: a name the stack makes itself, or control characters");
  }
  return {};
}

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

Address address_of(const std::string& literal, std::uint16_t port) {
  Address out;
  auto* four = reinterpret_cast<sockaddr_in*>(&out.bytes);
  if (inet_pton(AF_INET, literal.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    out.size = sizeof *four;
    return out;
  }
  auto* six = reinterpret_cast<sockaddr_in6*>(&out.bytes);
  inet_pton(AF_INET6, literal.c_str(), &six->sin6_addr);
  six->sin6_family = AF_INET6;
  six->sin6_port = htons(port);
  out.size = sizeof *six;
  return out;
}

/// Binds for a moment. The port that was bound; 0 when it is taken or the address is not ours.
std::uint16_t bind_once(const std::string& literal, std::uint16_t port, int kind) {
  Address where = address_of(literal, port);
  auto* name = reinterpret_cast<sockaddr*>(&where.bytes);
  const int fd = socket(where.bytes.ss_family, kind | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  const int yes = 1;
  if (kind == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const bool good = bind(fd, name, where.size) == 0 && getsockname(fd, name, &where.size) == 0;
  close(fd);
  if (!good) return 0;
  return ntohs(where.bytes.ss_family == AF_INET
                   ? reinterpret_cast<sockaddr_in*>(&where.bytes)->sin_port
                   : reinterpret_cast<sockaddr_in6*>(&where.bytes)->sin6_port);
}

/// `port`, or any for 0, if it is free for UDP and TCP at this moment; else 0. Sofia is not asked
/// to find out: it leaks what it had when it cannot bind.
std::uint16_t free_port(const std::string& address, std::uint16_t port, bool tcp) {
  for (int tries = 0; tries < 20; ++tries) {
    const std::uint16_t found = bind_once(address, port, SOCK_DGRAM);
    if (found != 0 && (!tcp || bind_once(address, found, SOCK_STREAM) == found)) return found;
    if (port != 0) break;
  }
  return 0;
}

Result<void> check(const SipConfig& config) {
  if (!is_ip_literal(config.bind_address))
    return invalid("sip.listen: must be a literal IP address");
  if (config.session_expires_s != 0 && config.session_expires_s < 90)
    return invalid("sip.session_expires_s: 0 or at least 90");
  if (config.invite_timeout < std::chrono::seconds(1) ||
      config.invite_timeout > std::chrono::seconds(120))
    return invalid("sip.invite_timeout: 1-120 s");
  if (config.max_calls == 0 || config.command_limit == 0)
    return invalid("sip.max_calls, sip.command_limit: at least 1");
  if (!is_plain(config.user_agent)) return invalid("sip.user_agent: unusable characters");
  return {};
}

}  // namespace

struct SipAgent::Impl {
  std::unique_ptr<AgentLoop> loop;
  std::thread thread;
  std::atomic<bool> stopped{false};
};

SipAgent::SipAgent(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SipAgent::~SipAgent() { stop(); }

Result<std::unique_ptr<SipAgent>> SipAgent::start(const SipConfig& config, const Clock& clock,
                                                  telemetry::Log& log, Sink sink,
                                                  MessageHook hook) {
  auto good = check(config);
  if (!good) return tl::unexpected<Error>(good.error());
  SipConfig bound = config;
  for (int tries = 0; tries < kPortTries; ++tries) {  // a free port may be taken before we bind it
    bound.port = free_port(bound.bind_address, config.port, bound.tcp);
    if (bound.port == 0) break;
    auto impl = std::make_unique<Impl>();
    impl->loop = std::make_unique<AgentLoop>(bound, clock, log, sink, hook);
    AgentLoop& loop = *impl->loop;
    impl->thread = std::thread([&loop] { loop.run(); });
    pthread_setname_np(impl->thread.native_handle(), "sip");
    if (loop.wait_started()) return std::unique_ptr<SipAgent>(new SipAgent(std::move(impl)));
    impl->thread.join();
    if (config.port != 0) break;
  }
  return fail(ErrorCode::kUnavailable,
              fmt::format("SIP cannot listen on {}:{}: taken, or no address of this machine; "
                          "set sip.listen and sip.port",
                          config.bind_address, config.port));
}

std::uint16_t SipAgent::port() const { return impl_->loop->config().port; }
std::size_t SipAgent::live_calls() const { return impl_->loop->live_calls(); }

Result<void> SipAgent::dial(DialRequest request) {
  auto good = check(request);
  if (!good) return good;
  return impl_->loop->post(Dial{std::move(request)});
}

Result<void> SipAgent::hang_up(const CallId& call, HangUpReason reason) {
  return impl_->loop->post(HangUp{call, std::move(reason)});
}

Result<void> SipAgent::hold(const CallId& call) { return impl_->loop->post(Reoffer{call, true}); }
Result<void> SipAgent::resume(const CallId& call) {
  return impl_->loop->post(Reoffer{call, false});
}

Result<void> SipAgent::send_bye_for(const CallId& call, const DialogState& dialog,
                                    std::optional<Trunk> trunk) {
  return impl_->loop->post(Orphan{call, dialog, std::move(trunk)});
}

void SipAgent::stop() {
  if (!impl_ || impl_->stopped.exchange(true)) return;
  impl_->loop->request_stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace yyc3::sip
