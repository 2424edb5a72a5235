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

/// A port free for UDP and TCP at this moment; 0 when none was found.
std::uint16_t free_port(const std::string& address, bool tcp) {
  if (address.find(':') != std::string::npos) return 0;  // IPv6: name a port
  for (int tries = 0; tries < 20; ++tries) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    inet_pton(AF_INET, address.c_str(), &where.sin_addr);
    const int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = sizeof where;
    const bool bound = bind(udp, reinterpret_cast<sockaddr*>(&where), size) == 0 &&
                       getsockname(udp, reinterpret_cast<sockaddr*>(&where), &size) == 0;
    bool good = bound;
    if (bound && tcp) {
      const int stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      good = bind(stream, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0;
      close(stream);
    }
    close(udp);
    if (good) return ntohs(where.sin_port);
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
    if (config.port == 0) bound.port = free_port(bound.bind_address, bound.tcp);
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
                          bound.bind_address, bound.port));
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

Result<void> SipAgent::send_bye_for(const CallId& call, const DialogState& dialog) {
  return impl_->loop->post(Orphan{call, dialog});
}

void SipAgent::stop() {
  if (!impl_ || impl_->stopped.exchange(true)) return;
  impl_->loop->request_stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace yyc3::sip
