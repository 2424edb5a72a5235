#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "engine/speech/prompt_cache.hpp"
#include "engine/speech/recognizer.hpp"
#include "engine/telephony/codec/level.hpp"
#include "engine/telephony/rtp/media_stream.hpp"
#include "platform/telemetry/metrics.hpp"
#include "product/call/call_record.hpp"
#include "product/call/disclosure.hpp"
#include "product/call/line_input.hpp"
#include "product/call/speaker.hpp"
#include "product/call/teller.hpp"
#include "product/call/thinker.hpp"
#include "product/call/turn_taking.hpp"
#include "product/dialogue/session.hpp"

namespace yyc3::call {

text::Language text_language(speech::Language language);

struct ConversationMetrics {
  explicit ConversationMetrics(telemetry::Registry& registry);
  SpeakerMetrics speaker;
  ThinkMetrics think;
  TellMetrics tell;
  telemetry::Histogram& gap;  ///< seconds from the caller's last sample to our first packet
  telemetry::Counter& turns;
  telemetry::Counter& barge_ins;     ///< the bot fell silent for good
  telemetry::Counter& false_pauses;  ///< it paused and went on
  telemetry::Counter& taken_back;    ///< answers to a caller who had only paused
  telemetry::Counter& hear_failed;
  telemetry::Histogram& hear_lag;  ///< seconds from the end of a frame to its speech probability
};

/// What every conversation of the process shares. All of it outlives the conversations.
struct ConversationParts {
  speech::Recognizer& recognizer;
  speech::PromptCache& prompts;
  ConversationMetrics& metrics;
  const Clock& clock;
  std::function<text::LocalDateTime()> local_now;  ///< wall clock where the callee lives
  TurnConfig turns;
  Milliseconds decode_deadline{3'000};
  Milliseconds echo_tail{400};  ///< how late the bot's own voice may come back; 0: it is not sought
  inference::ChatModel* language = nullptr;  ///< may be null: rules and the flow's words alone
  Milliseconds choice_patience{900};         ///< for a choice of the model; then the flow's words
  bool speaks = false;       ///< it may answer in its own words, where a flow says so
  TellPatience own_words{};  ///< for a reply in the model's own words
};

/// How loud both sides were since the last look. dBov, -96 = silence.
struct Levels {
  float customer_dbov = codec::kSilenceDbov;  ///< loudest 20 ms that passed the energy gate
  float bot_dbov = codec::kSilenceDbov;       ///< RMS of what was played last (≤ 200 ms)
};

/// What a conversation asks of its call. Called on the call's loop.
class ConversationListener {
 public:
  virtual ~ConversationListener() = default;
  virtual void on_turn(TurnRecord turn) = 0;
  /// @param at where the speech began, ms like TurnRecord::started_ms.
  virtual void on_partial(const std::string& speaker, const std::string& text, std::int64_t at) = 0;
  virtual void on_event(std::string kind, json::object detail) = 0;
  /// The number must be on the list, on the disk, before `then` is called.
  virtual void on_opt_out(const std::string& words, std::function<void()> then) = 0;
  virtual void on_disclosure(const DisclosureHeard& heard) = 0;
  virtual void on_transfer(const std::string& reason) = 0;
  virtual void on_hang_up() = 0;                          ///< the dialogue has ended and was heard
  virtual void on_degraded(const std::string& what) = 0;  ///< "hearing", "speaking"
  virtual void on_media_lost() = 0;  ///< nothing came for media.inactivity_timeout_s
};

/// The talking part of a call: dialogue, turn-taking, hearing and speaking over one media stream.
/// Threads: the call's loop. Drive it with on_media() after each wake-up and on_tick() every 20 ms.
class Conversation final : public speech::HearingSink {
 public:
  Conversation(ConversationParts& parts, rtp::MediaStream& media, Voice voice,
               dialogue::DialogueSession dialogue, ConversationListener& listener);
  ~Conversation() override;

  void start();
  /// Fetches what was heard and what the ledger says.
  void on_media();
  void on_tick();
  /// The far side holds, or the call ends: stop talking and listening. What was played is stored.
  void stop();
  void transfer_failed();
  /// A key of the caller's keypad: 0-9 * #, at `at` of the sample clock.
  void press(char digit, std::uint64_t at);

