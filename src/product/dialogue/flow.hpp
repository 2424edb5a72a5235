#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "engine/text/understand.hpp"
#include "product/dialogue/intent.hpp"

namespace yyc3::dialogue {

/// A conversation as data: flows/*.json, described in flows/README.md. Immutable once parsed.

/// A text in each language of the flow. {name} and {name|format} stand for variables.
struct LocalText {
  std::string zh;
  std::string en;
  [[nodiscard]] const std::string& in(text::Language language) const {
    return language == text::Language::kZh ? zh : en;
  }
  [[nodiscard]] bool empty() const { return zh.empty() && en.empty(); }
};

/// What an answer may be; recognition is held to it where it is a closed list.
enum class Grammar { kFree, kYesNo, kDigit, kDigits, kTime, kOptions };
[[nodiscard]] const char* name_of(Grammar grammar);  ///< "free" "yes_no" "digit" …

struct Option {
  std::string value;
  std::vector<std::string> zh;  ///< ways to say it
  std::vector<std::string> en;
  char key = 0;            ///< on the keypad; 0: none
  bool means_yes = false;  ///< a plain yes (no) chooses it too
  bool means_no = false;
  LocalText meaning;  ///< what a language model is told that it means; empty: its first phrase
};

/// What a node does when it is entered, or a branch when it is taken.
struct Effect {
  enum class Kind { kDisposition, kBook, kAddDoNotCall, kSet, kClear };
  Kind kind = Kind::kDisposition;
  std::string name;   ///< slot of kBook, kSet, kClear
  std::string value;  ///< disposition, or the value of kSet
};

/// All that is given must hold.
struct Condition {
  /// yes, no, match; digits; complete, date_only, time_only, past, impossible; an option's value.
  std::string answer;
  std::string intent;     ///< one of the six, or the flow's own
  std::string entity;     ///< name_of(EntityKind)
  std::string sentiment;  ///< name_of(Sentiment)
  std::string request;    ///< name_of(Request): only those no global rule takes
  std::string slot;       ///< is filled …
  std::string is;         ///< … and, when given, with this; times: complete, date_only, time_only
};

struct Branch {
  Condition when;
  std::vector<Effect> effects;
  std::string go;
};

struct Ask {
  std::string slot;  ///< gets the answer; may be empty
  Grammar grammar = Grammar::kFree;
  std::vector<Option> options;
  int digits_min = 1;
  int digits_max = 1;
  LocalText question;    ///< short form, for asking again after a digression
  LocalText on_silence;  ///< said when nothing was heard
  LocalText on_no_match;
  LocalText keypad;  ///< "请按 1 …", after speech failed `Limits::no_match` times
  /// Slot that gets a day or time named in passing ("周五下午行吗"), whatever was asked.
  std::string capture_time;
  bool own_words = false;  ///< what nothing here answers, a language model may: Flow::own_words
};

constexpr Milliseconds kNeverInterruptible = Milliseconds::max();

enum class NodeEnd { kNone, kHangUp, kTransfer };

struct Node {
  std::string id;
  LocalText say;                        ///< may be empty for a node that only decides
  Milliseconds interruptible_after{0};  ///< of `say`, or kNeverInterruptible; what is asked again
                                        ///< always is
  std::vector<Effect> effects;
  std::optional<Ask> ask;
  std::vector<Branch> next;  ///< the first that holds
  NodeEnd end = NodeEnd::kNone;
};

enum class VariableKind { kText, kName, kDateTime, kDigits, kMoney };

struct Variable {
  std::string name;
  VariableKind kind = VariableKind::kText;
  /// Differs from call to call: rendered as a fragment of its own. Others (company, address) are
  /// part of the fixed prompts.
  bool per_call = false;
  bool required = false;  ///< a call without it does not start
  LocalText fallback;
};

struct Faq {
  std::string id;
  std::vector<std::string> zh;  ///< phrases that ask it
  std::vector<std::string> en;
  LocalText answer;
  LocalText meaning;  ///< as Option::meaning
};

struct OwnIntent {
  std::string name;
  std::vector<std::string> zh;
  std::vector<std::string> en;
  LocalText meaning;  ///< as Option::meaning
};

/// Where the engine goes by itself. Node ids, but for texts.
struct Globals {
  std::string opt_out;    ///< says goodbye after the number was put on the list
  std::string human;      ///< hands over
  std::string complaint;  ///< hands over
  std::string busy;       ///< bad moment
  std::string wrong_number;
  std::string goodbye;  ///< the caller says goodbye
  std::string give_up;  ///< speech and keypad failed, or too many turns
  std::string silent;   ///< nobody there
  std::string transfer_failed;
  LocalText who;   ///< answers "who is this"
  LocalText hold;  ///< answers "hold on"
  /// Answers what nothing here answers, when a language model makes out that something is asked;
  /// may be empty.
  LocalText unknown;
};

/// What a language model may say in its own words, where an ask allows it.
struct OwnWords {
  LocalText about;    ///< what it knows; empty: it says nothing of its own
  LocalText lead_in;  ///< said while it thinks
};

struct Limits {
  int silence = 3;   ///< silences in a row at one node before `silent`; 1…5
  int no_match = 2;  ///< failures at one node before the keypad; 1…5. As many again: `give_up`
  int turns = 40;    ///< answers of the caller in one call; 5…200
};

struct Flow {
  std::string id;       ///< [a-z0-9_]{1,64}
  std::string version;  ///< shown with the calls made by it
  LocalText title;
  bool zh = false;  ///< languages it speaks
  bool en = false;
  std::string start;
  Limits limits;
  Globals globals;
  std::map<std::string, Variable, std::less<>> variables;
  std::vector<Node> nodes;
  std::vector<Faq> faq;
  std::vector<OwnIntent> intents;
  OwnWords own_words;

