#include "product/dialogue/flow_reader.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace yyc3::dialogue {
namespace {

constexpr std::size_t kNodesMax = 500;
constexpr std::size_t kListMax = 64;
constexpr std::size_t kTextBytesMax = 1000;

class Reader {
 public:
  explicit Reader(Problems& problems) : problems_(problems) {}

  void known(const json::object& from, std::string_view where,
             std::initializer_list<std::string_view> keys) {
    for (const auto& field : from)
      if (std::ranges::find(keys, std::string_view(field.key())) == keys.end())
        problems_.add(where, fmt::format("unknown field \"{}\"", std::string_view(field.key())));
  }

  const json::object* object(const json::object& from, std::string_view key,
                             std::string_view where) {
    const json::value* value = from.if_contains(key);
    if (value == nullptr) return nullptr;
    if (!value->is_object()) problems_.add(where, fmt::format("\"{}\" must be an object", key));
    return value->if_object();
  }

  const json::array* array(const json::object& from, std::string_view key, std::string_view where) {
    const json::value* value = from.if_contains(key);
    if (value == nullptr) return nullptr;
    if (!value->is_array()) problems_.add(where, fmt::format("\"{}\" must be a list", key));
    return value->if_array();
  }

  std::string text(const json::object& from, std::string_view key, std::string_view where) {
    const json::value* value = from.if_contains(key);
    if (value == nullptr) return {};
    if (!value->is_string() || value->get_string().size() > kTextBytesMax) {
      problems_.add(where,
                    fmt::format("\"{}\" must be a text of at most {} bytes", key, kTextBytesMax));
      return {};
    }
    return std::string(value->get_string());
  }

  bool flag(const json::object& from, std::string_view key, std::string_view where,
            bool otherwise) {
    const json::value* value = from.if_contains(key);
    if (value == nullptr) return otherwise;
    if (!value->is_bool()) problems_.add(where, fmt::format("\"{}\" must be true or false", key));
    return value->is_bool() ? value->get_bool() : otherwise;
  }

  struct Range {
    int low;
    int high;
  };
  int integer(const json::object& from, std::string_view key, std::string_view where, Range range,
              int otherwise) {
    const json::value* value = from.if_contains(key);
    if (value == nullptr) return otherwise;
    const std::int64_t* number = value->if_int64();
    if (number == nullptr || *number < range.low || *number > range.high) {
      problems_.add(where,
                    fmt::format("\"{}\" must be a whole number {}…{}", key, range.low, range.high));
      return otherwise;
    }
    return static_cast<int>(*number);
  }

