#include "product/dialogue/session.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "engine/text/utf8.hpp"
#include "product/dialogue/entities.hpp"
#include "product/dialogue/flow_reader.hpp"
#include "product/dialogue/session_state.hpp"

namespace yyc3::dialogue {
namespace {

constexpr std::size_t kValueBytesMax = 300;
constexpr std::size_t kHeardBytesMax = 4000;
constexpr std::size_t kMurmurSyllables = 3;  // of a listener; longer speech takes the word
/// Below this a recogniser guesses: 181 lines of callers had 0.36 or more, 嗯嗯 heard as
/// "你怎么知道" 0.18 (calls of tools/accept).
constexpr double kGuessed = 0.3;
constexpr Milliseconds kMurmurLongest{600};

/// Taken at its word however unsure it was heard.
bool must_be_heard(Request request) {
  return request == Request::kOptOut || request == Request::kHuman ||
         request == Request::kComplaint || request == Request::kHold;
}

/// More than this nobody says in so short a time (fast Mandarin: 6.5 syllables a second, and one).
std::size_t most_syllables(Milliseconds spoken) {
  if (spoken >= kMurmurLongest) return SIZE_MAX;
  return static_cast<std::size_t>(1 + spoken.count() * 13 / 2'000);
}

Result<void> check_value(const Variable& variable, const std::string& value) {
  const std::string where = "variables." + variable.name;
  if (value.size() > kValueBytesMax)
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: longer than {} bytes", where, kValueBytesMax));
  for (const char c : value)
    if (static_cast<unsigned char>(c) < 0x20 || c == '{' || c == '}')
      return fail(ErrorCode::kInvalid, where + ": holds a control character or a brace");
  if (variable.kind == VariableKind::kDateTime && !when_of(value).complete())
    return fail(ErrorCode::kInvalid, where + ": must be a local time like 2026-11-25T15:30");
  if (variable.kind == VariableKind::kMoney &&
      value.find_first_not_of("0123456789") != std::string::npos)
    return fail(ErrorCode::kInvalid, where + ": must be whole cents, e.g. 12050");
  return {};
}

const char* name_of_stage(Stage stage) {
  constexpr std::array<const char*, 4> kNames{"new", "asking", "handed_over", "ended"};
  return kNames[static_cast<std::size_t>(stage)];
}

json::object object_of(const std::map<std::string, std::string>& from) {
  json::object out;
  for (const auto& [key, value] : from) out[key] = value;
  return out;
}

bool read_map(const json::value& from, std::string_view key,
              std::map<std::string, std::string>& to) {
  const json::value* found = find_field(from, key);
  if (found == nullptr || !found->is_object()) return false;
  for (const auto& field : found->get_object()) {
    if (!field.value().is_string()) return false;
    to[std::string(field.key())] = std::string(field.value().get_string());
  }
  return true;
}

}  // namespace

std::string Reply::text() const {
  std::string out;
  for (const Segment& segment : say) {
    const bool word = !out.empty() && !segment.text.empty() &&
                      text::is_latin(static_cast<unsigned char>(segment.text.front())) &&
                      static_cast<unsigned char>(out.back()) < 0x80 && out.back() != ' ';
    out += (word ? " " : "") + segment.text;
  }
  return out;
}

Books::Books(const Flow& flow, const Understanding& understanding)
    : faq(understanding.new_book()), own_intents(understanding.new_book()) {
  const auto add = [](PhraseBook& book, const auto& item, std::size_t label) {
    for (const std::string& phrase : item.zh) book.add(phrase, label, text::Language::kZh);
    for (const std::string& phrase : item.en) book.add(phrase, label, text::Language::kEn);
  };
  for (std::size_t i = 0; i < flow.faq.size(); ++i) add(faq, flow.faq[i], i);
  for (std::size_t i = 0; i < flow.intents.size(); ++i) add(own_intents, flow.intents[i], i);
  for (const Node& each : flow.nodes) {
    if (!each.ask) continue;
    PhraseBook book = understanding.new_book();
    for (std::size_t i = 0; i < each.ask->options.size(); ++i) add(book, each.ask->options[i], i);
    options.emplace(each.id, std::move(book));
  }
}

DialogueSession::State::State(std::shared_ptr<const Flow> given_flow,
                              std::shared_ptr<const Understanding> given_understanding)
    : flow(std::move(given_flow)),
      understanding(std::move(given_understanding)),
      books(std::make_shared<const Books>(*flow, *understanding)) {}

std::map<std::string, std::string> DialogueSession::State::values() const {
  std::map<std::string, std::string> out = variables;
  for (const auto& [name, value] : slots) out.insert_or_assign(name, value);
  return out;
}

std::set<std::string> DialogueSession::State::personal(const Node& of) const {
  std::set<std::string> names;
  for (const NamedText& named : texts_of(of)) {
    for (const Placeholder& place : placeholders(named.text->in(language))) {
      const auto known = flow->variables.find(place.name);
      if (known != flow->variables.end() && known->second.per_call) names.insert(place.name);
    }
  }
  return names;
}

std::string DialogueSession::State::question() const {
  Reply asked;
  asked.say = fill(*flow, here().ask->question.in(language), node, language, values());
  return asked.text();
}

TimeSoFar DialogueSession::State::time_so_far(const std::string& slot) const {
  TimeSoFar out;
  if (const auto found = slots.find(slot); found != slots.end()) out.when = when_of(found->second);
  if (const auto part = parts.find(slot); part != parts.end())
    out.part = static_cast<text::DayPart>(part->second);
  return out;
}

Answer DialogueSession::State::answer(std::string_view heard, text::Language spoken,
                                      const Understood& understood,
                                      const text::LocalDateTime& now) const {
  const Ask& ask = *here().ask;
  if (ask.grammar == Grammar::kTime) return merge_time(time_so_far(ask.slot), understood.when, now);
  return answer_to(ask, books->options.find(node)->second, heard, spoken, understood);
}

DialogueSession::DialogueSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
DialogueSession::DialogueSession(DialogueSession&&) noexcept = default;
DialogueSession& DialogueSession::operator=(DialogueSession&&) noexcept = default;
DialogueSession::~DialogueSession() = default;

DialogueSession DialogueSession::copy() const {
  return DialogueSession(std::make_unique<State>(*state_));
}

Result<DialogueSession> DialogueSession::create(std::shared_ptr<const Flow> flow,
                                                std::shared_ptr<const Understanding> understanding,
                                                SessionContext context) {
  if (!flow->speaks(context.language))
    return fail(ErrorCode::kInvalid,
                fmt::format("language: the flow {} does not speak {}", flow->id,
                            context.language == text::Language::kZh ? "zh" : "en"));
  for (const auto& [name, variable] : flow->variables) {
    const auto given = context.variables.find(name);
    if (given == context.variables.end() || given->second.empty()) {
      if (variable.required)
        return fail(ErrorCode::kInvalid,
                    "variables." + name + ": required by the flow " + flow->id);
      continue;
    }
    if (Result<void> sound = check_value(variable, given->second); !sound)
      return tl::unexpected<Error>(sound.error());
  }
  auto state = std::make_unique<State>(std::move(flow), std::move(understanding));
  state->language = context.language;
  for (auto& [name, value] : context.variables)
    if (state->flow->variables.contains(name)) state->variables.emplace(name, std::move(value));
  state->node = state->flow->start;
  return DialogueSession(std::move(state));
}

Reply DialogueSession::start(const text::LocalDateTime& now) {
  Step step(*state_, now);
  if (state_->stage == Stage::kNew)
    step.go(state_->flow->start);
  else if (state_->stage == Stage::kAsking)
    step.ask_again();  // restored in mid-call
  return step.take();
}

Reply DialogueSession::on_thought(std::string_view choice, const text::LocalDateTime& now) {
  Step step(*state_, now);
  const auto thinking = std::exchange(state_->thinking, std::nullopt);
  if (thinking && state_->stage == Stage::kAsking) step.mean(*thinking, choice);
  return step.take();
}

Reply DialogueSession::on_not_thought(const text::LocalDateTime& now) {
  Step step(*state_, now);
  const auto thinking = std::exchange(state_->thinking, std::nullopt);
  if (thinking && state_->stage == Stage::kAsking) step.not_thought(*thinking);
  return step.take();
}

std::optional<Think> DialogueSession::think_ahead() const {
  if (state_->stage != Stage::kAsking) return std::nullopt;
  const auto meanings = meanings_at(*state_->flow, state_->here(), state_->language);
  if (meanings.size() < kMeaningsMin) return std::nullopt;
  return think_about(*state_->flow, state_->question(), meanings, state_->language, {});
}

std::optional<Wording> DialogueSession::wording_anywhere() const {
  const auto allows = [](const Node& node) { return node.ask && node.ask->own_words; };
  if (std::ranges::none_of(state_->flow->nodes, allows)) return std::nullopt;
  return wording_of(*state_->flow, state_->language, state_->values());
}

std::optional<Wording> DialogueSession::wording_ahead() const {
  if (state_->stage != Stage::kAsking || !state_->here().ask->own_words) return std::nullopt;
  return wording_of(*state_->flow, state_->language, state_->values());
}

Reply DialogueSession::on_heard(const HeardText& heard, const text::LocalDateTime& now) {
  Step step(*state_, now);
  state_->thinking.reset();
  HeardText bounded = heard;
  bounded.text =
      text::encode_utf8(text::decode_utf8(std::string_view(heard.text).substr(0, kHeardBytesMax)));
  if (state_->stage == Stage::kAsking) step.hear(bounded);
  return step.take();
}

Reply DialogueSession::on_silence(const text::LocalDateTime& now) {
  Step step(*state_, now);
  state_->thinking.reset();
  if (state_->stage == Stage::kAsking) step.silence();
  return step.take();
}

std::optional<Reply> DialogueSession::on_dtmf(char digit, const text::LocalDateTime& now) {
  const bool known = (digit >= '0' && digit <= '9') || digit == '*' || digit == '#';
  if (!known || state_->stage != Stage::kAsking) return std::nullopt;
  Step step(*state_, now);
  state_->thinking.reset();
  if (!step.key(digit)) return std::nullopt;
  return step.take();
}

Reply DialogueSession::on_transfer_failed(const text::LocalDateTime& now) {
  Step step(*state_, now);
  if (state_->stage == Stage::kHandedOver) step.go(state_->flow->globals.transfer_failed);
  return step.take();
}

Completeness DialogueSession::judge(std::string_view heard, const text::LocalDateTime& now) const {
  const std::string_view text = heard.substr(0, kHeardBytesMax);
  if (plain_text(text).empty() || state_->stage != Stage::kAsking) return Completeness::kUnclear;
  const Understood understood = state_->understanding->read(text, state_->language, now);
  const bool trails = sounds_unfinished(text, state_->language);
  const auto known = [&] { return state_->books->faq.find(text, state_->language, 0.85); };
  const bool asks = !trails && sounds_like_question(text, state_->language);
  if (understood.request == Request::kHold)  // "等一下，你们几点开门" has said what it waits for
    return asks && known() ? Completeness::kSatisfied : Completeness::kUnfinished;
  if (understood.request != Request::kNone) return Completeness::kSatisfied;
  const Ask& ask = *state_->here().ask;
  if (ask.grammar == Grammar::kDigits || ask.grammar == Grammar::kDigit) {
    const Answer answer = state_->answer(text, state_->language, understood, now);
    if (answer.label.empty()) return Completeness::kUnfinished;
    return ask.grammar == Grammar::kDigit || static_cast<int>(answer.value.size()) == ask.digits_max
               ? Completeness::kSatisfied
               : Completeness::kUnfinished;
  }
  // "星期六下午" answers "which day", though an hour may follow; a day alone says less.
  const bool day_and_half =
      ask.grammar == Grammar::kTime && understood.when.date && understood.when.part;
  if (trails && !day_and_half) return Completeness::kUnfinished;
  if (ask.grammar == Grammar::kFree)  // whatever comes is an answer, but a question is a whole one
    return (asks && known()) || sounds_closed(text, state_->language) ? Completeness::kSatisfied
                                                                      : Completeness::kComplete;
  const Answer answer = state_->answer(text, state_->language, understood, now);
  if (answer.label == "date_only" || answer.label == "time_only")
    return day_and_half ? Completeness::kComplete : Completeness::kUnclear;
  if (!answer.label.empty()) {
    const bool more = ask.grammar != Grammar::kTime && is_short(text, state_->language) &&
                      !sounds_closed(text, state_->language);
    return more ? Completeness::kComplete : Completeness::kSatisfied;
  }
  if (!known()) return Completeness::kUnclear;
  // A long question heard with other words ("起点" for "几点") is one all the same.
  return asks || !is_short(text, state_->language) ? Completeness::kSatisfied
                                                   : Completeness::kComplete;
}

bool DialogueSession::State::means_something(std::string_view heard, double confidence,
                                             const text::LocalDateTime& now) const {
  const Understood understood = understanding->read(heard, language, now);
  if (must_be_heard(understood.request)) return true;
  if (confidence < kUnsure) return false;
  if (understood.request != Request::kNone || understood.yes_no == text::YesNo::kNo ||
      sounds_like_question(heard, language) || books->own_intents.find(heard, language) ||
      books->faq.find(heard, language, 0.85))
    return true;
  if (stage != Stage::kAsking) return false;
  const Answer found = answer(heard, language, understood, now);
  return found.firm && !found.label.empty();
}

bool DialogueSession::interrupts(const OverBot& heard, const text::LocalDateTime& now) const {
  const std::string_view text = heard.text.substr(0, kHeardBytesMax);
  if (state_->understanding->only_listens(text, state_->language)) return false;
  if (heard.background)
    return heard.confidence >= kUnsure &&
           must_be_heard(state_->understanding->read(text, state_->language, now).request);
  const std::string plain = plain_text(text);
  if (state_->language == text::Language::kEn)
    return std::ranges::count(plain, ' ') >= 1 || plain == "no" || plain == "stop" ||
           plain == "wait" || plain == "what" || plain == "sorry";
  std::size_t syllables = 0;
  for (const char32_t c : text::decode_utf8(plain))
    syllables += text::is_han(c) || text::is_digit(c) ? 1 : 0;
  if (plain == "停") return true;
  if (plain == "不") return heard.confidence >= kUnsure;
  if (syllables == 0) return std::ranges::count(plain, ' ') >= 1;  // Latin words
  if (syllables > most_syllables(heard.spoken)) return false;
  if (syllables > kMurmurSyllables && heard.confidence >= kGuessed) return true;
  return syllables >= 2 && state_->means_something(text, heard.confidence, now);
}

bool DialogueSession::is_brief(std::string_view heard) const {
  return is_short(heard.substr(0, kHeardBytesMax), state_->language);
}

bool DialogueSession::ended() const {
  return state_->stage == Stage::kEnded || state_->stage == Stage::kHandedOver;
}
const std::string& DialogueSession::node() const { return state_->node; }
const std::map<std::string, std::string>& DialogueSession::slots() const { return state_->slots; }
const std::string& DialogueSession::disposition() const { return state_->disposition; }

json::object DialogueSession::to_json() const {
  const State& state = *state_;
  json::object out;
  out["format"] = 1;
  out["flow"] = state.flow->id;
  out["version"] = state.flow->version;
  out["language"] = state.language == text::Language::kZh ? "zh" : "en";
  out["stage"] = name_of_stage(state.stage);
  out["node"] = state.node;
  out["disposition"] = state.disposition;
  out["keys"] = state.keys;
  out["silences"] = state.silences;
  out["no_matches"] = state.no_matches;
  out["repeats"] = state.repeats;
  out["turns"] = state.turns;
  out["keypad"] = state.keypad;
  out["held"] = state.held;
  out["listed"] = state.listed;
  out["unsure"] = state.unsure;
  out["variables"] = object_of(state.variables);
  out["slots"] = object_of(state.slots);
  json::object parts;
  for (const auto& [slot, part] : state.parts) parts[slot] = part;
  out["parts"] = std::move(parts);
  json::array last;
  for (const Segment& segment : state.last)
    last.push_back(json::object{{"id", segment.id},
                                {"text", segment.text},
                                {"cacheable", segment.cacheable},
                                {"variable", segment.variable}});
  out["last"] = std::move(last);
  return out;
}

namespace {

/// Reads what to_json wrote; the name of the first field that is not right, or nothing.
class StateReader {
 public:
  explicit StateReader(const json::value& from) : from_(from) {}

