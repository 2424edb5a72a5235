#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>
#include <set>

#include "product/dialogue/entities.hpp"
#include "product/dialogue/flow_reader.hpp"
#include "product/dialogue/sentiment.hpp"
#include "product/dialogue/understanding.hpp"

namespace yyc3::dialogue {
namespace {

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool says_ai(std::string_view text, bool zh) {
  if (zh)
    return text.find("智能语音助手") != text.npos || text.find("智能助手") != text.npos ||
           text.find("AI") != text.npos || text.find("人工智能") != text.npos ||
           text.find("机器人") != text.npos;
  return text.find("AI assistant") != text.npos || text.find("AI agent") != text.npos ||
         text.find("AI voice") != text.npos || text.find("automated assistant") != text.npos;
}

class Checker {
 public:
  Checker(const Flow& flow, Problems& problems) : flow_(flow), problems_(problems) {
    for (const Node& node : flow.nodes) {
      if (node.ask && !node.ask->slot.empty()) slots_.insert(node.ask->slot);
      if (node.ask && !node.ask->capture_time.empty()) slots_.insert(node.ask->capture_time);
      for (const Effect& effect : node.effects) note_slot(effect);
      for (const Branch& branch : node.next)
        for (const Effect& effect : branch.effects) note_slot(effect);
    }
  }

  void run() {
    head();
    for (const auto& [name, variable] : flow_.variables) check_variable(variable);
    for (const Node& node : flow_.nodes) check_node(node);
    check_lists();
    check_globals();
    check_disclosure();
    check_graph();
  }

 private:
  void note_slot(const Effect& effect) {
    if (effect.kind == Effect::Kind::kSet) slots_.insert(effect.name);
  }

  void head() {
    if (!is_name(flow_.id)) problems_.add("flow", "\"id\" must be 1…64 of a–z 0–9 _");
    if (flow_.version.empty()) problems_.add("flow", "\"version\" missing");
    if (!flow_.zh && !flow_.en) problems_.add("flow", "\"languages\" names neither zh nor en");
    if (flow_.find(flow_.start) == nullptr)
      problems_.add("flow", fmt::format("start: no node \"{}\"", flow_.start));
    need(flow_.title, "flow: title");
  }

  void check_variable(const Variable& variable) {
    const std::string where = "variables: " + variable.name;
    if (!is_name(variable.name)) problems_.add(where, "a name is 1…64 of a–z 0–9 _");
    if (slots_.contains(variable.name)) problems_.add(where, "is a slot too; use another name");
    if (variable.required) return;
    if (variable.kind == VariableKind::kDateTime)
      problems_.add(where, "a datetime has no default: make it required");
    else
      need(variable.fallback, where + ": default");
  }

  /// Present in every language the flow speaks, and readable.
  void need(const LocalText& text, const std::string& where) {
    if (flow_.zh && text.zh.empty()) problems_.add(where, "no zh text");
    if (flow_.en && text.en.empty()) problems_.add(where, "no en text");
    check_text(text, where);
  }

  void check_text(const LocalText& text, const std::string& where) {
    for (const std::string* one : {&text.zh, &text.en}) {
      bool broken = false;
      for (const Placeholder& place : placeholders(*one, &broken)) {
        if (!flow_.variables.contains(place.name) && !slots_.contains(place.name))
          problems_.add(where, fmt::format("no variable or slot \"{}\"", place.name));
        if (!place.format.empty() && !is_format(place.format))
          problems_.add(where, fmt::format("unknown format \"{}\"; datetime date time digits money",
                                           place.format));
      }
      if (broken) problems_.add(where, "a { without its }");
    }
  }

  void check_effects(const std::vector<Effect>& effects, const std::string& where) {
    for (const Effect& effect : effects) {
      if (effect.kind == Effect::Kind::kDisposition && !is_name(effect.value))
        problems_.add(where, "a disposition is 1…64 of a–z 0–9 _");
      if (effect.kind == Effect::Kind::kBook && !slots_.contains(effect.name))
        problems_.add(where, fmt::format("book: no slot \"{}\"", effect.name));
      if ((effect.kind == Effect::Kind::kSet || effect.kind == Effect::Kind::kClear) &&
          !is_name(effect.name))
        problems_.add(where, "set, clear: a slot is 1…64 of a–z 0–9 _");
    }
  }