  /// true, false, or {"after_ms": 100…10000}.
  Milliseconds interruptible(const json::object& from, std::string_view where) {
    const json::value* value = from.if_contains("interruptible");
    if (value == nullptr) return Milliseconds{0};
    if (value->is_bool()) return value->get_bool() ? Milliseconds{0} : kNeverInterruptible;
    const std::string inner = fmt::format("{}: interruptible", where);
    if (const json::object* after = value->if_object(); after && after->contains("after_ms")) {
      known(*after, inner, {"after_ms"});
      return Milliseconds{integer(*after, "after_ms", inner, {100, 10'000}, 100)};
    }
    problems_.add(where, "\"interruptible\" must be true, false or {\"after_ms\": 100…10000}");
    return Milliseconds{0};
  }

  LocalText local(const json::object& from, std::string_view key, std::string_view where) {
    const json::value* value = from.if_contains(key);
    if (value == nullptr) return {};
    const std::string inner = fmt::format("{}: {}", where, key);
    if (const json::object* both = value->if_object()) {
      known(*both, inner, {"zh", "en"});
      return {text(*both, "zh", inner), text(*both, "en", inner)};
    }
    problems_.add(where, fmt::format("\"{}\" must be an object with zh and en", key));
    return {};
  }

  std::vector<std::string> list(const json::object& from, std::string_view key,
                                std::string_view where) {
    std::vector<std::string> out;
    const json::array* items = array(from, key, where);
    if (items == nullptr) return out;
    for (const json::value& item : *items) {
      if (!item.is_string() || item.get_string().empty() || item.get_string().size() > 160 ||
          out.size() == kListMax) {
        problems_.add(where, fmt::format("\"{}\": at most {} texts of 1…160 bytes", key, kListMax));
        break;
      }
      out.emplace_back(item.get_string());
    }
    return out;
  }

  /// Objects of a list; others are problems.
  template <class Read>
  void each(const json::object& from, std::string_view key, std::string_view where, Read read) {
    const json::array* items = array(from, key, where);
    if (items == nullptr) return;
    if (items->size() > kListMax)
      problems_.add(where, fmt::format("\"{}\": at most {} entries", key, kListMax));
    for (std::size_t i = 0; i < std::min(items->size(), kListMax); ++i) {
      if (const json::object* item = (*items)[i].if_object())
        read(*item);
      else
        problems_.add(where, fmt::format("\"{}\": entry {} must be an object", key, i + 1));
    }
  }

  Effect effect(const json::object& from, std::string_view where) {
    known(from, where, {"disposition", "book", "add_do_not_call", "set", "value", "clear"});
    Effect out;
    if (from.contains("disposition"))
      out = {Effect::Kind::kDisposition, {}, text(from, "disposition", where)};
    else if (from.contains("book"))
      out = {Effect::Kind::kBook, text(from, "book", where), {}};
    else if (flag(from, "add_do_not_call", where, false))
      out.kind = Effect::Kind::kAddDoNotCall;
    else if (from.contains("set"))
      out = {Effect::Kind::kSet, text(from, "set", where), text(from, "value", where)};
    else if (from.contains("clear"))
      out = {Effect::Kind::kClear, text(from, "clear", where), {}};
    else
      problems_.add(where, "do: needs one of disposition, book, add_do_not_call, set, clear");
    return out;
  }

  std::vector<Effect> effects(const json::object& from, std::string_view where) {
    std::vector<Effect> out;
    each(from, "do", where, [&](const json::object& item) { out.push_back(effect(item, where)); });
    return out;
  }

  Branch branch(const json::object& from, std::string_view where) {
    known(from, where, {"if", "do", "go"});
    Branch out;
    out.go = text(from, "go", where);
    out.effects = effects(from, where);
    const json::object* when = object(from, "if", where);
    if (when == nullptr) return out;
    known(*when, where, {"answer", "intent", "entity", "sentiment", "request", "slot", "is"});
    out.when = {text(*when, "answer", where),  text(*when, "intent", where),
                text(*when, "entity", where),  text(*when, "sentiment", where),
                text(*when, "request", where), text(*when, "slot", where),
                text(*when, "is", where)};
    return out;
  }

  Option option(const json::object& from, std::string_view where) {
    known(from, where, {"value", "zh", "en", "key", "yes", "no", "meaning"});
    Option out;
    out.value = text(from, "value", where);
    out.zh = list(from, "zh", where);
    out.en = list(from, "en", where);
    out.means_yes = flag(from, "yes", where, false);
    out.means_no = flag(from, "no", where, false);
    out.meaning = local(from, "meaning", where);
    const std::string key = text(from, "key", where);
    if (key.size() > 1) problems_.add(where, "an option's key is one of 0…9");
    if (key.size() == 1) out.key = key[0];
    return out;
  }

  Ask ask(const json::object& from, std::string_view where) {
    known(from, where,
          {"slot", "grammar", "options", "digits", "question", "silence", "no_match", "keypad",
           "capture_time", "own_words"});
    Ask out;
    out.slot = text(from, "slot", where);
    out.capture_time = text(from, "capture_time", where);
    out.own_words = flag(from, "own_words", where, false);
    const std::string grammar = text(from, "grammar", where);
    bool found = false;
    for (const Grammar each_grammar : {Grammar::kFree, Grammar::kYesNo, Grammar::kDigit,
                                       Grammar::kDigits, Grammar::kTime, Grammar::kOptions})
      if (grammar == name_of(each_grammar)) {
        out.grammar = each_grammar;
        found = true;
      }
    if (!found)
      problems_.add(where,
                    fmt::format("ask: unknown grammar \"{}\"; one of free yes_no digit digits "
                                "time options",
                                grammar));
    each(from, "options", where,
         [&](const json::object& item) { out.options.push_back(option(item, where)); });
    if (const json::object* digits = object(from, "digits", where)) {
      known(*digits, where, {"min", "max"});
      out.digits_min = integer(*digits, "min", where, {1, 32}, 1);
      out.digits_max = integer(*digits, "max", where, {out.digits_min, 32}, out.digits_min);
    }
    out.question = local(from, "question", where);
    out.on_silence = local(from, "silence", where);
    out.on_no_match = local(from, "no_match", where);
    out.keypad = local(from, "keypad", where);
    return out;
  }

  Node node(std::string id, const json::object& from) {
    known(from, id, {"say", "interruptible", "do", "ask", "next", "go", "end"});
    Node out;
    out.say = local(from, "say", id);
    out.interruptible_after = interruptible(from, id);
    out.effects = effects(from, id);
    if (const json::object* question = object(from, "ask", id)) out.ask = ask(*question, id);
    each(from, "next", id, [&](const json::object& item) { out.next.push_back(branch(item, id)); });
    if (const std::string go = text(from, "go", id); !go.empty()) out.next.push_back({{}, {}, go});
    const std::string end = text(from, "end", id);
    if (end == "hang_up") out.end = NodeEnd::kHangUp;
    if (end == "transfer") out.end = NodeEnd::kTransfer;
    if (!end.empty() && out.end == NodeEnd::kNone)
      problems_.add(id, fmt::format("unknown end \"{}\"; hang_up or transfer", end));
    out.id = std::move(id);
    return out;
  }

  void variables(const json::object& from, Flow& flow) {
    const json::object* all = object(from, "variables", "variables");
    if (all == nullptr) return;
    for (const auto& field : *all) {
      const std::string name(field.key());
      const std::string where = "variables: " + name;
      const json::object* given = field.value().if_object();
      if (given == nullptr) {
        problems_.add(where, "must be an object");
        continue;
      }
      known(*given, where, {"kind", "per_call", "required", "default"});
      Variable variable;
      variable.name = name;
      variable.per_call = flag(*given, "per_call", where, false);
      variable.required = flag(*given, "required", where, false);
      variable.fallback = local(*given, "default", where);
      const std::string kind = text(*given, "kind", where);
      constexpr std::array<std::string_view, 5> kKinds{"text", "name", "datetime", "digits",
                                                       "money"};
      const auto known_kind = std::ranges::find(kKinds, kind);
      if (known_kind == kKinds.end())
        problems_.add(where, fmt::format("unknown kind \"{}\"", kind));
      else
        variable.kind = static_cast<VariableKind>(known_kind - kKinds.begin());
      flow.variables.emplace(name, std::move(variable));
    }
  }

  void globals(const json::object& from, Flow& flow) {
    const json::object* given = object(from, "globals", "globals");
    if (given == nullptr) {
      problems_.add("globals", "missing");
      return;
    }
    known(*given, "globals",
          {"opt_out", "human", "complaint", "busy", "wrong_number", "goodbye", "give_up", "silent",
           "transfer_failed", "who", "hold", "unknown"});
    Globals& to = flow.globals;
    for (const auto& [key, field] : {std::pair{"opt_out", &to.opt_out},
                                     {"human", &to.human},
                                     {"complaint", &to.complaint},
                                     {"busy", &to.busy},
                                     {"wrong_number", &to.wrong_number},
                                     {"goodbye", &to.goodbye},
                                     {"give_up", &to.give_up},
                                     {"silent", &to.silent},
                                     {"transfer_failed", &to.transfer_failed}})
      *field = text(*given, key, "globals");
    to.who = local(*given, "who", "globals");
    to.hold = local(*given, "hold", "globals");
    to.unknown = local(*given, "unknown", "globals");
  }

  void nodes(const json::object& from, Flow& flow) {
    const json::object* all = object(from, "nodes", "nodes");
    if (all == nullptr || all->empty()) {
      problems_.add("nodes", "missing");
      return;
    }
    if (all->size() > kNodesMax) {
      problems_.add("nodes", fmt::format("{}; at most {}", all->size(), kNodesMax));
      return;
    }
    for (const auto& field : *all) {
      if (const json::object* given = field.value().if_object())
        flow.nodes.push_back(node(std::string(field.key()), *given));
      else
        problems_.add(std::string_view(field.key()), "must be an object");
    }
  }

  void lists(const json::object& from, Flow& flow) {
    each(from, "faq", "faq", [&](const json::object& item) {
      Faq faq;
      faq.id = text(item, "id", "faq");
      const std::string where = "faq " + faq.id;
      known(item, where, {"id", "zh", "en", "answer", "meaning"});
      faq.zh = list(item, "zh", where);
      faq.en = list(item, "en", where);
      faq.answer = local(item, "answer", where);
      faq.meaning = local(item, "meaning", where);
      flow.faq.push_back(std::move(faq));
    });
    each(from, "intents", "intents", [&](const json::object& item) {
      const std::string name = text(item, "name", "intents");
      const std::string where = "intents: " + name;
      known(item, where, {"name", "zh", "en", "meaning"});
      flow.intents.push_back(
          {name, list(item, "zh", where), list(item, "en", where), local(item, "meaning", where)});
    });
  }

 private:
  Problems& problems_;
};

}  // namespace

void Problems::add(std::string_view where, std::string_view reason) {
  if (lines_.size() == kProblemsMax) lines_.emplace_back("…: and more");
  if (lines_.size() > kProblemsMax) return;
  lines_.push_back(fmt::format("{}: {}", where.substr(0, 100), reason));
}

std::string Problems::text() const {
  std::string out;
  for (const std::string& line : lines_) out += (out.empty() ? "" : "\n") + line;
  return out;
}

Flow read_flow(const json::object& from, Problems& problems) {
  Reader reader(problems);
  reader.known(from, "flow",
               {"format", "id", "version", "title", "languages", "start", "limits", "globals",
                "variables", "nodes", "faq", "intents", "own_words"});
  Flow flow;
  if (reader.integer(from, "format", "flow", {1, 1}, 0) != 1)
    problems.add("flow", "\"format\" must be 1");
  flow.id = reader.text(from, "id", "flow");
  flow.version = reader.text(from, "version", "flow");
  flow.title = reader.local(from, "title", "flow");
  for (const std::string& language : reader.list(from, "languages", "flow")) {
    if (language == "zh") flow.zh = true;
    if (language == "en") flow.en = true;
    if (language != "zh" && language != "en")
      problems.add("flow", fmt::format("unknown language \"{}\"; zh or en", language));
  }
  flow.start = reader.text(from, "start", "flow");
  if (const json::object* limits = reader.object(from, "limits", "limits")) {
    reader.known(*limits, "limits", {"silence", "no_match", "turns"});
    flow.limits.silence = reader.integer(*limits, "silence", "limits", {1, 5}, 3);
    flow.limits.no_match = reader.integer(*limits, "no_match", "limits", {1, 5}, 2);
    flow.limits.turns = reader.integer(*limits, "turns", "limits", {5, 200}, 40);
  }
  if (const json::object* own = reader.object(from, "own_words", "own_words")) {
    reader.known(*own, "own_words", {"about", "lead_in"});
    flow.own_words = {reader.local(*own, "about", "own_words"),
                      reader.local(*own, "lead_in", "own_words")};
  }
  reader.globals(from, flow);
  reader.variables(from, flow);
  reader.nodes(from, flow);
  reader.lists(from, flow);
  return flow;
}

}  // namespace yyc3::dialogue
