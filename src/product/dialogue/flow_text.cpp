#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <set>

#include "product/dialogue/entities.hpp"
#include "product/dialogue/flow_reader.hpp"

namespace yyc3::dialogue {
namespace {

using Values = std::map<std::string, std::string>;
using text::Language;

/// Collects pieces: fixed ones run together, variable ones stand alone.
class Pieces {
 public:
  explicit Pieces(std::string_view id) : id_(id) {}
  void fixed(std::string_view text) { pending_ += text; }
  void variable(const std::string& text) {
    if (text.empty()) return;
    flush();
    out_.push_back({next_id(), text, false, true});
  }
  std::vector<Segment> take() {
    flush();
    return std::move(out_);
  }

 private:
  std::string next_id() { return fmt::format("{}.{}", id_, out_.size()); }
  void flush() {
    const bool speaks = pending_.find_first_not_of(" ,.!?") != std::string::npos;
    if (speaks && pending_ != "，" && pending_ != "。" && pending_ != "！" && pending_ != "？") {
      out_.push_back({next_id(), pending_, true, false});
    } else if (!out_.empty()) {
      out_.back().text += pending_;  // a lone mark belongs to what stands before it
    }
    pending_.clear();
  }
  std::string id_;
  std::string pending_;
  std::vector<Segment> out_;
};

std::string in_digits(std::string_view value) {
  std::string out;
  for (const char c : value)
    if (c >= '0' && c <= '9') out += c;
  return out.substr(0, 32);
}

std::string money(std::string_view value, Language language) {
  std::int64_t cents = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), cents);
  if (error != std::errc{} || end != value.data() + value.size() || cents < 0) return {};
  const std::string number = cents % 100 == 0 ? std::to_string(cents / 100)
                                              : fmt::format("{}.{:02}", cents / 100, cents % 100);
  return language == Language::kZh ? number + "元" : "$" + number;
}

void put(Pieces& to, std::string_view format, const std::string& value, Language language) {
  const text::WhenReading when = when_of(value);
  const bool whole = format == "datetime";
  if (format == "digits") {
    to.variable(in_digits(value));
  } else if (format == "money") {
    to.variable(money(value, language));
  } else if (whole || format == "date" || format == "time") {
    if (when.date && format != "time") to.variable(text::say_date(*when.date, language));
    if (whole && when.date && when.time && language == Language::kEn) to.fixed(" at ");
    if (when.time && format != "date") to.variable(text::say_time(*when.time, language));
  } else {
    to.variable(value);
  }
}

std::string_view format_of(const Flow& flow, const Placeholder& place) {
  if (!place.format.empty()) return place.format;
  const auto found = flow.variables.find(place.name);
  if (found == flow.variables.end()) return {};
  constexpr std::array<std::string_view, 5> kOfKind{"", "", "datetime", "digits", "money"};
  return kOfKind[static_cast<std::size_t>(found->second.kind)];
}

/// The nodes in the order in which a call can come to them: breadth first from the start, then from
/// where the global rules lead.
std::vector<const Node*> nearest_first(const Flow& flow) {
  std::vector<const Node*> order;
  const auto reach = [&](const std::string& id) {
    const Node* node = flow.find(id);
    if (node != nullptr && std::ranges::find(order, node) == order.end()) order.push_back(node);
  };
  std::size_t at = 0;
  const auto follow = [&] {
    for (; at < order.size(); ++at)
      for (const Branch& branch : order[at]->next) reach(branch.go);
  };
  reach(flow.start);
  follow();
  const Globals& g = flow.globals;
  for (const std::string* id : {&g.busy, &g.wrong_number, &g.goodbye, &g.human, &g.opt_out,
                                &g.complaint, &g.silent, &g.give_up, &g.transfer_failed})
    reach(*id);
  follow();
  for (const Node& node : flow.nodes) reach(node.id);  // parse_flow refuses those; none is lost
  return order;
}

const LocalText* longest_first(const Node& node, std::string_view field) {
  for (const NamedText& named : texts_of(node))
    if (field == named.field) return named.text;
  return nullptr;
}

}  // namespace

bool is_format(std::string_view name) {
  constexpr std::array<std::string_view, 5> kFormats{"datetime", "date", "time", "digits", "money"};
  return std::ranges::find(kFormats, name) != kFormats.end();
}

