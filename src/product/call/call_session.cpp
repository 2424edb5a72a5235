#include "product/call/call_session.hpp"

#include <utility>

namespace yyc3::call {

CallSession::CallSession(CallParts& parts, CallId id, NewCall call, std::string target,
                         std::unique_ptr<Leg> leg, Voice voice, dialogue::DialogueSession dialogue,
                         OnEnded ended)
    : parts_(parts),
      id_(id),
      call_(std::move(call)),
      target_(std::move(target)),
      leg_(std::move(leg)),
      ended_(std::move(ended)),
      journal_(parts.database, parts.loop, parts.log),
      conversation_(std::make_unique<Conversation>(parts.conversation, leg_->media(),
                                                   std::move(voice), std::move(dialogue), *this)) {}

CallSession::~CallSession() = default;

std::int64_t CallSession::utc_ms() const { return parts_.clock.utc().time_since_epoch().count(); }

void CallSession::dial() {
  publish_state(CallState::kQueued, CallState::kDialing, "");
  const auto started = leg_->dial(*this);
  if (started) return;
  parts_.log.warn("a call could not be dialled",
                  {{"call.id", id_}, {"error.message", started.error().detail}});
  on_leg_ended({sip::Outcome::kInternal, std::nullopt, std::nullopt, "us", started.error().detail});
}

void CallSession::hang_up(const std::string& reason) {
  if (over_) return;
  leg_->hang_up(reason);
}

void CallSession::move_to(CallState state, const std::string& reason, storage::Job also,
                          std::function<void()> then) {
  if (!may_follow(state_, state)) return;
  const CallState from = std::exchange(state_, state);
  const std::int64_t seq = next_transition_++;
  const TransitionRecord step{state, utc_ms(), reason};
  storage::Job job = [id = id_, seq, from, step,
                      also = std::move(also)](storage::Connection& db) -> Result<void> {
    auto added = CallStore::add_transition(db, id, seq, from, step);
    if (!added || !also) return added;
    return also(db);
  };
  journal_.append(std::move(job),
                  [this, from, state, reason, then = std::move(then)](Result<void> stored) {
                    if (!stored) {
                      degraded_.insert("recording");
                      return hang_up("the store failed");
                    }
                    publish_state(from, state, reason);
                    if (then) then();
                  });
}

void CallSession::publish_state(CallState from, CallState to, const std::string& reason) {
  parts_.bus.publish(events::CallStateChanged{id_, kTenant, name_of(from), name_of(to), reason,
                                              parts_.clock.utc()});
}

void CallSession::on_ringing() { move_to(CallState::kRinging, ""); }

void CallSession::on_answered(const std::string& dialog_state) {
  answered_ms_ = utc_ms();
  answered_at_ = parts_.clock.now();
  storage::Job job = [id = id_, at = answered_ms_, dialog_state](storage::Connection& db) {
    return CallStore::set_answered(db, id, at, dialog_state);
  };
  begin_recording(job);
  move_to(CallState::kAnswered, "", std::move(job), [this] { begin_talking(); });
}

void CallSession::begin_recording(storage::Job& job) {
  if (parts_.recorder == nullptr) return;
  const RecordingId recording = RecordingId::make(parts_.clock);
  auto begun = parts_.recorder->begin(recording, kTenant);
  if (!begun) return on_degraded("recording");
  const auto tapped = leg_->media().record(begun->tap);
  if (!tapped) return on_degraded("recording");
  recording_ = recording;
  job = [first = std::move(job), id = id_, at = answered_ms_,
         start = *begun](storage::Connection& db) -> Result<void> {
    auto done = first(db);
    if (!done) return done;
    auto row = db.exec(
        "INSERT INTO recordings (id, call_id, tenant_id, subject_id, wrapped_key, codec, rate_hz, "
        "channels, blob_key, state, created_ms) SELECT ?, id, tenant_id, subject_id, ?, 'pcmu', "
        "8000, "
        "2, ?, 'recording', ? FROM calls WHERE id = ?",
        {start.id.str(), start.wrapped_key, start.blob_key, at, id.str()});
    if (!row) return passed(row.error());
    return CallStore::set_recording(db, id, start.id.str());
  };
}

void CallSession::begin_talking() {
  if (over_) return;
  move_to(CallState::kTalking, "");
  talking_ = true;
  conversation_->start();
}

void CallSession::on_dialog_changed(const std::string& dialog_state) {
  journal_.append([id = id_, dialog_state](storage::Connection& db) -> Result<void> {
    auto done = db.exec("UPDATE calls SET dialog_state = ? WHERE id = ?", {dialog_state, id.str()});
    if (!done) return passed(done.error());
    return {};
  });
}

void CallSession::on_held(bool held) { on_event(held ? "held" : "resumed", {}); }

void CallSession::on_media() {
  if (!over_) conversation_->on_media();
}

void CallSession::on_tick() {
  if (over_ || !talking_) return;
  conversation_->on_tick();
  const auto talked = parts_.clock.now() - answered_at_;
  if (talked >= parts_.max_duration && forced_outcome_.empty()) {
    forced_outcome_ = "completed";
    on_event("max_duration", {});
    hang_up("the longest call allowed");
  }
  if (!media_judged_ && talked >= parts_.first_media) judge_media();
}

/// Once: has anything come since the answer? What stops later is the media engine's to tell.
void CallSession::judge_media() {
  media_judged_ = true;
  if (call_.direction == "outbound" && leg_->media().stats().packets_received == 0) on_media_lost();
}

void CallSession::on_media_lost() {
  if (over_ || !forced_outcome_.empty()) return;
  forced_outcome_ = sip::describe(sip::Outcome::kMediaLost).name;
  hang_up("the audio stopped coming");
}

void CallSession::tell_levels() {
  if (over_ || !talking_) return;
  const Levels levels = conversation_->take_levels();
  parts_.bus.publish(events::LevelMeasured{id_, kTenant, levels.customer_dbov, levels.bot_dbov});
}

/// What the operator can mend when calls end like this; nothing for what customers do.
void CallSession::advise(const LegEnd& end) {
  const telemetry::Field call{"call.id", id_};
  const telemetry::Field why{"yyc3.sip.reason", end.reason};
  if (end.outcome == sip::Outcome::kForbidden)
    parts_.log.warn(
        "the carrier refuses our user or password; mend sip.auth_user or sip.password_file",
        {call, why});
  else if (end.outcome == sip::Outcome::kUnreachable)
    parts_.log.warn("nothing answers where the call was sent; check sip.trunk and the network",
                    {call, why});
}

void CallSession::on_leg_ended(const LegEnd& end) {
  if (std::exchange(over_, true)) return;
  advise(end);
  conversation_->on_media();  // the last of the ledger
  conversation_->stop();
  finish(end);
}

Ending CallSession::make_ending(const LegEnd& end) const {
  Ending ending;
  const bool answered = answered_ms_ != 0;
  ending.state = answered ? CallState::kCompleted : CallState::kFailed;
  ending.outcome =
      forced_outcome_.empty() ? std::string(sip::describe(end.outcome).name) : forced_outcome_;
  ending.reason = end.reason.empty() ? end.by : end.by + ": " + end.reason;
  ending.disposition = disposition_;
  ending.sip_status = end.sip_status;
  ending.q850 = end.q850;
  ending.at_ms = utc_ms();
  ending.talked_ms = answered ? ending.at_ms - answered_ms_ : 0;
  ending.degraded.assign(degraded_.begin(), degraded_.end());
  for (const auto& [name, value] : conversation_->dialogue().slots()) ending.slots[name] = value;
  return ending;
}

void CallSession::finish(const LegEnd& end) {
  Ending ending = make_ending(end);
  const std::int64_t heard = conversation_->heard_ms().count();
  const auto said = static_cast<std::int64_t>(conversation_->said_bytes());
  const auto charge = [this](const char* kind, std::int64_t quantity, const char* unit) {
    return usage::Charge{kTenant, id_, kind, quantity, unit, 0, "CNY"};
  };
  std::vector<usage::Charge> charges;
  if (answered_ms_ != 0)
    charges = {charge("telephony", ending.talked_ms, "ms"), charge("speech.hear", heard, "ms"),
               charge("speech.speak", said, "bytes")};
  const CallState from = std::exchange(state_, ending.state);
  const TransitionRecord step{ending.state, ending.at_ms, ending.reason};
  storage::Job job = [id = id_, seq = next_transition_++, from, step, ending, charges,
                      &ledger = parts_.usage](storage::Connection& db) -> Result<void> {
    auto added = CallStore::add_transition(db, id, seq, from, step);
    if (!added) return added;
    for (const auto& one : charges) {
      auto charged = ledger.record(db, one);
      if (!charged) return charged;
    }
    return CallStore::finish(db, id, ending);
  };
  leg_->media().close();
  if (recording_ && parts_.recorder != nullptr) parts_.recorder->finish(*recording_);
  journal_.append(std::move(job), [this, from, ending](Result<void>) {
    publish_state(from, ending.state, ending.reason);
    parts_.bus.publish(events::CallEnded{id_, kTenant, ending.outcome, ending.disposition,
                                         ending.sip_status, parts_.clock.utc(),
                                         Milliseconds{ending.talked_ms}});
    parts_.log.info("call ended", {{"call.id", id_},
                                   {"yyc3.call.outcome", ending.outcome},
                                   {"yyc3.call.talked_ms", ending.talked_ms}});
    parts_.loop.post(ended_);
  });
}

void CallSession::on_turn(TurnRecord turn) {
  events::TurnSpoken told{id_, kTenant, turn.seq, turn.speaker, to_json(turn)};
  journal_.append([id = id_, turn = std::move(turn)](
                      storage::Connection& db) { return CallStore::add_turn(db, id, turn); },
                  [this, told = std::move(told)](Result<void> stored) {
                    if (stored) parts_.bus.publish(told);
                  });
}

void CallSession::on_partial(const std::string& speaker, const std::string& text, std::int64_t at) {
  parts_.bus.publish(events::PartialHeard{id_, kTenant, speaker, text, Milliseconds{at}});
}

void CallSession::on_event(std::string kind, json::object detail) {
  if (kind == "disposition") disposition_ = string_field(detail, "value");
  EventRecord row{std::move(kind), utc_ms(), std::move(detail)};
  journal_.append([id = id_, row = std::move(row), &clock = parts_.clock](storage::Connection& db) {
    return CallStore::add_event(db, id, row, clock);
  });
}

void CallSession::on_opt_out(const std::string& words, std::function<void()> then) {
  disposition_ = "opted_out";
  compliance::DoNotCall entry{kTenant, target_, "call", words.substr(0, 400), id_};
  const bool phone = call_.direction == "outbound";
  journal_.append(
      [entry, phone, &gate = parts_.gate](storage::Connection& db) -> Result<void> {
        return phone ? gate.add_do_not_call(db, entry) : Result<void>();
      },
      [this, phone, then = std::move(then)](Result<void> stored) {
        if (!stored)
          parts_.log.error("a do-not-call wish could not be stored",
                           {{"call.id", id_}, {"error.message", stored.error().detail}});
        else if (phone)
          on_event("do_not_call_added", {});
        if (!over_) then();
      });
}

void CallSession::on_disclosure(const DisclosureHeard& heard) {
  compliance::Disclosure row;
  row.call = id_;
  row.tenant = kTenant;
  row.text = heard.text;
  row.language = speech::code_of(call_.language);
  row.started = parts_.clock.utc() - heard.played;
  row.played = heard.played;
  row.whole = heard.whole;
  journal_.append([row, &gate = parts_.gate](storage::Connection& db) {
    return gate.record_disclosure(db, row);
  });
}

void CallSession::on_transfer(const std::string& reason) {
  on_event("handover_requested", {{"reason", reason}});
  move_to(CallState::kEscalated, reason);
  // Nobody to hand over to is configured yet: the caller is told so, and called back by people.
  conversation_->transfer_failed();
}

void CallSession::on_hang_up() { hang_up("goodbye was said"); }

void CallSession::on_degraded(const std::string& what) {
  if (!degraded_.insert(what).second) return;
  parts_.log.warn("a call goes on with less", {{"call.id", id_}, {"yyc3.call.degraded", what}});
  on_event("degraded", {{"part", what}});
}

}  // namespace yyc3::call
