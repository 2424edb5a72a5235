#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "product/dialogue/flow.hpp"
#include "product/dialogue/thinking.hpp"
#include "product/dialogue/understanding.hpp"

namespace yyc3::dialogue {

/// Put the number on the do-not-call list: on the disk before anything of the reply is said.
struct AddDoNotCall {
  std::string reason;  ///< the words said
};
/// The caller agreed to this day and time.
struct BookSlot {
  std::string slot;
  text::LocalDateTime when;
};
struct SetDisposition {
  std::string value;  ///< "confirmed" "rescheduled" …: the flow's own word
};
/// After the reply is said. On failure: `on_transfer_failed`.
struct Transfer {
  std::string reason;  ///< "human" "complaint" "anger" "keypad" "flow"
};
/// After the reply is said.
struct HangUp {};
using Action = std::variant<AddDoNotCall, BookSlot, SetDisposition, Transfer, HangUp>;

/// How finished a partial text sounds for the question that was asked (sets the end-of-turn delay).
enum class Completeness { kSatisfied, kComplete, kUnclear, kUnfinished };

/// What comes next from the caller.
struct Expect {
  bool answer = false;  ///< false: the dialogue is over, or handed over
  Grammar grammar = Grammar::kFree;
  std::vector<std::string> options;  ///< kOptions: phrases for the recogniser, ≤ 64 of ≤ 40 chars
  Milliseconds interruptible_after{0};  ///< of the reply; kNeverInterruptible
  bool keypad = false;                  ///< keys were offered; they are taken at any time anyway
  Milliseconds no_answer{6'000};        ///< silence after which `on_silence` is due
};

struct Reply {
  std::string node;  ///< where the dialogue stands now
  std::vector<Segment> say;
  Expect expect;
  std::vector<Action> actions;           ///< in order; Transfer or HangUp last
  std::optional<Understood> understood;  ///< of on_heard
  std::string answer;                    ///< what the caller's words counted as, e.g. "yes"; or ""
  /// Rules did not understand: a language model may. Then nothing is said yet, and `on_thought` or
  /// `on_not_thought` goes on.
  std::optional<Think> think;
  /// With `think`, when whatever is chosen an answer follows: said before it to who has waited.
  std::vector<Segment> meanwhile;
  /// What a language model says behind `say`, which fills its time.
  std::optional<Wording> wording;

  [[nodiscard]] std::string text() const;  ///< all segments joined
};

/// Words over the bot's voice.
struct OverBot {
  std::string_view text;
  double confidence = 0;    ///< of the recogniser, 0–1
  Milliseconds spoken{0};   ///< how long they took
  bool background = false;  ///< somebody else's, by their loudness
};

struct HeardText {
  std::string text;  ///< may be empty: there was speech nobody could make out
  /// Of the recogniser, 0–1; below kUnsure nothing is booked or ended without asking.
  double confidence = 1;
  text::Language language = text::Language::kZh;
  bool may_think = false;  ///< there is a language model that can be asked
  bool may_speak = false;  ///< … and that may answer in its own words where the flow lets it
};

struct SessionContext {
  text::Language language = text::Language::kZh;
  std::map<std::string, std::string> variables;  ///< datetime: "2026-11-25T15:30" local
};

/// One conversation. sans-I/O: text in, text and actions out; `now` is the callee's wall clock.
/// Never throws on anything heard; each step takes < 5 ms. Every step either asks or ends, and at
/// most Flow::limits.turns answers are taken.
/// Threads: none; touched on the call's loop only.
class DialogueSession {
 public:
  /// Errors: kInvalid: the flow does not speak the language, or a required variable is missing or
  /// malformed (named). What is given is shared and outlives nothing.
  static Result<DialogueSession> create(std::shared_ptr<const Flow> flow,
                                        std::shared_ptr<const Understanding> understanding,
                                        SessionContext context);
  /// From `to_json` of the same flow. Errors: kInvalid with the field; kConflict another flow or
  /// version.
  static Result<DialogueSession> restore(std::shared_ptr<const Flow> flow,
                                         std::shared_ptr<const Understanding> understanding,
                                         const json::value& state);
  DialogueSession(DialogueSession&&) noexcept;
  DialogueSession& operator=(DialogueSession&&) noexcept;
  ~DialogueSession();
  /// The same conversation a second time: what one of the two hears the other does not.
  [[nodiscard]] DialogueSession copy() const;

  /// The first words: who is calling and that it is an AI.
  Reply start(const text::LocalDateTime& now);
  Reply on_heard(const HeardText& heard, const text::LocalDateTime& now);
  /// What the model chose of Reply::think. Its guess is worth less than what was heard unsurely:
  /// it neither books, nor ends, nor sets a disposition before it was said twice.
  Reply on_thought(std::string_view choice, const text::LocalDateTime& now);
  /// No model answered in time: as if it had not been there.
  Reply on_not_thought(const text::LocalDateTime& now);
  /// What a model will be asked at this question, but for the words heard; nullopt: nothing.
  [[nodiscard]] std::optional<Think> think_ahead() const;
  /// What a model would speak by at this question; nullopt: it is not to speak here.
  [[nodiscard]] std::optional<Wording> wording_ahead() const;
  /// … at any question of the flow.
  [[nodiscard]] std::optional<Wording> wording_anywhere() const;
  /// Nothing was said for Expect::no_answer.
  Reply on_silence(const text::LocalDateTime& now);
  /// 0–9 * #. Nothing while more digits are awaited. 0 asks for a person where no digits are asked.
  std::optional<Reply> on_dtmf(char digit, const text::LocalDateTime& now);
  /// The Transfer could not be made.
  Reply on_transfer_failed(const text::LocalDateTime& now);

  /// Judges a partial or final text against what was asked. Changes nothing.
  [[nodiscard]] Completeness judge(std::string_view heard, const text::LocalDateTime& now) const;
  /// True when `heard`, said over the bot, means to stop it: not 嗯, 好的, mm-hm, nor two or three
  /// syllables that mean nothing here (嗯嗯 is often heard as something else), nor more than can be
  /// said in that time. From the background only what must never be missed does.
  [[nodiscard]] bool interrupts(const OverBot& heard, const text::LocalDateTime& now) const;

  /// So few words that more may come.
  [[nodiscard]] bool is_brief(std::string_view heard) const;
  [[nodiscard]] bool ended() const;
  [[nodiscard]] const std::string& node() const;
  [[nodiscard]] const std::map<std::string, std::string>& slots() const;
  [[nodiscard]] const std::string& disposition() const;
  /// Everything needed to go on after a restart. Holds personal data: store it encrypted.
  [[nodiscard]] json::object to_json() const;

  static constexpr double kUnsure = 0.4;
  /// From here on a question is answered, if need be with "I cannot say", not asked for again.
  static constexpr double kClear = 0.55;

 private:
  struct State;
  class Step;
  explicit DialogueSession(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace yyc3::dialogue