  void check_node(const Node& node) {
    if (!is_name(node.id)) problems_.add(node.id, "a node's name is 1…64 of a–z 0–9 _");
    if (!node.say.empty()) need(node.say, node.id + ": say");
    check_effects(node.effects, node.id);
    const bool ends = node.end != NodeEnd::kNone;
    if (ends && (node.ask || !node.next.empty()))
      problems_.add(node.id, "an end has neither ask nor next");
    if (ends && node.say.empty()) problems_.add(node.id, "an end says something first");
    if (!ends && node.next.empty()) problems_.add(node.id, "leads nowhere: next, go or end");
    for (const Branch& branch : node.next) check_branch(node, branch);
    if (node.ask)
      check_ask(node, *node.ask);
    else if (!ends && !node.next.empty() && !is_open(node.next.back().when))
      problems_.add(node.id, "the last branch of a node without ask must have no \"if\"");
  }

  static bool is_open(const Condition& when) {
    return when.answer.empty() && when.intent.empty() && when.entity.empty() &&
           when.sentiment.empty() && when.request.empty() && when.slot.empty();
  }

  void check_branch(const Node& node, const Branch& branch) {
    if (flow_.find(branch.go) == nullptr)
      problems_.add(node.id, fmt::format("go: no node \"{}\"", branch.go));
    check_effects(branch.effects, node.id);
    const Condition& when = branch.when;
    if (!when.answer.empty() && !answer_possible(node, when.answer))
      problems_.add(node.id, fmt::format("the answer \"{}\" cannot be given here", when.answer));
    if (!when.intent.empty() && !known_intent(when.intent))
      problems_.add(node.id, fmt::format("no intent \"{}\"", when.intent));
    if (!when.entity.empty() && !known_entity(when.entity))
      problems_.add(node.id, fmt::format("no entity \"{}\"", when.entity));
    if (!when.request.empty() && !known_request(when.request))
      problems_.add(node.id, fmt::format("no request \"{}\"", when.request));
    if (!when.sentiment.empty() && when.sentiment != "negative" && when.sentiment != "neutral" &&
        when.sentiment != "positive")
      problems_.add(node.id, fmt::format("no sentiment \"{}\"", when.sentiment));
    if (!when.slot.empty() && !slots_.contains(when.slot) && !flow_.variables.contains(when.slot))
      problems_.add(node.id, fmt::format("no slot \"{}\"", when.slot));
    if (!when.is.empty() && when.slot.empty()) problems_.add(node.id, "\"is\" without \"slot\"");
  }

  static bool answer_possible(const Node& node, std::string_view answer) {
    if (!node.ask) return false;
    constexpr std::array<std::string_view, 5> kTimes{"complete", "date_only", "time_only", "past",
                                                     "impossible"};
    switch (node.ask->grammar) {
      case Grammar::kFree:
        return answer == "match";
      case Grammar::kYesNo:
        return answer == "yes" || answer == "no";
      case Grammar::kDigit:
      case Grammar::kDigits:
        return answer == "digits";
      case Grammar::kTime:
        return std::ranges::find(kTimes, answer) != kTimes.end();
      case Grammar::kOptions:
        return std::ranges::find(node.ask->options, answer, &Option::value) !=
               node.ask->options.end();
    }
    return false;
  }

  [[nodiscard]] bool known_intent(std::string_view name) const {
    return intent_of(name).has_value() ||
           std::ranges::find(flow_.intents, name, &OwnIntent::name) != flow_.intents.end();
  }
  static bool known_entity(std::string_view name) {
    for (int kind = 0; kind <= static_cast<int>(EntityKind::kPersonName); ++kind)
      if (name == name_of(static_cast<EntityKind>(kind))) return true;
    return false;
  }
  static bool known_request(std::string_view name) {
    for (int request = 1; request <= static_cast<int>(Request::kGoodbye); ++request)
      if (name == name_of(static_cast<Request>(request))) return true;
    return false;
  }