  /// Begins a new interval. Costs the media thread nothing: both levels come from what the call
  /// loop holds anyway.
  Levels take_levels();
  [[nodiscard]] const dialogue::DialogueSession& dialogue() const { return dialogue_; }
  [[nodiscard]] Milliseconds heard_ms() const;  ///< audio given to the recogniser
  [[nodiscard]] std::size_t said_bytes() const { return said_bytes_; }

  void on_speech_probability(std::uint64_t end_sample, double probability) override;
  void on_text(speech::JobNumber job, const speech::HeardText& heard) override;
  void on_decode_failed(speech::JobNumber job, const Error& error) override;
  void on_turn_end(std::uint64_t to_sample, double probability) override;
  void on_available(bool available) override;

 private:
  void act(TurnActions actions);
  void decode(const StartDecode& wanted);
  void caller_said(const TurnEnded& turn);
  [[nodiscard]] Completeness judge(const std::string& heard) const;
  void guess(const std::string& text, double confidence);
  void thought(const Thinker::Choice& choice);
  void fill_wait();
  void forget_thought();
  void answer(dialogue::Reply reply);
  void perform(dialogue::Reply reply);
  void say(dialogue::Reply reply);
  void speak(bool filling);
  void prepare_model();
  void on_spoken(const Spoken& spoken);
  void take_back(const TakeBack& pause);
  void settle();
  void settle_if_heard();
  [[nodiscard]] TurnRecord customer_turn(const std::string& text, const TurnEnded& turn,
                                         const dialogue::Reply& reply) const;
  void store(TurnRecord row);
  void store_behind_bot(TurnRecord row);
  [[nodiscard]] std::int64_t ms_of(std::uint64_t sample) const;

  /// A turn of the caller whose answer may still be taken back. It is told when the answer was
  /// heard for TurnConfig::take_back, or ended, or has effects (a booking, an opt-out, a hang-up).
  struct Unsettled {
    TurnRecord row;
    dialogue::DialogueSession before;
    dialogue::Reply question;  ///< what the turn answered
  };
  struct Job {
    std::uint64_t turn_job;  ///< of the turn machine
    std::int64_t spoken_at;  ///< ms
    bool partial;
  };

  ConversationParts& parts_;
  rtp::MediaStream& media_;
  LineInput line_;
  Voice voice_;
  text::Language language_;
  dialogue::DialogueSession dialogue_;
  ConversationListener& listener_;
  TurnTaking turns_;
  Speaker speaker_;
  speech::StreamNumber hearing_;
  Thinker thinker_;
  Teller teller_;

  dialogue::Reply reply_;                     ///< being said, or the last that was
  std::string spoken_node_;                   ///< of what is being said
  std::string lead_in_;                       ///< what it begins with while a model thinks
  std::vector<dialogue::Segment> meanwhile_;  ///< the same, to be said when the choice is slow …
  bool filling_ = false;                      ///< … and being said: what is chosen follows it
  std::string clear_question_;  ///< the caller's words, when they may be all and will be answered
  std::optional<dialogue::Reply> pending_;  ///< said when what is being said has been cut
  std::optional<Stages> stages_;
  std::uint64_t answered_speech_at_ = 0;  ///< caller's last speech sample the reply answers
  std::optional<Unsettled> unsettled_;
  std::uint64_t paused_at_ = 0;            ///< sample at which the bot was last told to pause
  std::uint64_t answer_heard_at_ = 0;      ///< sample its first packet left at; 0: not yet
  std::vector<TurnRecord> held_;           ///< turns of the caller over a bot that is being cut
  std::map<speech::JobNumber, Job> jobs_;  ///< by the recogniser's number
  std::map<std::uint64_t, speech::JobNumber> decodes_;
  std::int64_t next_seq_ = 1;
  std::uint64_t began_at_ = 0;
  std::uint64_t heard_samples_ = 0;
  float loudest_dbov_ = codec::kSilenceDbov;  ///< heard since the last take_levels()
  std::size_t said_bytes_ = 0;
  bool hearing_late_ = false;  ///< told as an event
  bool running_ = false;
  bool first_reply_ = true;
  bool waiting_for_store_ = false;
  bool leaving_ = false;  ///< the last reply ends in hang-up or transfer
};

}  // namespace yyc3::call