  void text(std::string_view key, std::string& to) {
    if (auto value = string_field(from_, key))
      to = std::move(*value);
    else
      note(key);
  }
  void count(std::string_view key, int& to, int most) {
    const auto value = int_field(from_, key);
    if (value && *value >= 0 && *value <= most)
      to = static_cast<int>(*value);
    else
      note(key);
  }
  void flag(std::string_view key, bool& to) {
    if (const auto value = bool_field(from_, key))
      to = *value;
    else
      note(key);
  }
  void map(std::string_view key, std::map<std::string, std::string>& to) {
    if (!read_map(from_, key, to)) note(key);
  }
  void parts(std::map<std::string, int>& to) {
    const json::value* found = find_field(from_, "parts");
    if (found == nullptr || !found->is_object()) return note("parts");
    for (const auto& field : found->get_object()) {
      const std::int64_t* part = field.value().if_int64();
      if (part == nullptr || *part < 0 || *part > static_cast<int>(text::DayPart::kNight))
        return note("parts");
      to[std::string(field.key())] = static_cast<int>(*part);
    }
  }
  void segments(std::vector<Segment>& to) {
    const json::value* found = find_field(from_, "last");
    if (found == nullptr || !found->is_array()) return note("last");
    for (const json::value& item : found->get_array()) {
      const auto id = string_field(item, "id");
      const auto said = string_field(item, "text");
      const auto cacheable = bool_field(item, "cacheable");
      const auto variable = bool_field(item, "variable");
      if (!id || !said || !cacheable || !variable || to.size() == 64) return note("last");
      to.push_back({*id, *said, *cacheable, *variable});
    }
  }
  void stage(Stage& to) {
    std::string name;
    text("stage", name);
    for (const Stage stage : {Stage::kNew, Stage::kAsking, Stage::kHandedOver, Stage::kEnded})
      if (name == name_of_stage(stage)) {
        to = stage;
        return;
      }
    note("stage");
  }
  void note(std::string_view key) {
    if (bad_.empty()) bad_ = key;
  }
  [[nodiscard]] const std::string& bad() const { return bad_; }

