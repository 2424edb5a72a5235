#include <chrono>
#include <sofia-sip/nua_tag.h>
#include <utility>

#include "engine/telephony/sip/sofia_stack.hpp"
#include "engine/telephony/sip/sofia_text.hpp"

/// What the peers and Sofia's timers say, turned into SipEvents.
namespace yyc3::sip {

namespace {

/// An event that opened a handle of its own, which is ours to destroy.
bool is_request(nua_event_t event) {
  switch (event) {
    case nua_i_invite:
    case nua_i_cancel:
    case nua_i_options:
    case nua_i_message:
    case nua_i_info:
    case nua_i_refer:
    case nua_i_register:
    case nua_i_subscribe:
    case nua_i_notify:
    case nua_i_publish:
    case nua_i_method:
      return true;
    default:
      return false;
  }
}

/// A status that the peer sent; those Sofia makes up have no message, or another one's.
bool is_from_peer(int status, sip_t const* sip) {
  return sip != nullptr && sip->sip_status != nullptr && sip->sip_status->st_status == status &&
         nta_sip_is_internal(sip) == 0;
}

/// Sofia shows a refusal that names Retry-After as "100" and dials again by itself when that time
/// has come. When to dial again is the product's decision, not the stack's.
bool is_silent_redial(int status, sip_t const* sip) {
  return status == 100 && sip != nullptr && sip->sip_status != nullptr &&
         sip->sip_status->st_status >= 500 && nta_sip_is_internal(sip) == 0;
}

}  // namespace

void SofiaStack::on_nua(nua_event_t event, int status, char const* phrase, nua_t* nua,
                        SofiaStack* self, nua_handle_t* handle, SofiaCall* call, sip_t const* sip,
                        tagi_t[]) {
  if (event == nua_r_shutdown) {
    if (status < 200) return;
    self->shut_down_ = true;
    return su_root_break(self->root_);
  }
  if (call != nullptr) return self->handle(event, status, phrase, *call, sip);
  if (handle == nullptr || handle == nua_default(nua) || !is_request(event)) return;
  if (event == nua_i_invite && status < 200)
    nua_respond(handle, SIP_403_FORBIDDEN, TAG_END());  // we only call out
  nua_handle_destroy(handle);
}

void SofiaStack::handle(nua_event_t event, int status, char const* phrase, Call& call,
                        sip_t const* sip) {
  switch (event) {
    case nua_r_invite:
      return on_invite_response(status, phrase, call, sip);
    case nua_i_invite:
      return status < 200 ? on_reinvite(call, sip, false) : void();
    case nua_i_update:
      return status < 200 ? on_reinvite(call, sip, true) : void();
    case nua_i_ack:
      return on_ack(call, sip);
    case nua_r_update:
      return status >= 200 && status < 300 ? update_dialog(call, sip) : void();
    case nua_i_bye:
      report_end(call, call.ending ? Who::kUs : Who::kPeer, Outcome::kCompleted, sip);
      return forget(call);
    case nua_r_bye:
      if ((status == 401 || status == 407) && authenticate(status, call, sip)) return;
      if (status < 200) return;
      // A BYE we did not ask for: the session timer ran out, or an answer was never acknowledged.
      if (call.ending)
        report_end(call, Who::kUs, Outcome::kCompleted, sip);
      else
        report_end(call, Who::kNetwork, Outcome::kLost, nullptr);
      return forget(call);
    case nua_i_terminated:
      return on_terminated(status, phrase, call, sip);
    default:
      return;
  }
}

void SofiaStack::on_terminated(int status, char const* phrase, Call& call, sip_t const* sip) {
  if (call.answered)
    report_end(call, call.ending ? Who::kUs : Who::kNetwork,
               call.ending ? Outcome::kCompleted : Outcome::kLost, sip);
  else
    report_failure(call, status, phrase, sip);
  forget(call);
}

void SofiaStack::on_invite_response(int status, char const* phrase, Call& call, sip_t const* sip) {
  if (call.answered) return on_reoffer_answer(status, call, sip);
  if (!call.first_response && sip != nullptr && nta_sip_is_internal(sip) == 0)
    call.first_response =
        std::chrono::duration_cast<Milliseconds>(owner_.clock_.now() - call.dialled);
  if (is_silent_redial(status, sip)) {
    status = sip->sip_status->st_status;
    phrase = sip->sip_status->st_phrase;
  }
  if (status < 200) return on_provisional(status, call, sip);
  if (status < 300) return on_answer(call, sip);
  if ((status == 401 || status == 407) && authenticate(status, call, sip)) return;
  report_failure(call, status, phrase, sip);
  forget(call);
}

bool SofiaStack::authenticate(int status, Call& call, sip_t const* sip) {
  if (call.authenticated || sip == nullptr || !call.request.trunk) return false;
  if (call.ending && !call.answered) return false;  // cancelled: do not dial again
  const auto* challenge = status == 401 ? sip->sip_www_authenticate : sip->sip_proxy_authenticate;
  const std::string answer = credentials_for(challenge, *call.request.trunk);
  if (answer.empty()) return false;
  call.authenticated = true;
  nua_authenticate(call.handle, NUTAG_AUTH(answer.c_str()), TAG_END());
  return true;
}

void SofiaStack::on_provisional(int status, Call& call, sip_t const* sip) {
  if (call.ending || !is_from_peer(status, sip)) return;
  if (status == 100) return emit(call, Trying{});
  call.rang = true;
  const std::string body = body_of(sip);
  if (!body.empty()) {
    const auto early = parse_answer(body, call.request.media);
    if (early) return emit(call, Progress{*early});
  }
  if (status == 180) emit(call, Ringing{});
}

void SofiaStack::on_answer(Call& call, sip_t const* sip) {
  call.answered = true;
  call.rang = true;
  if (call.ending) return send_bye(call);  // the 200 crossed our CANCEL
  const auto media = parse_answer(body_of(sip), call.request.media);
  call.dialog = dialog_of(sip, call.request.trunk);
  if (!media || !call.dialog) {
    call.forced = Outcome::kNoCommonCodec;
    call.reason = {65, "no common codec"};
    return send_bye(call);
  }
  // A peer without UPDATE is refreshed by re-INVITE (RFC 4028 §7.4).
  const bool update =
      sip->sip_allow != nullptr && sip_is_allowed(sip->sip_allow, SIP_METHOD_UPDATE);
  nua_set_hparams(call.handle, NUTAG_UPDATE_REFRESH(update), TAG_END());
  call.codec = media->codec;
  const auto setup = std::chrono::duration_cast<Milliseconds>(owner_.clock_.now() - call.dialled);
  emit(call, Answered{*media, *call.dialog, setup, call.first_response.value_or(setup)});
}

void SofiaStack::on_reoffer_answer(int status, Call& call, sip_t const* sip) {
  if (status < 200) return;
  if ((status == 401 || status == 407) && authenticate(status, call, sip)) return;
  if (status < 300) update_dialog(call, sip);
  if (call.reoffer != Call::Reoffer::kSent) return;  // Sofia's own session refresh
  if (status == 491 && !std::exchange(call.retried, true) && !call.ending) {
    // We made the Call-ID: 2.1 to 4 s in steps of 10 ms (RFC 3261 §14.1).
    std::uniform_int_distribution<int> wait(210, 400);
    call.retry_at = owner_.clock_.now() + Milliseconds{10 * wait(jitter_)};
    call.reoffer = Call::Reoffer::kWaiting;
    return;
  }
  call.reoffer = Call::Reoffer::kNone;
  if (call.ending) return;
  if (status >= 300) return emit(call, HoldFailed{status});
  const auto media = parse_answer(body_of(sip), call.request.media);
  if (!media) return emit(call, HoldFailed{488});
  emit(call, MediaChanged{*media, false});
}

void SofiaStack::on_reinvite(Call& call, sip_t const* sip, bool update) {
  const std::string body = body_of(sip);
  if (body.empty() && update) {  // a session refresh
    nua_respond(call.handle, SIP_200_OK, NUTAG_WITH_THIS(nua_), TAG_END());
    return update_dialog(call, sip);
  }
  if (body.empty()) {  // an INVITE without offer: ours is in the 200
    ++call.origin.version;
    call.late_offer = true;
    const std::string offer = make_offer(call.request.media, call.origin);
    nua_respond(call.handle, SIP_200_OK, NUTAG_WITH_THIS(nua_),
                SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(offer.c_str()),
                TAG_END());
    return update_dialog(call, sip);
  }
  const SdpOrigin origin{call.origin.session_id, call.origin.version + 1};
  const auto answered = answer_offer(body, call.request.media, origin, call.codec);
  if (!answered) {
    if (answered.error().code == ErrorCode::kConflict)
      nua_respond(call.handle, SIP_488_NOT_ACCEPTABLE, NUTAG_WITH_THIS(nua_), TAG_END());
    else
      nua_respond(call.handle, SIP_400_BAD_REQUEST, NUTAG_WITH_THIS(nua_), TAG_END());
    return;
  }
  call.origin = origin;
  call.codec = answered->remote.codec;
  nua_respond(call.handle, SIP_200_OK, NUTAG_WITH_THIS(nua_),
              SIPTAG_CONTENT_TYPE_STR("application/sdp"),
              SIPTAG_PAYLOAD_STR(answered->answer.c_str()), TAG_END());
  update_dialog(call, sip);
  if (!call.ending) emit(call, MediaChanged{answered->remote, true});
}

/// The ACK of an INVITE that had no offer carries the answer to ours (RFC 3261 §13.2.1).
void SofiaStack::on_ack(Call& call, sip_t const* sip) {
  if (!std::exchange(call.late_offer, false) || call.ending) return;
  const auto media = parse_answer(body_of(sip), call.request.media);
  if (!media) {
    call.reason = {65, "no usable answer"};
    return send_bye(call);
  }
  call.codec = media->codec;
  emit(call, MediaChanged{*media, true});
}

/// Target refresh and CSeq (RFC 3261 §12.2); the route set never changes.
void SofiaStack::update_dialog(Call& call, sip_t const* sip) {
  if (!call.dialog || sip == nullptr || call.ending) return;
  DialogState next = *call.dialog;
  if (sip->sip_contact != nullptr) next.remote_target = target_of(sip);
  if (sip->sip_status != nullptr && sip->sip_cseq != nullptr)
    next.cseq = std::max(next.cseq, sip->sip_cseq->cs_seq);
  if (next == *call.dialog) return;
  call.dialog = next;
  emit(call, DialogChanged{std::move(next)});
}

void SofiaStack::emit(const Call& call, SipEvent::What what) {
  owner_.sink_(SipEvent{call.request.call, owner_.clock_.now(), std::move(what)});
}

void SofiaStack::report_last(Call& call, SipEvent::What what) {
  if (std::exchange(call.reported, true)) return;
  --owner_.live_;
  emit(call, std::move(what));
}

void SofiaStack::report_failure(Call& call, int status, char const* phrase, sip_t const* sip) {
  if (call.ending) return report_given_up(call);
  Failed failed;
  failed.sip_status = status;
  failed.q850 = q850_of(sip);
  failed.retry_after = retry_after_of(sip);
  failed.text = text_of(phrase);
  Disposition disposition;
  disposition.sip_status = status;
  disposition.q850 = failed.q850;
  disposition.from_network = is_from_peer(status, sip);
  disposition.retry_after = failed.retry_after.has_value();
  failed.outcome = outcome_of(disposition);
  report_last(call, std::move(failed));
}

void SofiaStack::report_end(Call& call, Who who, Outcome outcome, sip_t const* sip) {
  if (!call.dialog || call.forced) return report_given_up(call);
  std::string text = who == Who::kUs ? call.reason.text : reason_text_of(sip);
  report_last(call, Ended{who, outcome, q850_of(sip), std::move(text)});
}

/// The end that we chose ourselves, whatever the peer says to it.
void SofiaStack::report_given_up(Call& call) {
  if (call.dialog && !call.forced)
    return report_last(call, Ended{Who::kUs, Outcome::kCompleted, std::nullopt, call.reason.text});
  Failed failed;
  failed.sip_status = call.forced ? 488 : 487;
  failed.text = call.reason.text;
  if (call.forced)
    failed.outcome = *call.forced;
  else if (!call.timed_out)
    failed.outcome = Outcome::kCancelled;
  else if (call.rang)
    failed.outcome = Outcome::kNoAnswer;
  else
    failed.outcome = call.first_response ? Outcome::kTimeout : Outcome::kUnreachable;
  report_last(call, std::move(failed));
}

}  // namespace yyc3::sip
