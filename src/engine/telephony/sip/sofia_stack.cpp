#include "engine/telephony/sip/sofia_stack.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/tport_tag.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "engine/telephony/sip/sofia_text.hpp"
#include "platform/telemetry/log.hpp"

namespace yyc3::sip {

namespace {
constexpr su_duration_t kTickMs = 10;
constexpr std::size_t kByesPerTick = 50;
constexpr std::uint32_t kOrphanCseqStep = 64;  // beyond any refresh the dead process may have sent
constexpr const char* kAllow = "INVITE, ACK, CANCEL, BYE, UPDATE, PRACK, OPTIONS";
}  // namespace

SofiaStack::SofiaStack(AgentLoop& owner) : owner_(owner) {
  su_init();
  root_ = su_root_create(this);
  if (root_ == nullptr) return;
  su_root_threading(root_, 0);
  const SipConfig& config = owner_.config();
  const bool six = config.bind_address.find(':') != std::string::npos;
  const std::string url =
      fmt::format("sip:{}{}{}:{}{}", six ? "[" : "", config.bind_address, six ? "]" : "",
                  config.port, config.tcp ? "" : ";transport=udp");
  const auto timer_b = static_cast<unsigned>(config.invite_timeout.count());
  nua_ = nua_create(root_, &SofiaStack::on_nua, this, NUTAG_URL(url.c_str()),
                    NUTAG_USER_AGENT(config.user_agent.c_str()), NUTAG_MEDIA_ENABLE(0),
                    NUTAG_AUTOACK(1), NUTAG_AUTOANSWER(0), NUTAG_AUTOALERT(0),
                    NUTAG_SESSION_TIMER(config.session_expires_s), NUTAG_MIN_SE(90),
                    NUTAG_ALLOW(kAllow), NUTAG_APPL_METHOD("UPDATE"),
                    SIPTAG_SUPPORTED_STR("timer, 100rel"), NTATAG_SIP_T1X64(timer_b), TAG_END());
  if (nua_ == nullptr) return;
  su_wait_create(wait_, owner_.wake_fd_, SU_WAIT_IN);
  wait_id_ = su_root_register(root_, wait_, &SofiaStack::on_wake, this, su_pri_normal);
  timer_ = su_timer_create(su_root_task(root_), kTickMs);
  su_timer_run(timer_, &SofiaStack::on_tick, this);
}

SofiaStack::~SofiaStack() {
  if (timer_ != nullptr) su_timer_destroy(timer_);
  for (SofiaOrphan& orphan : orphans_) {
    if (orphan.request != nullptr) nta_outgoing_destroy(orphan.request);
    if (orphan.leg != nullptr) nta_leg_destroy(orphan.leg);
  }
  if (orphan_agent_ != nullptr) nta_agent_destroy(orphan_agent_);
  if (nua_ != nullptr) nua_destroy(nua_);
  if (root_ != nullptr && timer_ != nullptr) su_root_deregister(root_, wait_id_);
  if (root_ != nullptr) su_root_destroy(root_);
  su_deinit();
}

void SofiaStack::run() { su_root_run(root_); }

int SofiaStack::on_wake(SofiaStack*, su_wait_t*, SofiaStack* self) {
  eventfd_t ignored = 0;
  eventfd_read(self->owner_.wake_fd_, &ignored);
  for (Command& command : self->owner_.take_commands())
    std::visit([self](auto& one) { self->do_command(one); }, command);
  return 0;
}

void SofiaStack::on_tick(SofiaStack*, su_timer_t*, SofiaStack* self) { self->tick(); }

void SofiaStack::tick() {
  const SteadyTime now = owner_.clock_.now();
  for (auto& [id, call] : calls_) {
    if (call->answered || call->cancelling || now - call->dialled < call->request.ring_timeout)
      continue;
    call->timed_out = true;
    end(*call, {102, "ring timeout"});
  }
  bool asked = false;
  {
    const std::lock_guard hold(owner_.lock_);
    asked = owner_.phase_ == AgentLoop::Phase::kStopping;
  }
  if (asked && !stopping_) begin_stop();
  if (stopping_) finish_stop_if_idle();
}

void SofiaStack::begin_stop() {
  stopping_ = true;
  stop_until_ = owner_.clock_.now() + owner_.config().drain_limit;
}

void SofiaStack::finish_stop_if_idle() {
  if (shut_down_) return;
  std::size_t sent = 0;
  for (auto& [id, call] : calls_) {
    if (call->cancelling || sent == kByesPerTick) continue;
    end(*call, {16, "shutting down"});
    ++sent;
  }
  const bool late = owner_.clock_.now() >= stop_until_;
  if ((!calls_.empty() || !orphans_.empty()) && !late) return;
  while (!calls_.empty()) {  // nobody answered our BYE in time
    Call& call = *calls_.begin()->second;
    report_end(call, Who::kUs, call.answered ? Outcome::kCompleted : Outcome::kCancelled, nullptr);
  }
  shut_down_ = true;
  nua_shutdown(nua_);
}

void SofiaStack::emit(const Call& call, SipEvent::What what) {
  owner_.sink_(SipEvent{call.request.call, owner_.clock_.now(), std::move(what)});
}

void SofiaStack::do_command(Dial& command) {
  DialRequest& request = command.request;
  if (calls_.contains(request.call)) {
    --owner_.live_;
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
  call.handle = nua_handle(nua_, &call, SIPTAG_TO_STR(where.to.c_str()),
                           SIPTAG_FROM_STR(where.from.c_str()), TAG_END());
  calls_.emplace(call.request.call, std::move(owned));
  if (call.handle == nullptr) return report_failure(call, 0, "address not usable", nullptr);
  nua_invite(call.handle, NUTAG_URL(where.request_uri.c_str()),
             SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(offer.c_str()),
             TAG_IF(!headers.empty(), SIPTAG_HEADER_STR(headers.c_str())), TAG_END());
}

void SofiaStack::do_command(HangUp& command) {
  const auto at = calls_.find(command.call);
  if (at != calls_.end()) end(*at->second, command.reason);
}

void SofiaStack::end(Call& call, const HangUpReason& reason) {
  if (std::exchange(call.cancelling, true)) return;
  call.reason = reason;
  const std::string header = reason_header(reason);
  if (call.answered)
    nua_bye(call.handle, SIPTAG_REASON_STR(header.c_str()), TAG_END());
  else
    nua_cancel(call.handle, SIPTAG_REASON_STR(header.c_str()), TAG_END());
}

void SofiaStack::do_command(Reoffer& command) {
  const auto at = calls_.find(command.call);
  if (at == calls_.end() || !at->second->answered || at->second->cancelling) return;
  Call& call = *at->second;
  if (call.reoffering) return emit(call, HoldFailed{491});
  call.reoffering = true;
  ++call.origin.version;
  const std::string offer = make_offer(call.request.media, call.origin,
                                       command.hold ? Direction::kSendOnly : Direction::kSendRecv);
  nua_invite(call.handle, SIPTAG_CONTENT_TYPE_STR("application/sdp"),
             SIPTAG_PAYLOAD_STR(offer.c_str()), TAG_END());
}

void SofiaStack::do_command(Orphan& command) {
  const DialogState& dialog = command.dialog;
  const bool tcp = dialog.transport == Transport::kTcp;
  if (orphan_agent_ == nullptr) {
    const std::string url = fmt::format("sip:{}:*", owner_.config().bind_address);
    orphan_agent_ = nta_agent_create(root_, URL_STRING_MAKE(url.c_str()), nullptr, nullptr,
                                     NTATAG_UA(1), TAG_END());
  }
  orphans_.push_back({this, command.call, nullptr, nullptr});
  SofiaOrphan& orphan = orphans_.back();
  std::string target = dialog.remote_target;
  if (tcp && target.find("transport=") == std::string::npos) target += ";transport=tcp";
  const std::string cseq = fmt::format("{} BYE", dialog.cseq + kOrphanCseqStep);
  std::string routes;
  for (const auto& route : dialog.route_set) routes += (routes.empty() ? "" : ", ") + route;
  if (orphan_agent_ != nullptr)
    orphan.leg =
        nta_leg_tcreate(orphan_agent_, nullptr, nullptr, SIPTAG_CALL_ID_STR(dialog.call_id.c_str()),
                        SIPTAG_FROM_STR(dialog.local_uri.c_str()),
                        SIPTAG_TO_STR(dialog.remote_uri.c_str()), TAG_END());
  if (orphan.leg != nullptr)
    orphan.request =
        nta_outgoing_tcreate(orphan.leg, &SofiaStack::on_orphan, &orphan, nullptr, SIP_METHOD_BYE,
                             URL_STRING_MAKE(target.c_str()), SIPTAG_CSEQ_STR(cseq.c_str()),
                             SIPTAG_REASON_STR("Q.850;cause=41;text=\"restart\""),
                             TAG_IF(!routes.empty(), SIPTAG_ROUTE_STR(routes.c_str())), TAG_END());
  if (orphan.request == nullptr) on_orphan(&orphan, nullptr, nullptr);
}

int SofiaStack::on_orphan(SofiaOrphan* orphan, nta_outgoing_t* request, sip_t const* sip) {
  const int status = request == nullptr ? 0 : nta_outgoing_status(request);
  if (request != nullptr && status < 200) return 0;
  SofiaStack& self = *orphan->stack;
  const std::string text =
      sip != nullptr && sip->sip_status != nullptr ? text_of(sip->sip_status->st_phrase) : "";
  OrphanEnded ended{status == 200 || status == 481, status, text};
  self.owner_.sink_(SipEvent{orphan->call, self.owner_.clock_.now(), std::move(ended)});
  if (orphan->request != nullptr) nta_outgoing_destroy(orphan->request);
  if (orphan->leg != nullptr) nta_leg_destroy(orphan->leg);
  self.orphans_.remove_if([orphan](const SofiaOrphan& one) { return &one == orphan; });
  return 0;
}

void SofiaStack::on_nua(nua_event_t event, int status, char const* phrase, nua_t*, SofiaStack* self,
                        nua_handle_t* handle, SofiaCall* call, sip_t const* sip, tagi_t[]) {
  if (event == nua_r_shutdown) {
    if (status >= 200) su_root_break(self->root_);
    return;
  }
  if (call != nullptr) return self->handle(event, status, phrase, *call, sip);
  if (event == nua_i_invite) {
    nua_respond(handle, SIP_403_FORBIDDEN, TAG_END());  // we only call out
    nua_handle_destroy(handle);
  }
}

void SofiaStack::handle(nua_event_t event, int status, char const* phrase, Call& call,
                        sip_t const* sip) {
  switch (event) {
    case nua_r_invite:
      return on_invite_response(status, phrase, call, sip);
    case nua_i_invite:
      return on_reinvite(call, sip, false);
    case nua_i_update:
      return on_reinvite(call, sip, true);
    case nua_i_bye:
      return report_end(call, Who::kPeer, Outcome::kCompleted, sip);
    case nua_r_bye:
      if (status == 401 || status == 407) {
        static_cast<void>(authenticate(status, call, sip));
        return;
      }
      if (status >= 200) report_end(call, Who::kUs, Outcome::kCompleted, sip);
      return;
    case nua_i_error:
      if (call.answered) report_end(call, Who::kNetwork, Outcome::kLost, sip);
      return;
    case nua_i_terminated:
      if (call.answered) return report_end(call, Who::kNetwork, Outcome::kLost, sip);
      return report_failure(call, status, phrase, sip);
    default:
      return;
  }
}

void SofiaStack::on_invite_response(int status, char const* phrase, Call& call, sip_t const* sip) {
  if (call.answered) return on_reoffer_answer(status, call, sip);
  if (!call.first_response)
    call.first_response =
        std::chrono::duration_cast<Milliseconds>(owner_.clock_.now() - call.dialled);
  if (status < 200) return on_provisional(status, call, sip);
  if (status < 300) return on_answer(call, sip);
  if ((status == 401 || status == 407) && authenticate(status, call, sip)) return;
  report_failure(call, status, phrase, sip);
}

bool SofiaStack::authenticate(int status, Call& call, sip_t const* sip) {
  if (call.authenticated || sip == nullptr || !call.request.trunk) return false;
  const auto* challenge = status == 401 ? sip->sip_www_authenticate : sip->sip_proxy_authenticate;
  const std::string answer = credentials_for(challenge, *call.request.trunk);
  if (answer.empty()) return false;
  call.authenticated = true;
  nua_authenticate(call.handle, NUTAG_AUTH(answer.c_str()), TAG_END());
  return true;
}

void SofiaStack::on_provisional(int status, Call& call, sip_t const* sip) {
  if (call.cancelling) return;
  if (status == 100) return emit(call, Trying{});
  const std::string body = body_of(sip);
  if (!body.empty()) {
    const auto early = parse_answer(body, call.request.media);
    if (early) return emit(call, Progress{*early});
  }
  if (status == 180) emit(call, Ringing{});
}

void SofiaStack::on_answer(Call& call, sip_t const* sip) {
  call.answered = true;
  if (call.cancelling) {  // the 200 crossed our CANCEL
    nua_bye(call.handle, SIPTAG_REASON_STR(reason_header(call.reason).c_str()), TAG_END());
    return;
  }
  const auto media = parse_answer(body_of(sip), call.request.media);
  call.dialog = dialog_of(sip, call.request.trunk);
  if (!media || !call.dialog) {
    call.cancelling = true;
    call.forced = Outcome::kNoCommonCodec;
    nua_bye(call.handle, SIPTAG_REASON_STR("Q.850;cause=65;text=\"no common codec\""), TAG_END());
    return;
  }
  call.codec = media->codec;
  const auto setup = std::chrono::duration_cast<Milliseconds>(owner_.clock_.now() - call.dialled);
  emit(call, Answered{*media, *call.dialog, setup, call.first_response.value_or(setup)});
}

void SofiaStack::on_reoffer_answer(int status, Call& call, sip_t const* sip) {
  if (status < 200 || !call.reoffering) return;
  if ((status == 401 || status == 407) && authenticate(status, call, sip)) return;
  call.reoffering = false;
  const auto media = status < 300 ? parse_answer(body_of(sip), call.request.media)
                                  : Result<RemoteMedia>(fail(ErrorCode::kInvalid, ""));
  if (!media) return emit(call, HoldFailed{status});
  emit(call, MediaChanged{*media, false});
  if (const auto dialog = dialog_of(sip, call.request.trunk)) emit(call, DialogChanged{*dialog});
}

void SofiaStack::on_reinvite(Call& call, sip_t const* sip, bool update) {
  const std::string body = body_of(sip);
  if (body.empty() && update) {  // a session refresh
    nua_respond(call.handle, SIP_200_OK, NUTAG_WITH_THIS(nua_), TAG_END());
    return;
  }
  ++call.origin.version;
  if (body.empty()) {  // an INVITE without offer: ours is in the 200
    const std::string offer = make_offer(call.request.media, call.origin);
    nua_respond(call.handle, SIP_200_OK, SIPTAG_CONTENT_TYPE_STR("application/sdp"),
                SIPTAG_PAYLOAD_STR(offer.c_str()), TAG_END());
    return;
  }
  const auto answered = answer_offer(body, call.request.media, call.origin, call.codec);
  if (!answered) {
    const bool codec = answered.error().code == ErrorCode::kConflict;
    if (codec)
      nua_respond(call.handle, SIP_488_NOT_ACCEPTABLE, NUTAG_WITH_THIS(nua_), TAG_END());
    else
      nua_respond(call.handle, SIP_400_BAD_REQUEST, NUTAG_WITH_THIS(nua_), TAG_END());
    return;
  }
  call.codec = answered->remote.codec;
  nua_respond(call.handle, SIP_200_OK, NUTAG_WITH_THIS(nua_),
              SIPTAG_CONTENT_TYPE_STR("application/sdp"),
              SIPTAG_PAYLOAD_STR(answered->answer.c_str()), TAG_END());
  emit(call, MediaChanged{answered->remote, true});
}

void SofiaStack::report_failure(Call& call, int status, char const* phrase, sip_t const* sip) {
  if (std::exchange(call.reported, true)) return;
  Failed failed;
  failed.sip_status = status;
  failed.q850 = q850_of(sip);
  failed.retry_after = retry_after_of(sip);
  failed.text = text_of(phrase);
  Disposition disposition;
  disposition.sip_status = status;
  disposition.q850 = failed.q850;
  disposition.from_network = sip != nullptr;
  disposition.retry_after = failed.retry_after.has_value();
  failed.outcome = outcome_of(disposition);
  if (call.timed_out) {
    failed.outcome = Outcome::kNoAnswer;
    failed.sip_status = 487;
  } else if (call.cancelling) {
    failed.outcome = Outcome::kCancelled;
    failed.sip_status = 487;
  }
  emit(call, std::move(failed));
  forget(call);
}

void SofiaStack::report_end(Call& call, Who who, Outcome outcome, sip_t const* sip) {
  if (std::exchange(call.reported, true)) return;
  const bool never = !call.answered || call.forced || call.timed_out;
  if (never || (call.cancelling && !call.dialog)) {
    Failed failed;
    failed.outcome = call.forced      ? *call.forced
                     : call.timed_out ? Outcome::kNoAnswer
                                      : Outcome::kCancelled;
    failed.sip_status = call.forced ? 488 : 487;
    failed.text = call.forced ? "no common codec" : call.reason.text;
    emit(call, std::move(failed));
  } else {
    emit(call, Ended{who, outcome, q850_of(sip),
                     who == Who::kUs ? call.reason.text : reason_text_of(sip)});
  }
  forget(call);
}

/// The call is known to nobody any more; Sofia finishes with its handle by itself.
void SofiaStack::forget(Call& call) {
  const auto at = calls_.find(call.request.call);
  if (at == calls_.end()) return;
  const std::unique_ptr<Call> owned = std::move(at->second);
  calls_.erase(at);
  --owner_.live_;
  if (owned->handle == nullptr) return;
  nua_handle_bind(owned->handle, nullptr);
  nua_handle_destroy(owned->handle);
}

}  // namespace yyc3::sip