 private:
  const json::value& from_;
  std::string bad_;
};

}  // namespace

Result<DialogueSession> DialogueSession::restore(std::shared_ptr<const Flow> flow,
                                                 std::shared_ptr<const Understanding> understanding,
                                                 const json::value& from) {
  auto state = std::make_unique<State>(std::move(flow), std::move(understanding));
  StateReader reader(from);
  std::string id;
  std::string version;
  std::string language;
  reader.text("flow", id);
  reader.text("version", version);
  reader.text("language", language);
  if (!reader.bad().empty())
    return fail(ErrorCode::kInvalid, "dialogue state: " + reader.bad() + " missing or wrong");
  if (id != state->flow->id || version != state->flow->version)
    return fail(ErrorCode::kConflict, fmt::format("dialogue state: of flow {} {}, not {} {}", id,
                                                  version, state->flow->id, state->flow->version));
  state->language = language == "en" ? text::Language::kEn : text::Language::kZh;
  if ((language != "zh" && language != "en") || !state->flow->speaks(state->language))
    reader.note("language");
  reader.stage(state->stage);
  reader.text("node", state->node);
  reader.text("disposition", state->disposition);
  reader.text("keys", state->keys);
  reader.count("silences", state->silences, 5);
  reader.count("no_matches", state->no_matches, 10);
  reader.count("repeats", state->repeats, kRepeatsMax);
  reader.count("turns", state->turns, 201);
  reader.flag("keypad", state->keypad);
  reader.flag("held", state->held);
  reader.flag("listed", state->listed);
  reader.text("unsure", state->unsure);
  reader.map("variables", state->variables);
  reader.map("slots", state->slots);
  reader.parts(state->parts);
  reader.segments(state->last);
  const Node* node = state->flow->find(state->node);
  if (node == nullptr || (state->stage == Stage::kAsking && !node->ask)) reader.note("node");
  if (state->keys.size() > 32 || state->keys.find_first_not_of("0123456789") != std::string::npos)
    reader.note("keys");
  if (!reader.bad().empty())
    return fail(ErrorCode::kInvalid, "dialogue state: " + reader.bad() + " missing or wrong");
  return DialogueSession(std::move(state));
}

}  // namespace yyc3::dialogue
