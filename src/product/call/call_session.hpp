#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/telephony/recording/recorder.hpp"
#include "platform/telemetry/log.hpp"
#include "product/call/call_store.hpp"
#include "product/call/conversation.hpp"
#include "product/call/journal.hpp"
#include "product/call/leg.hpp"
#include "product/compliance/compliance.hpp"
#include "product/events/bus.hpp"
#include "product/events/events.hpp"
#include "product/usage/usage_ledger.hpp"

namespace yyc3::call {

/// What every call of the process shares. All of it outlives the calls.
struct CallParts {
  storage::Database& database;
  const compliance::Compliance& gate;
  const usage::UsageLedger& usage;
  events::Bus& bus;
  recording::Recorder* recorder;  ///< nullptr: recording is off
  net::EventLoop& loop;
  telemetry::Log& log;
  const Clock& clock;
  ConversationParts conversation;
  Milliseconds max_duration{600'000};
  Milliseconds first_media{10'000};  ///< answered without any packet for so long: media_lost
};

/// One call from the INVITE to the last row: state machine, rows in order, recording, conversation.
///
/// A state is told to anybody only after its row is committed; the conversation begins when
/// `answered`, with what a restart needs to end the dialog, is on the disk.
/// Threads: one call loop. `ended` is called once, last, posted (never from inside a member).
class CallSession final : public LegListener, public ConversationListener {
 public:
  using OnEnded = std::function<void()>;

  CallSession(CallParts& parts, CallId id, NewCall call, std::string target,
              std::unique_ptr<Leg> leg, Voice voice, dialogue::DialogueSession dialogue,
              OnEnded ended);
  ~CallSession() override;

  /// The call is stored as dialing: go.
  void dial();
  void hang_up(const std::string& reason);
  void on_sip(const sip::SipEvent& event) { leg_->on_sip(event); }
  void on_media();
  void on_tick();
  /// Publishes how loud both sides are; somebody watches. At most 5 times a second.
  void tell_levels();
  void press(char digit) { conversation_->press(digit, leg_->media().sample_clock()); }

  [[nodiscard]] CallId id() const { return id_; }
  [[nodiscard]] Leg& leg() { return *leg_; }
  [[nodiscard]] CallState state() const { return state_; }

  void on_ringing() override;
  void on_answered(const std::string& dialog_state) override;
  void on_dialog_changed(const std::string& dialog_state) override;
  void on_held(bool held) override;
  void on_leg_ended(const LegEnd& end) override;

  void on_turn(TurnRecord turn) override;
  void on_partial(const std::string& speaker, const std::string& text, std::int64_t at) override;
  void on_event(std::string kind, json::object detail) override;
  void on_opt_out(const std::string& words, std::function<void()> then) override;
  void on_disclosure(const DisclosureHeard& heard) override;
  void on_transfer(const std::string& reason) override;
  void on_hang_up() override;
  void on_degraded(const std::string& what) override;
  void on_media_lost() override;

 private:
  void move_to(CallState state, const std::string& reason, storage::Job also = {},
               std::function<void()> then = {});
  void publish_state(CallState from, CallState to, const std::string& reason);
  void begin_recording(storage::Job& job);
  void begin_talking();
  void judge_media();
  void advise(const LegEnd& end);
  void finish(const LegEnd& end);
  [[nodiscard]] Ending make_ending(const LegEnd& end) const;
  [[nodiscard]] std::int64_t utc_ms() const;

  CallParts& parts_;
  CallId id_;
  NewCall call_;
  std::string target_;
  std::unique_ptr<Leg> leg_;
  OnEnded ended_;
  Journal journal_;
  std::unique_ptr<Conversation> conversation_;
  CallState state_ = CallState::kDialing;
  std::int64_t next_transition_ = 2;  ///< 1 was queued → dialing
  std::int64_t answered_ms_ = 0;
  SteadyTime answered_at_{};
  std::optional<RecordingId> recording_;
  std::optional<std::string> disposition_;
  std::set<std::string> degraded_;
  std::string forced_outcome_;  ///< what ended the call, when the network cannot know it
  bool talking_ = false;
  bool media_judged_ = false;  ///< whether any packet came within `first_media`
  bool over_ = false;
};

}  // namespace yyc3::call
