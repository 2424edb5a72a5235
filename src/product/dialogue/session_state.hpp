#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "product/dialogue/answer.hpp"
#include "product/dialogue/session.hpp"

/// Inside of DialogueSession; no other file includes this.
namespace yyc3::dialogue {

constexpr std::size_t kMeaningsMin = 3;  ///< fewer are no choice
constexpr int kRepeatsMax = 3;           ///< of one question by voice; then it is not understood

enum class Stage { kNew, kAsking, kHandedOver, kEnded };

/// The phrases of a flow, ready to be looked up.
struct Books {
  Books(const Flow& flow, const Understanding& understanding);
  std::map<std::string, PhraseBook, std::less<>> options;  ///< by node
  PhraseBook faq;
  PhraseBook own_intents;
};

struct DialogueSession::State {
  std::shared_ptr<const Flow> flow;
  std::shared_ptr<const Understanding> understanding;
  std::shared_ptr<const Books> books;
  // Of the conversation: what to_json keeps.
  text::Language language = text::Language::kZh;
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> slots;
  std::map<std::string, int> parts;  ///< slot → DayPart said without an hour
  Stage stage = Stage::kNew;
  std::string node;
  std::string disposition;
  std::string keys;  ///< pressed so far
  int silences = 0;
  int no_matches = 0;
  int repeats = 0;  ///< asked for by voice at this question
  int turns = 0;
  bool keypad = false;
  bool held = false;    ///< the caller asked to wait
  bool listed = false;  ///< put on the do-not-call list
  std::string unsure;   ///< answer heard last with too little confidence to book or end by
  /// What a model is being asked; until anything else happens. Not kept over a restart.
  struct Thinking {
    HeardText heard;
    std::string unsure;  ///< before it was heard
    std::vector<Meaning> meanings;
  };
  std::optional<Thinking> thinking;
  std::vector<Segment> last;  ///< said last: "please repeat"

  State(std::shared_ptr<const Flow> flow, std::shared_ptr<const Understanding> understanding);
  [[nodiscard]] const Node& here() const { return *flow->find(node); }
  [[nodiscard]] std::map<std::string, std::string> values() const;
  /// The short form of this node's question, as this call hears it.
  [[nodiscard]] std::string question() const;
  [[nodiscard]] TimeSoFar time_so_far(const std::string& slot) const;
  /// Variables of this call alone that the texts of `of` speak of.
  [[nodiscard]] std::set<std::string> personal(const Node& of) const;
  /// A request, a no, a question, or what this node asks for.
  [[nodiscard]] bool means_something(std::string_view heard, double confidence,
                                     const text::LocalDateTime& now) const;
  /// What `heard` answers to the question of this node.
  [[nodiscard]] Answer answer(std::string_view heard, text::Language spoken,
                              const Understood& understood, const text::LocalDateTime& now) const;
};

/// One step of the conversation: reads and changes the state, fills the reply.
class DialogueSession::Step {
 public:
  Step(State& state, const text::LocalDateTime& now) : state_(state), now_(now) {}

  void go(std::string_view node);
  void hear(const HeardText& heard);
  void mean(const State::Thinking& thinking, std::string_view choice);
  [[nodiscard]] bool is_no_question(const Meaning& meaning) const;
  [[nodiscard]] bool asks_clearly(const HeardText& heard) const;
  /// … and a language model may answer it in its own words.
  [[nodiscard]] bool asks_at_large(const HeardText& heard) const;
  void not_thought(const State::Thinking& thinking);
  void silence();
  /// False: more keys are awaited.
  bool key(char digit);
  void ask_again();
  Reply take();

 private:
  bool obey_hard_request(const std::string& heard);
  bool obey_interruption(double confidence);
  bool obey_soft_request();
  bool answer_faq(const HeardText& heard);
  bool follow_answer(const HeardText& heard, const Answer& answer, bool faq_too);
  bool follow_branches(double confidence);
  bool think(const HeardText& heard);
  /// @param meaning {}: something that nothing here answers.
  void guess(const State::Thinking& thinking, const Meaning& meaning);
  void guess_intent(const HeardText& heard);
  void capture_time();
  [[nodiscard]] bool names_appointment() const;
  [[nodiscard]] bool holds(const Condition& when) const;
  /// It books, ends the call with a disposition ("no" to "are you Ms Wang" is a wrong number), or
  /// tells_more ("yes" to it).
  [[nodiscard]] bool weighs(const Branch& branch) const;
  /// On the way to the next question it speaks of the caller's data that this node did not.
  [[nodiscard]] bool tells_more(const Branch& branch) const;
  bool unsure(const HeardText& heard, const Answer& answer);
  void take_branch(const Branch& branch);
  void keep(const Answer& answer);
  void apply(const std::vector<Effect>& effects);
  void no_match();
  void repeat();
  void hand_over(const std::string& node, const char* reason);
  bool finish_keys();
  bool accept(const Answer& answer);
  [[nodiscard]] std::vector<Segment> segments(const LocalText& text, const std::string& id) const;
  void say(const LocalText& text, const std::string& id);
  void say_in_own_words(const std::string& heard);
  void say_question();
  void end(const Node& node);
  [[nodiscard]] bool too_many_turns();

  State& state_;
  const text::LocalDateTime now_;
  Reply reply_;
  Understood understood_;
  std::string answer_;           ///< label of the answer, for the branches
  std::string own_intent_;       ///< of the flow, heard in this step
  bool guessed_ = false;         ///< by a language model: whatever sets a disposition weighs
  std::string unsure_before_;    ///< answer of the utterance before, heard unsurely
  const char* reason_ = "flow";  ///< of a transfer
  Milliseconds interruptible_after_{0};  ///< the longest of the nodes that what is said enters
  Milliseconds no_answer_{6'000};
};

}  // namespace yyc3::dialogue