  [[nodiscard]] const Node* find(std::string_view node) const;
  [[nodiscard]] bool speaks(text::Language language) const {
    return language == text::Language::kZh ? zh : en;
  }
};

/// Parses and validates. Errors: kInvalid with every problem as "node: reason", one a line: missing
/// fields and texts, unknown nodes, variables and formats, unreachable nodes, say-only circles,
/// asks that cannot end, keypad keys used twice, and a first utterance that does not say that an AI
/// is calling (zh 智能语音助手 or AI …, en "AI assistant" …). At most 1 MB, 500 nodes.
Result<Flow> parse_flow(std::string_view json);

/// The flows of a folder by id. Threads: immutable, any.
class FlowLibrary {
 public:
  /// Reads every *.json. Errors: kNotFound no such folder or none in it; kInvalid with all problems
  /// as "file: node: reason".
  static Result<FlowLibrary> load(const std::filesystem::path& folder);
  [[nodiscard]] std::shared_ptr<const Flow> find(std::string_view id) const;
  [[nodiscard]] std::vector<std::string> ids() const;

 private:
  std::map<std::string, std::shared_ptr<const Flow>, std::less<>> flows_;
};

/// A piece of an utterance, rendered and cached by itself.
struct Segment {
  std::string id;         ///< "greet.say.0": flow-wide, the same in each call
  std::string text;       ///< normal writing; digits are spoken by engine/text
  bool cacheable = true;  ///< fixed: the same in every call, render ahead and keep on disk
  bool variable = false;  ///< holds data of this call: memory only
};

/// Every fixed piece that `flow` can say in `language`, once each, the nearest to the start first
/// (steps along `next`; what only a global rule reaches comes last): render these before the first
/// call. `variables` overrides the flow's fixed variables.
[[nodiscard]] std::vector<Segment> prompts(
    const Flow& flow, text::Language language,
    const std::map<std::string, std::string>& variables = {});
/// The fragments that the variables of `flow` can become where they can be foreseen: days from
/// `from` on, half hours 8–20. Empty when the flow says no times.
[[nodiscard]] std::vector<Segment> fragments(const Flow& flow, text::Language language,
                                             const text::LocalDate& from, int days);

/// What only a call with these `values` can say (names, times), once each, cut as it will be said:
/// a mark behind a name belongs to it. The nearest to the start first: render these before it is
/// dialled.
[[nodiscard]] std::vector<Segment> own_pieces(const Flow& flow, text::Language language,
                                              const std::map<std::string, std::string>& values);

/// `template_text` with values put in, cut into fixed and variable segments named `id`.0, `id`.1 …
/// Unknown or unreadable values are left out. Formats: datetime date time digits money.
[[nodiscard]] std::vector<Segment> fill(const Flow& flow, std::string_view template_text,
                                        std::string_view id, text::Language language,
                                        const std::map<std::string, std::string>& values);

}  // namespace yyc3::dialogue