std::vector<Placeholder> placeholders(std::string_view text, bool* broken) {
  std::vector<Placeholder> out;
  for (std::size_t at = text.find('{'); at != std::string_view::npos; at = text.find('{', at)) {
    const std::size_t end = text.find('}', at);
    if (end == std::string_view::npos) {
      if (broken != nullptr) *broken = true;
      break;
    }
    const std::string_view inner = text.substr(at + 1, end - at - 1);
    const std::size_t bar = std::min(inner.find('|'), inner.size());
    out.push_back({at, end + 1, std::string(inner.substr(0, bar)),
                   std::string(inner.substr(std::min(bar + 1, inner.size())))});
    at = end + 1;
  }
  return out;
}

std::vector<Segment> fill(const Flow& flow, std::string_view template_text, std::string_view id,
                          Language language, const Values& values) {
  Pieces pieces(id);
  std::size_t from = 0;
  for (const Placeholder& place : placeholders(template_text)) {
    pieces.fixed(template_text.substr(from, place.begin - from));
    from = place.end;
    const auto variable = flow.variables.find(place.name);
    const auto given = values.find(place.name);
    std::string value = given != values.end() ? given->second : std::string();
    if (value.empty() && variable != flow.variables.end())
      value = variable->second.fallback.in(language);
    if (variable != flow.variables.end() && !variable->second.per_call &&
        format_of(flow, place).empty())
      pieces.fixed(value);  // company, address: the same in every call
    else
      put(pieces, format_of(flow, place), value, language);
  }
  pieces.fixed(template_text.substr(from));
  return pieces.take();
}

std::vector<Segment> prompts(const Flow& flow, Language language, const Values& variables) {
  std::vector<Segment> out;
  std::set<std::string> seen;
  // A stand-in for what a call will bring, so that texts are cut where they will be.
  Values values = variables;
  for (const Node& node : flow.nodes)
    for (const NamedText& named : texts_of(node))
      for (const Placeholder& place : placeholders(named.text->in(language)))
        if (!flow.variables.contains(place.name) || flow.variables.at(place.name).per_call)
          values.insert_or_assign(place.name, "2026-01-01T10:00");
  const auto take = [&](const LocalText& text, const std::string& id) {
    for (Segment& segment : fill(flow, text.in(language), id, language, values))
      if (segment.cacheable && seen.insert(segment.text).second) out.push_back(std::move(segment));
  };
  const auto order = nearest_first(flow);
  for (const Node* node : order) {
    for (const char* field : {"say", "question"})
      if (const LocalText* text = longest_first(*node, field)) take(*text, node->id + "." + field);
    if (node != order.front()) continue;
    take(flow.globals.who, "globals.who");  // what a surprised person asks first
    take(flow.globals.hold, "globals.hold");
  }
  for (const Faq& faq : flow.faq) take(faq.answer, "faq." + faq.id);
  take(flow.globals.unknown, "globals.unknown");
  take(flow.own_words.lead_in, "own_words.lead_in");
  for (const Node* node : order)
    for (const char* field : {"silence", "no_match", "keypad"})
      if (const LocalText* text = longest_first(*node, field)) take(*text, node->id + "." + field);
  return out;
}

std::vector<Segment> own_pieces(const Flow& flow, Language language, const Values& values) {
  std::vector<Segment> out;
  std::set<std::string> seen;
  for (const Node* node : nearest_first(flow))
    for (const NamedText& named : texts_of(*node))
      for (Segment& piece : fill(flow, named.text->in(language), node->id, language, values))
        if (piece.variable && seen.insert(piece.text).second) out.push_back(std::move(piece));
  return out;
}

std::vector<Segment> fragments(const Flow& flow, Language language, const text::LocalDate& from,
                               int days) {
  bool dates = false;
  for (const Node& node : flow.nodes)
    for (const NamedText& named : texts_of(node))
      for (const Placeholder& place : placeholders(named.text->in(language))) {
        const std::string_view format = format_of(flow, place);
        dates = dates || format == "datetime" || format == "date" || format == "time";
      }
  std::vector<Segment> out;
  if (!dates) return out;
  for (int day = 0; day < std::clamp(days, 0, 400); ++day)
    out.push_back({fmt::format("date.{}", day), text::say_date(text::add_days(from, day), language),
                   true, false});
  for (int half = 16; half <= 40; ++half)
    out.push_back({fmt::format("time.{}", half),
                   text::say_time({half / 2, half % 2 == 0 ? 0 : 30}, language), true, false});
  return out;
}

}  // namespace yyc3::dialogue
