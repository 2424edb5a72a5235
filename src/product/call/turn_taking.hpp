#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "product/call/caller_level.hpp"
#include "product/call/quiet_run.hpp"

namespace yyc3::call {

/// How finished what was heard sounds, judged by the dialogue for the node it is in. It sets how
/// long a silence ends the turn (voice-agents.md §3.6).
enum class Completeness {
  kSatisfied,   ///< the node's grammar is satisfied: 300 ms
  kComplete,    ///< a whole sentence, or a short answer: 920 ms
  kUnclear,     ///< nothing the node can use: 950 ms
  kUnfinished,  ///< "我想改到…", digits under way, 等一下: 1,200 ms
};
const char* name_of(Completeness value);

struct TurnConfig {
  Milliseconds onset{96};            ///< speech this long opens an utterance
  Milliseconds preroll{250};         ///< kept before the onset
  Milliseconds speculate_after{32};  ///< of silence: decoding starts, thrown away if speech resumes
  Milliseconds satisfied{300};
  Milliseconds complete{920};
  Milliseconds unclear{950};
  Milliseconds unfinished{1'200};
  Milliseconds sounds_finished{500};   ///< instead of complete or unclear, if a model hears it so
  Milliseconds longest{2'000};         ///< whatever the caller's own pauses are
  Milliseconds partial_after{450};     ///< of speech: the first partial decode …
  Milliseconds partial_every{800};     ///< … and of more speech, the next ones,
  Milliseconds partial_until{8'000};   ///< while the utterance is no longer than this
  Milliseconds barge_in_after{160};    ///< of speech over the bot: it pauses (five Silero frames)
  float background_db = 7;             ///< so far below the caller's own voice: others; 0: never
  Milliseconds barge_in_decide{900};   ///< by then a pause has become a stop or has been resumed
  Milliseconds resume_after{2'000};    ///< a pause of the bot that nothing has decided ends then
  Milliseconds take_back{500};         ///< of an answer: who speaks so soon has not heard it
  int take_backs_max = 3;              ///< of one turn; then its answer stays
  Milliseconds utterance_max{20'000};  ///< a caller who never stops is cut and answered
  Milliseconds no_answer{6'000};       ///< silence after the bot's question: re-prompt
  double speech_on = 0.5;              ///< probability that opens
  double speech_off = 0.35;            ///< and below which a frame is silence
};

/// What the machine wants done. Jobs are numbered by the machine, from 1.
struct StartDecode {
  std::uint64_t job;
  SamplePos from;
  SamplePos to;
  bool barge_in;  ///< to decide whether an interruption is meant
  bool partial;   ///< while the caller speaks: to show, and to decide a barge-in; others go first
};
struct CancelDecode {
  std::uint64_t job;
};
struct PauseBot {  ///< first stage of a barge-in
  SamplePos speech_from;
};
struct ResumeBot {};  ///< it was a back-channel, a cough, a noise
struct StopBot {      ///< second stage: raise the epoch, keep what the ledger says was heard
  SamplePos speech_from;
};
/// The caller only paused: the answer to the turn before comes to nothing (silence, nothing of it
/// counts), and that turn goes on.
struct TakeBack {
  SamplePos speech_from;  ///< of what the caller goes on with
};
/// The caller's turn is over. `text` may be empty: there was speech that could not be understood.
struct TurnEnded {
  std::string text;
  double confidence = 0;
  bool failed = false;  ///< the recogniser failed or is away
  Completeness judged = Completeness::kUnclear;
  SamplePos speech_from = 0;  ///< first sample of speech
  SamplePos speech_to = 0;    ///< last sample of speech: the gap is counted from here
  SamplePos decided_at = 0;
  Milliseconds asr_ms{0};  ///< queue + decode of the adopted result
};
/// Words over the bot's voice.
struct SaidOver {
  std::string text;
  double confidence = 0;
  Milliseconds spoken{0};   ///< how long it took to say them
  bool background = false;  ///< far softer than the caller speaks
};
struct CallerSilent {};  ///< nothing said for `no_answer` after the bot finished
using TurnAction = std::variant<StartDecode, CancelDecode, PauseBot, ResumeBot, StopBot, TakeBack,
                                TurnEnded, CallerSilent>;
using TurnActions = std::vector<TurnAction>;

/// How long a caller's own pauses are: an exponential mean (0.9 of the old, 400 ms at first) of the
/// silences inside turns. A slow speaker is waited for longer (voice-agents.md §3.6).
class Pace {
 public:
  void on_pause(Milliseconds pause);
  /// 1.25 of the mean pause.
  [[nodiscard]] Milliseconds waits() const;

 private:
  double mean_ms_ = 400;
};

/// Turn-taking of one call: when the caller has finished, when the bot must fall silent, and when
/// an answer came too early. Three profiles: while the bot *speaks*, speech pauses it and words
/// stop it; while it *thinks* (the turn has ended, nothing or < 500 ms of the answer was heard)
/// speech goes on with the turn and takes the answer back; while it *listens*, silence ends turns.
/// sans-I/O: fed with levels, probabilities, results and the sample clock; returns what to do.
/// Threads: none; touched on the call's loop only.
class TurnTaking {
 public:
  using Judge = std::function<Completeness(const std::string& text)>;
  /// True when what was heard over the bot means to interrupt it (not 嗯, 好的, mm-hm).
  using Interrupts = std::function<bool(const SaidOver& heard)>;

  TurnTaking(TurnConfig config, Judge judge, Interrupts interrupts);

  /// Loudness of the caller's samples [from, to): quiet ends speech before its probability falls.
  TurnActions on_level(SamplePos from, SamplePos to, float dbov);
  /// Speech probability of the 32 ms (or 20 ms, energy VAD) that end at `end`.
  TurnActions on_speech(SamplePos end, double probability);
  /// A decode's result. Unknown or cancelled jobs are ignored.
  TurnActions on_text(std::uint64_t job, const std::string& text, double confidence,
                      Milliseconds took);
  TurnActions on_decode_failed(std::uint64_t job);
  /// Probability, by a model that hears how it was said, that the speech up to `to` ends the turn.
  TurnActions on_turn_end(SamplePos to, double probability);
  /// What was heard last is judged anew: more is known of what it means.
  TurnActions on_understood();
  static constexpr Milliseconds kNever = Milliseconds::max();
  /// The bot began speaking at `at`. @param interruptible_after of the node: kNever, or so much of
  /// it is heard first.
  void on_bot_began(SamplePos at, Milliseconds interruptible_after);
  void on_bot_ended(SamplePos at);
  /// The last TurnEnded is being answered, and nothing has come of it yet: the answer may be taken
  /// back until false is said (or it was heard for TurnConfig::take_back).
  void answer_may_be_taken_back(bool may);
  /// The caller's sound up to `end` went to the recogniser, which tells its probabilities.
  void on_sound_sent(SamplePos end);
  /// How long the oldest sound has waited for its probability: usually a frame and its way.
  [[nodiscard]] Milliseconds awaited() const;
  /// Time passes: at least every 20 ms.
  TurnActions on_clock(SamplePos now);
  /// False while no answer is awaited (the dialogue has ended or the call is on hold).
  void listen(bool on);
  /// Patience for the next answer (a node may allow more time to look something up).
  void set_no_answer(Milliseconds limit) { config_.no_answer = limit; }

  [[nodiscard]] bool caller_speaking() const { return state_ != State::kQuiet; }

 private:
  enum class State { kQuiet, kSpeaking, kTrailing };  ///< trailing: silence after speech

  struct Adopted {
    std::string text;
    double confidence;
    Milliseconds took;
    bool failed;
    Completeness judged;
  };

  [[nodiscard]] bool fell_quiet(SamplePos from, SamplePos to) const;
  [[nodiscard]] bool may_go_on() const;
  void begin_utterance(SamplePos end);
  void go_on_after_pause(TurnActions& out);
  void follow_speech(SamplePos end, TurnActions& out);
  void trail(TurnActions& out);
  [[nodiscard]] bool may_take_back() const;
  void take_back(TurnActions& out);
  void track_barge_in(SamplePos end, TurnActions& out);
  void start_decode(SamplePos from, SamplePos to, bool partial, TurnActions& out);
  void start_partial(TurnActions& out);
  void speculate(SamplePos now, TurnActions& out);
  void drop_decode(TurnActions& out);
  void consider_end(SamplePos now, TurnActions& out);
  void finish_turn(SamplePos now, TurnActions& out);
  void stop_bot(TurnActions& out);
  [[nodiscard]] bool interrupts(const std::string& text, double confidence, SamplePos to) const;
  /// By the words: the second stage, or on with the reply.
  void decide_barge_in(const std::string& text, double confidence, TurnActions& out);
  void resume_bot(TurnActions& out);
  void note_bot(SamplePos at, bool speaking);
  [[nodiscard]] Milliseconds patience() const;
  [[nodiscard]] bool late() const;
  [[nodiscard]] SamplePos known_to() const;

  TurnConfig config_;
  Judge judge_;
  Interrupts interrupts_;

  QuietRun quiet_;
  CallerLevel level_;
  State state_ = State::kQuiet;
  bool listening_ = true;
  bool silence_told_ = false;
  bool overlong_ = false;  ///< the utterance hit its cap: it ends with the result at hand
  SamplePos now_ = 0;
  SamplePos frames_to_ = 0;    ///< end of the last probability's frame
  SamplePos sent_to_ = 0;      ///< end of the last sound that will be told of …
  SamplePos sent_from_ = 0;    ///< … and of the first after all was told
  SamplePos speech_from_ = 0;  ///< of the utterance
  SamplePos begun_at_ = 0;     ///< the same, but for what it goes on with
  SamplePos speech_to_ = 0;    ///< end of its last speech frame
  SamplePos run_from_ = 0;     ///< start of the current unbroken run of speech frames
  SamplePos run_ = 0;          ///< its length in samples
  SamplePos quiet_since_ = 0;  ///< bot and caller both silent since

  std::uint64_t next_job_ = 1;
  std::uint64_t job_ = 0;  ///< under way, 0 = none
  bool job_is_partial_ = false;
  SamplePos partial_to_ = 0;        ///< speech that a partial decode covered
  int partials_ = 0;                ///< of this utterance
  std::optional<Adopted> result_;   ///< of the speech up to speech_to_
  std::optional<double> turn_end_;  ///< probability that it ends the turn, by its sound

  struct Said {
    SamplePos from;
    SamplePos to;
  };
  Pace pace_;
  Said last_turn_{};
  std::optional<Said> answered_;  ///< a turn whose answer may be taken back
  int taken_back_ = 0;            ///< times, of this turn

  bool bot_speaking_ = false;
  SamplePos bot_from_ = 0;
  SamplePos bot_interruptible_from_ = 0;
  bool paused_ = false;     ///< the first stage is on
  bool undecided_ = false;  ///< it was reached, and no words have come since
  bool faint_ = false;      ///< it would have been, but for a voice in the background
  bool stopped_ = false;    ///< the second stage was reached in this utterance
  SamplePos paused_at_ = 0;
};

}  // namespace yyc3::call