  void check_ask(const Node& node, const Ask& ask) {
    need(ask.question, node.id + ": question");
    need(ask.on_silence, node.id + ": silence");
    need(ask.on_no_match, node.id + ": no_match");
    if (ask.grammar != Grammar::kFree) need(ask.keypad, node.id + ": keypad");
    if (ask.own_words && flow_.own_words.about.empty())
      problems_.add(node.id, "own_words: the flow has no \"own_words\" that say what about");
    if (!ask.slot.empty() && !is_name(ask.slot)) problems_.add(node.id, "bad name of a slot");
    if (ask.grammar == Grammar::kOptions && ask.options.size() < 2)
      problems_.add(node.id, "options: at least two");
    if (ask.grammar != Grammar::kOptions && !ask.options.empty())
      problems_.add(node.id, "options without the grammar options");
    std::set<char> keys;
    std::set<std::string> values;
    for (const Option& option : ask.options) {
      const std::string where = node.id + ": option " + option.value;
      if (!is_name(option.value)) problems_.add(where, "a value is 1…64 of a–z 0–9 _");
      if (!values.insert(option.value).second) problems_.add(where, "twice");
      if (flow_.zh && option.zh.empty()) problems_.add(where, "no zh phrases");
      if (flow_.en && option.en.empty()) problems_.add(where, "no en phrases");
      if (option.key < '0' || option.key > '9')
        problems_.add(where, "needs a key 0…9");
      else if (!keys.insert(option.key).second)
        problems_.add(where, fmt::format("key {} is used twice", option.key));
      if (std::ranges::none_of(node.next, [&](const Branch& branch) {
            return branch.when.answer == option.value || branch.when.answer.empty();
          }))
        problems_.add(where, "no branch for it");
    }
  }

  void check_lists() {
    std::set<std::string> ids;
    for (const Faq& faq : flow_.faq) {
      const std::string where = "faq " + faq.id;
      if (!is_name(faq.id)) problems_.add(where, "an id is 1…64 of a–z 0–9 _");
      if (!ids.insert(faq.id).second) problems_.add(where, "twice");
      if (flow_.zh && faq.zh.empty()) problems_.add(where, "no zh phrases");
      if (flow_.en && faq.en.empty()) problems_.add(where, "no en phrases");
      need(faq.answer, where + ": answer");
    }
    for (const OwnIntent& intent : flow_.intents) {
      if (!is_name(intent.name) || intent_of(intent.name))
        problems_.add("intents: " + intent.name, "a new name of 1…64 of a–z 0–9 _");
      if (intent.zh.empty() && intent.en.empty())
        problems_.add("intents: " + intent.name, "no phrases");
    }
  }

  void check_globals() {
    const Globals& to = flow_.globals;
    need(to.who, "globals: who");
    need(to.hold, "globals: hold");
    const bool speaks = !flow_.own_words.about.empty();
    if (speaks) {
      need(flow_.own_words.about, "own_words: about");
      need(flow_.own_words.lead_in, "own_words: lead_in");
    }
    // Where a model speaks, this is said when it is not to be heard.
    if (speaks || !to.unknown.empty()) need(to.unknown, "globals: unknown");
    for (const auto& [name, node] : {std::pair{"opt_out", &to.opt_out},
                                     {"human", &to.human},
                                     {"complaint", &to.complaint},
                                     {"busy", &to.busy},
                                     {"wrong_number", &to.wrong_number},
                                     {"goodbye", &to.goodbye},
                                     {"give_up", &to.give_up},
                                     {"silent", &to.silent},
                                     {"transfer_failed", &to.transfer_failed}}) {
      const std::string where = fmt::format("globals: {}", name);
      if (flow_.find(*node) == nullptr)
        problems_.add(where, fmt::format("no node \"{}\"", *node));
      else if (asks_on_the_way(*node))
        problems_.add(where,
                      fmt::format("\"{}\" must end the call without another question", *node));
    }
    for (const std::string* node : {&to.opt_out, &to.transfer_failed, &to.silent})
      if (reaches_transfer(*node))
        problems_.add("globals", fmt::format("\"{}\" must hang up, not transfer", *node));
  }

