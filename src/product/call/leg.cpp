#include "product/call/leg.hpp"

#include <utility>

namespace yyc3::call {

namespace {

rtp::Direction direction_of(sip::Direction direction) {
  switch (direction) {
    case sip::Direction::kSendRecv:
      return rtp::Direction::kSendRecv;
    case sip::Direction::kSendOnly:
      return rtp::Direction::kSendOnly;
    case sip::Direction::kRecvOnly:
      return rtp::Direction::kRecvOnly;
    case sip::Direction::kInactive:
      return rtp::Direction::kInactive;
  }
  return rtp::Direction::kInactive;
}

const char* name_of(sip::Who who) {
  switch (who) {
    case sip::Who::kUs:
      return "us";
    case sip::Who::kPeer:
      return "peer";
    case sip::Who::kNetwork:
      return "network";
  }
  return "network";
}

}  // namespace

SipLeg::SipLeg(sip::SipAgent& agent, std::unique_ptr<rtp::MediaStream> media,
               sip::DialRequest request)
    : agent_(agent), media_(std::move(media)), request_(std::move(request)) {}

Result<void> SipLeg::dial(LegListener& listener) {
  listener_ = &listener;
  request_.media.rtp_port = media_->local_port();
  return agent_.dial(request_);
}

void SipLeg::hang_up(const std::string& reason) {
  sip::HangUpReason why;
  if (!reason.empty()) why.text = reason;
  // Refused only when the agent stops, which ends every call itself.
  static_cast<void>(agent_.hang_up(request_.call, std::move(why)));
}

void SipLeg::take_media(const sip::RemoteMedia& remote) {
  rtp::RemoteMedia there;
  there.ip = remote.address;
  there.port = remote.rtp_port;
  there.rtcp_port = remote.rtcp_port;
  there.payload_type = remote.payload_type;
  there.codec = remote.codec == sip::AudioCodec::kPcmu ? rtp::Codec::kPcmu : rtp::Codec::kPcma;
  there.dtmf_payload_type = remote.dtmf_payload_type;
  there.ptime_ms = remote.ptime_ms == 40 || remote.ptime_ms == 60 ? remote.ptime_ms : 20;
  there.direction = direction_of(remote.direction);
  const auto taken = media_->set_remote(there);
  if (!taken) hang_up("unusable media");
}

void SipLeg::on_sip(const sip::SipEvent& event) {
  if (std::holds_alternative<sip::Ringing>(event.what)) {
    listener_->on_ringing();
  } else if (const auto* early = std::get_if<sip::Progress>(&event.what)) {
    take_media(early->media);
    listener_->on_ringing();
  } else if (const auto* answered = std::get_if<sip::Answered>(&event.what)) {
    take_media(answered->media);
    listener_->on_answered(answered->dialog.to_json());
  } else if (const auto* changed = std::get_if<sip::MediaChanged>(&event.what)) {
    take_media(changed->media);
    const bool held = !rtp::may_send(direction_of(changed->media.direction));
    if (std::exchange(held_, held) != held) listener_->on_held(held);
  } else if (const auto* dialog = std::get_if<sip::DialogChanged>(&event.what)) {
    listener_->on_dialog_changed(dialog->dialog.to_json());
  } else if (const auto* ended = std::get_if<sip::Ended>(&event.what)) {
    listener_->on_leg_ended(
        {ended->outcome, std::nullopt, ended->q850, name_of(ended->who), ended->text});
  } else if (const auto* failed = std::get_if<sip::Failed>(&event.what)) {
    const auto status =
        failed->sip_status == 0 ? std::nullopt : std::optional<std::int64_t>(failed->sip_status);
    listener_->on_leg_ended({failed->outcome, status, failed->q850, "network", failed->text});
  }
}

BrowserLeg::BrowserLeg(std::unique_ptr<rtp::MediaStream> media)
    : media_(std::move(media)), hook_(std::make_shared<Hook>()) {
  hook_->media = media_.get();
}

BrowserLeg::~BrowserLeg() { unhook(); }

void BrowserLeg::unhook() {
  const std::lock_guard hold(hook_->lock);
  hook_->media = nullptr;
}

Result<void> BrowserLeg::dial(LegListener& listener) {
  listener_ = &listener;
  listener.on_answered("");
  return {};
}

void BrowserLeg::hang_up(const std::string& reason) { end("us", reason); }

void BrowserLeg::visitor_left() { end("peer", "the page was closed"); }

void BrowserLeg::end(const char* by, const std::string& reason) {
  unhook();
  if (LegListener* listener = std::exchange(listener_, nullptr))
    listener->on_leg_ended({sip::Outcome::kCompleted, std::nullopt, std::nullopt, by, reason});
}

}  // namespace yyc3::call
