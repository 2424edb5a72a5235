#include "engine/telephony/sip/sofia_stack.hpp"

#include <fmt/format.h>
#include <sofia-sip/auth_client.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/tport_tag.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "engine/telephony/sip/sofia_text.hpp"
#include "platform/telemetry/log.hpp"

/// The agent: start, commands, time and the end. What comes back is in sofia_events.cpp.
namespace yyc3::sip {

namespace {
constexpr su_duration_t kTickMs = 10;
constexpr std::size_t kByesPerTick = 50;
constexpr std::uint32_t kOrphanCseqStep = 1'000;  // beyond any refresh the dead process has sent
constexpr Milliseconds kPatience{4'000};          // for the peer's word on our CANCEL or BYE
constexpr Milliseconds kShutdownLimit{2'500};
constexpr const char* kAllow = "INVITE, ACK, CANCEL, BYE, UPDATE, PRACK, OPTIONS";

std::string in_url(const std::string& address) {
  return address.find(':') == std::string::npos ? address : '[' + address + ']';
}
}  // namespace

SofiaStack::SofiaStack(AgentLoop& owner) : owner_(owner) {
  su_init();
  root_ = su_root_create(this);
  if (root_ == nullptr) return;
  su_root_threading(root_, 0);
  const SipConfig& config = owner_.config();
  const std::string url = fmt::format("sip:{}:{}{}", in_url(config.bind_address), config.port,
                                      config.tcp ? "" : ";transport=udp");
  const auto timer_b = static_cast<unsigned>(config.invite_timeout.count());
  // Incoming calls are off for the agent and on for the handles of our own dialogs (re-INVITE).
  nua_ = nua_create(
      root_, &SofiaStack::on_nua, this, NUTAG_URL(url.c_str()),
      NUTAG_USER_AGENT(config.user_agent.c_str()), NUTAG_MEDIA_ENABLE(0), NUTAG_AUTOACK(1),
      NUTAG_AUTOANSWER(0), NUTAG_AUTOALERT(0), NUTAG_AUTO302(0), NUTAG_ENABLEINVITE(0),
      NUTAG_ENABLEMESSAGE(0), NUTAG_DETECT_NETWORK_UPDATES(NUA_NW_DETECT_NOTHING),
      NUTAG_SESSION_TIMER(config.session_expires_s), NUTAG_MIN_SE(config.session_min_s),
      SIPTAG_ALLOW_STR(kAllow), NUTAG_APPL_METHOD("INVITE, UPDATE"),
      SIPTAG_SUPPORTED_STR("timer, 100rel"), NTATAG_SIP_T1X64(timer_b), NTATAG_MAXSIZE(65'536),
      TPTAG_LOG(owner_.hook_ ? 1 : 0), TAG_END());
  if (nua_ == nullptr) return;
  su_wait_create(wait_, owner_.wake_fd_, SU_WAIT_IN);
  wait_id_ = su_root_register(root_, wait_, &SofiaStack::on_wake, this, su_pri_normal);
  timer_ = su_timer_create(su_root_task(root_), kTickMs);
  su_timer_set_for_ever(timer_, &SofiaStack::on_tick, this);
}

SofiaStack::~SofiaStack() {
  if (timer_ != nullptr) su_timer_destroy(timer_);
  for (SofiaOrphan& orphan : orphans_) {
    if (orphan.request != nullptr) nta_outgoing_destroy(orphan.request);
    if (orphan.leg != nullptr) nta_leg_destroy(orphan.leg);
  }
  if (orphan_agent_ != nullptr) nta_agent_destroy(orphan_agent_);
  // Sofia aborts when it is destroyed before it has shut down: then it is left to the system.
  if (nua_ != nullptr && !shut_down_) return;
  if (nua_ != nullptr) nua_destroy(nua_);
  if (root_ != nullptr && timer_ != nullptr) su_root_deregister(root_, wait_id_);
  if (root_ != nullptr) su_root_destroy(root_);
}

void SofiaStack::run() { su_root_run(root_); }

int SofiaStack::on_wake(SofiaStack*, su_wait_t*, SofiaStack* self) {
  eventfd_t ignored = 0;
  eventfd_read(self->owner_.wake_fd_, &ignored);
  self->do_commands();
  return 0;
}

void SofiaStack::do_commands() {
  for (Command& command : owner_.take_commands())
    std::visit([this](auto& one) { do_command(one); }, command);
}

void SofiaStack::on_tick(SofiaStack*, su_timer_t*, SofiaStack* self) { self->tick(); }

void SofiaStack::tick() {
  const SteadyTime now = owner_.clock_.now();
  for (auto& [id, call] : calls_) tick_call(*call, now);
  if (!stopping_ && owner_.stop_asked()) {
    do_commands();  // accepted before the stop, and this tick may come before their wake-up
    stopping_ = true;
    stop_until_ = now + owner_.config().drain_limit;
  }
  if (stopping_) step_stop(now);
}

void SofiaStack::tick_call(Call& call, SteadyTime now) {
  if (call.reported) return;
  if (call.ending) {
    if (now >= call.give_up) report_given_up(call);
  } else if (!call.answered) {
    if (now - call.dialled < call.request.ring_timeout) return;
    call.timed_out = true;
    end(call, {102, "ring timeout"});
  } else if (call.reoffer == Call::Reoffer::kWaiting && now >= call.retry_at) {
    send_reoffer(call);
  }
}

void SofiaStack::step_stop(SteadyTime now) {
  if (shutting_down_) {
    if (now < stop_until_) return;
    owner_.log_.warn("SIP stack did not shut down in time; its memory is left to the system");
    return su_root_break(root_);
  }
  std::size_t sent = 0;
  for (auto& [id, call] : calls_) {
    if (call->ending || sent == kByesPerTick) continue;
    end(*call, {16, "shutting down"});
    ++sent;
  }
  if ((!calls_.empty() || !orphans_.empty()) && now < stop_until_) return;
  while (!calls_.empty()) {  // nobody answered our BYE in time
    Call& call = *calls_.begin()->second;
    report_given_up(call);
    forget(call);
  }
  shutting_down_ = true;
  stop_until_ = now + kShutdownLimit;
  nua_shutdown(nua_);
}

void SofiaStack::do_command(Dial& command) {
  DialRequest& request = command.request;
  if (calls_.contains(request.call)) {
    --owner_.live_;
    owner_.log_.error("a call was dialled twice; the second is dropped",
                      {{"yyc3.call.id", request.call}});
    return;
  }
  auto owned = std::make_unique<Call>();
  Call& call = *owned;
  call.request = std::move(request);
  call.dialled = owner_.clock_.now();
  call.origin.session_id = next_session_++;
  const Addresses where = addresses_of(call.request, owner_.config());
  const std::string offer = make_offer(call.request.media, call.origin);
  std::string headers;
  for (const auto& [name, value] : call.request.headers)
    headers += fmt::format("{}: {}\r\n", name, value);
  call.handle = nua_handle(nua_, &call, NUTAG_ENABLEINVITE(1), SIPTAG_TO_STR(where.to.c_str()),
                           SIPTAG_FROM_STR(where.from.c_str()), TAG_END());
  calls_.emplace(call.request.call, std::move(owned));
  if (call.handle == nullptr) {
    report_failure(call, 0, "address not usable", nullptr);
    return forget(call);
  }
  nua_invite(call.handle, NUTAG_URL(where.request_uri.c_str()),
             TAG_IF(!where.route.empty(), NUTAG_INITIAL_ROUTE_STR(where.route.c_str())),
             SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(offer.c_str()),
             TAG_IF(!headers.empty(), SIPTAG_HEADER_STR(headers.c_str())), TAG_END());
}

void SofiaStack::do_command(HangUp& command) {
  const auto at = calls_.find(command.call);
  if (at != calls_.end()) end(*at->second, command.reason);
}

void SofiaStack::end(Call& call, const HangUpReason& reason) {
  if (std::exchange(call.ending, true)) return;
  call.reason = reason;
  if (call.answered) return send_bye(call);
  call.give_up = owner_.clock_.now() + kPatience;
  nua_cancel(call.handle, SIPTAG_REASON_STR(reason_header(reason).c_str()), TAG_END());
}

void SofiaStack::send_bye(Call& call) {
  call.ending = true;
  call.authenticated = false;
  call.give_up = owner_.clock_.now() + kPatience;
  nua_bye(call.handle, SIPTAG_REASON_STR(reason_header(call.reason).c_str()), TAG_END());
}

void SofiaStack::do_command(Reoffer& command) {
  const auto at = calls_.find(command.call);
  if (at == calls_.end() || !at->second->answered || at->second->ending) return;
  Call& call = *at->second;
  if (call.reoffer != Call::Reoffer::kNone) return emit(call, HoldFailed{491});
  call.wanted = command.hold ? Direction::kSendOnly : Direction::kSendRecv;
  call.retried = false;
  send_reoffer(call);
}

void SofiaStack::send_reoffer(Call& call) {
  call.reoffer = Call::Reoffer::kSent;
  call.authenticated = false;
  ++call.origin.version;
  const std::string offer = make_offer(call.request.media, call.origin, call.wanted);
  nua_invite(call.handle, SIPTAG_CONTENT_TYPE_STR("application/sdp"),
             SIPTAG_PAYLOAD_STR(offer.c_str()), TAG_END());
}

void SofiaStack::do_command(Orphan& command) {
  if (orphan_agent_ == nullptr) {
    const std::string url = fmt::format("sip:{}:*", in_url(owner_.config().bind_address));
    orphan_agent_ = nta_agent_create(root_, URL_STRING_MAKE(url.c_str()), nullptr, nullptr,
                                     NTATAG_UA(1), TPTAG_LOG(owner_.hook_ ? 1 : 0), TAG_END());
  }
  SofiaOrphan& orphan = orphans_.emplace_back();
  orphan.stack = this;
  orphan.call = command.call;
  orphan.dialog = std::move(command.dialog);
  orphan.trunk = std::move(command.trunk);
  orphan.dialog.cseq += kOrphanCseqStep;
  std::string& target = orphan.dialog.remote_target;
  if (orphan.dialog.transport == Transport::kTcp && target.find("transport=") == std::string::npos)
    target += ";transport=tcp";
  if (orphan_agent_ != nullptr)
    orphan.leg = nta_leg_tcreate(orphan_agent_, nullptr, nullptr,
                                 SIPTAG_CALL_ID_STR(orphan.dialog.call_id.c_str()),
                                 SIPTAG_FROM_STR(orphan.dialog.local_uri.c_str()),
                                 SIPTAG_TO_STR(orphan.dialog.remote_uri.c_str()), TAG_END());
  send_orphan(orphan, nullptr);
  if (orphan.request == nullptr) on_orphan(&orphan, nullptr, nullptr);
}

void SofiaStack::send_orphan(SofiaOrphan& orphan, sip_header_t const* credentials) {
  if (orphan.request != nullptr) nta_outgoing_destroy(std::exchange(orphan.request, nullptr));
  if (orphan.leg == nullptr) return;
  const DialogState& dialog = orphan.dialog;
  const std::string cseq = fmt::format("{} BYE", dialog.cseq);
  std::string routes;
  for (const auto& route : dialog.route_set) routes += (routes.empty() ? "" : ", ") + route;
  orphan.request = nta_outgoing_tcreate(
      orphan.leg, &SofiaStack::on_orphan, &orphan, nullptr, SIP_METHOD_BYE,
      URL_STRING_MAKE(dialog.remote_target.c_str()), SIPTAG_CSEQ_STR(cseq.c_str()),
      SIPTAG_REASON_STR("Q.850;cause=41;text=\"restart\""),
      TAG_IF(!routes.empty(), SIPTAG_ROUTE_STR(routes.c_str())),
      TAG_IF(credentials != nullptr, SIPTAG_HEADER(credentials)), TAG_END());
}

/// The trunk asks for a password in mid-call (RFC 3261 §22): the BYE goes again, once, with it.
bool SofiaStack::authenticate_orphan(SofiaOrphan& orphan, int status, sip_t const* sip) {
  if (!orphan.trunk || sip == nullptr || std::exchange(orphan.authenticated, true)) return false;
  const bool proxy = status == 407;
  const auto* challenge = proxy ? sip->sip_proxy_authenticate : sip->sip_www_authenticate;
  const std::string answer = credentials_for(challenge, *orphan.trunk);
  if (answer.empty()) return false;
  su_home_t home[1] = {SU_HOME_INIT(home)};
  auth_client_t* client = nullptr;
  msg_header_t* header = nullptr;
  const url_t* target = url_make(home, orphan.dialog.remote_target.c_str());
  const bool good =
      target != nullptr &&
      auc_challenge(&client, home, challenge,
                    proxy ? sip_proxy_authorization_class : sip_authorization_class) > 0 &&
      auc_credentials(&client, home, answer.c_str()) > 0 &&
      auc_authorization_headers(&client, home, "BYE", target, nullptr, &header) > 0 &&
      header != nullptr;
  if (good) {
    ++orphan.dialog.cseq;
    send_orphan(orphan, reinterpret_cast<sip_header_t const*>(header));
  }
  su_home_deinit(home);
  return good && orphan.request != nullptr;
}

int SofiaStack::on_orphan(SofiaOrphan* orphan, nta_outgoing_t* request, sip_t const* sip) {
  const int status = request == nullptr ? 0 : nta_outgoing_status(request);
  if (request != nullptr && status < 200) return 0;
  SofiaStack& self = *orphan->stack;
  const std::string text =
      sip != nullptr && sip->sip_status != nullptr ? text_of(sip->sip_status->st_phrase) : "";
  if ((status == 401 || status == 407) && self.authenticate_orphan(*orphan, status, sip)) return 0;
  OrphanEnded ended{(status >= 200 && status < 300) || status == 481, status, text};
  self.owner_.sink_(SipEvent{orphan->call, self.owner_.clock_.now(), std::move(ended)});
  if (orphan->request != nullptr) nta_outgoing_destroy(orphan->request);
  if (orphan->leg != nullptr) nta_leg_destroy(orphan->leg);
  self.orphans_.remove_if([orphan](const SofiaOrphan& one) { return &one == orphan; });
  return 0;
}

/// The call is known to nobody any more; Sofia finishes with its handle by itself.
void SofiaStack::forget(Call& call) {
  const auto at = calls_.find(call.request.call);
  if (at == calls_.end()) return;
  const std::unique_ptr<Call> owned = std::move(at->second);
  calls_.erase(at);
  if (owned->handle == nullptr) return;
  nua_handle_bind(owned->handle, nullptr);
  nua_handle_destroy(owned->handle);
}

}  // namespace yyc3::sip