  /// Nodes entered from `id` without the caller saying anything.
  [[nodiscard]] std::vector<const Node*> run_from(std::string_view id) const {
    std::vector<const Node*> out;
    std::vector<const Node*> open{flow_.find(id)};
    while (!open.empty()) {
      const Node* node = open.back();
      open.pop_back();
      if (node == nullptr || std::ranges::find(out, node) != out.end()) continue;
      out.push_back(node);
      if (node->ask) continue;
      for (const Branch& branch : node->next) open.push_back(flow_.find(branch.go));
    }
    return out;
  }
  [[nodiscard]] bool asks_on_the_way(std::string_view id) const {
    return std::ranges::any_of(run_from(id),
                               [](const Node* node) { return node->ask.has_value(); });
  }
  [[nodiscard]] bool reaches_transfer(std::string_view id) const {
    return std::ranges::any_of(run_from(id),
                               [](const Node* node) { return node->end == NodeEnd::kTransfer; });
  }

  void check_disclosure() {
    const Node* node = flow_.find(flow_.start);
    if (node == nullptr) return;
    if ((flow_.zh && !says_ai(node->say.zh, true)) || (flow_.en && !says_ai(node->say.en, false)))
      problems_.add(node->id,
                    "the first words must say that an AI calls (zh 智能语音助手, en AI assistant)");
    if (node->interruptible_after != kNeverInterruptible)
      problems_.add(node->id,
                    "\"interruptible\" must be false: the disclosure is heard to its end");
  }

  void check_graph() {
    std::set<const Node*> seen;
    std::vector<const Node*> open{flow_.find(flow_.start)};
    const Globals& to = flow_.globals;
    for (const std::string* global :
         {&to.opt_out, &to.human, &to.complaint, &to.busy, &to.wrong_number, &to.goodbye,
          &to.give_up, &to.silent, &to.transfer_failed})
      open.push_back(flow_.find(*global));
    while (!open.empty()) {
      const Node* node = open.back();
      open.pop_back();
      if (node == nullptr || !seen.insert(node).second) continue;
      for (const Branch& branch : node->next) open.push_back(flow_.find(branch.go));
    }
    for (const Node& node : flow_.nodes)
      if (!seen.contains(&node)) problems_.add(node.id, "no way leads here");
    check_circles();
    check_ends();
  }

  /// A circle of nodes that ask nothing would never stop.
  void check_circles() {
    std::set<const Node*> done;
    std::set<const Node*> on_path;
    const std::function<void(const Node*)> visit = [&](const Node* node) {
      if (node == nullptr || node->ask || done.contains(node)) return;
      if (!on_path.insert(node).second) {
        problems_.add(node->id, "in a circle of nodes that ask nothing");
        return;
      }
      for (const Branch& branch : node->next) visit(flow_.find(branch.go));
      on_path.erase(node);
      done.insert(node);
    };
    for (const Node& node : flow_.nodes) visit(&node);
  }

  void check_ends() {
    std::set<std::string_view> ending;
    for (bool grown = true; grown;) {
      grown = false;
      for (const Node& node : flow_.nodes) {
        if (ending.contains(node.id)) continue;
        const bool ends =
            node.end != NodeEnd::kNone || std::ranges::any_of(node.next, [&](const Branch& branch) {
              return ending.contains(branch.go);
            });
        if (ends) grown = ending.insert(node.id).second || grown;
      }
    }
    for (const Node& node : flow_.nodes)
      if (!ending.contains(node.id)) problems_.add(node.id, "no end can be reached from here");
  }

  const Flow& flow_;
  Problems& problems_;
  std::set<std::string, std::less<>> slots_;
};

}  // namespace

void check_flow(const Flow& flow, Problems& problems) { Checker(flow, problems).run(); }

}  // namespace yyc3::dialogue
