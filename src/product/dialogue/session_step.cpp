#include <algorithm>
#include <utility>

#include "engine/text/utf8.hpp"
#include "product/dialogue/session_state.hpp"

namespace yyc3::dialogue {
namespace {

constexpr Milliseconds kPatienceOnHold{20'000};
constexpr Milliseconds kPatienceForKeys{8'000};
constexpr double kSureIntent = 0.5;
constexpr std::size_t kOptionPhrasesMax = 64;

bool is_explicit(const Node& node, Request request) {
  return std::ranges::any_of(
      node.next, [&](const Branch& branch) { return branch.when.request == name_of(request); });
}

std::string_view before_first_pause(std::string_view text) {
  std::size_t end = text.size();
  for (const std::string_view mark : {"，", ",", "。", ".", "！", "!", "、"})
    end = std::min(end, text.find(mark));
  return text.substr(0, end);
}

}  // namespace

std::vector<Segment> DialogueSession::Step::segments(const LocalText& text,
                                                     const std::string& id) const {
  return fill(*state_.flow, text.in(state_.language), id, state_.language, state_.values());
}

void DialogueSession::Step::say(const LocalText& text, const std::string& id) {
  for (Segment& segment : segments(text, id)) reply_.say.push_back(std::move(segment));
}

/// The lead-in is said at once; what a model says follows, then the question.
void DialogueSession::Step::say_in_own_words(const std::string& heard) {
  say(state_.flow->own_words.lead_in, "own_words.lead_in");
  Wording wording = wording_of(*state_.flow, state_.language, state_.values());
  wording.heard = heard;
  wording.words = state_.understanding->segmenter();
  wording.instead = segments(state_.flow->globals.unknown, "globals.unknown");
  wording.after = segments(state_.here().ask->question, state_.node + ".question");
  reply_.wording = std::move(wording);
}

void DialogueSession::Step::say_question() {
  say(state_.here().ask->question, state_.node + ".question");
}

void DialogueSession::Step::apply(const std::vector<Effect>& effects) {
  for (const Effect& effect : effects) {
    switch (effect.kind) {
      case Effect::Kind::kDisposition:
        state_.disposition = effect.value;
        reply_.actions.emplace_back(SetDisposition{effect.value});
        break;
      case Effect::Kind::kBook:
        if (const auto moment = state_.time_so_far(effect.name).when.moment())
          reply_.actions.emplace_back(BookSlot{effect.name, *moment});
        break;
      case Effect::Kind::kAddDoNotCall:
        if (!state_.listed) reply_.actions.emplace_back(AddDoNotCall{"flow"});
        state_.listed = true;
        break;
      case Effect::Kind::kSet:
        state_.slots[effect.name] = effect.value;
        break;
      case Effect::Kind::kClear:
        state_.slots.erase(effect.name);
        state_.parts.erase(effect.name);
        break;
    }
  }
}

void DialogueSession::Step::end(const Node& node) {
  if (node.end == NodeEnd::kTransfer) {
    state_.stage = Stage::kHandedOver;
    reply_.actions.emplace_back(Transfer{reason_});
  } else {
    state_.stage = Stage::kEnded;
    reply_.actions.emplace_back(HangUp{});
  }
}

void DialogueSession::Step::go(std::string_view id) {
  // A validated flow has no circle without a question; the bound holds whatever is restored.
  for (std::size_t steps = 0; steps <= state_.flow->nodes.size(); ++steps) {
    const Node* node = state_.flow->find(id);
    if (node == nullptr) break;
    state_.node = node->id;
    state_.silences = state_.no_matches = state_.repeats = 0;
    state_.keypad = state_.held = false;
    state_.keys.clear();
    state_.unsure.clear();
    apply(node->effects);
    if (!node->say.empty()) {
      say(node->say, node->id + ".say");
      interruptible_after_ = std::max(interruptible_after_, node->interruptible_after);
    }
    if (node->end != NodeEnd::kNone) return end(*node);
    if (node->ask) {
      state_.stage = Stage::kAsking;
      return;
    }
    answer_.clear();
    const auto branch =
        std::ranges::find_if(node->next, [this](const Branch& each) { return holds(each.when); });
    if (branch == node->next.end()) break;
    apply(branch->effects);
    id = branch->go;
  }
  state_.stage = Stage::kEnded;
  reply_.actions.emplace_back(HangUp{});
}

bool DialogueSession::Step::holds(const Condition& when) const {
  if (!when.answer.empty() && when.answer != answer_) return false;
  if (!when.intent.empty()) {
    const bool own = when.intent == own_intent_;
    const bool sure = understood_.intent.confidence >= kSureIntent &&
                      when.intent == name_of(understood_.intent.intent);
    if (!own && !sure) return false;
  }
  if (!when.entity.empty() &&
      std::ranges::none_of(understood_.entities, [&when](const Entity& entity) {
        return when.entity == name_of(entity.kind);
      }))
    return false;
  if (!when.sentiment.empty() && when.sentiment != name_of(understood_.sentiment.sentiment))
    return false;
  if (!when.request.empty() && when.request != name_of(understood_.request)) return false;
  if (when.slot.empty()) return true;
  const auto values = state_.values();
  const auto slot = values.find(when.slot);
  if (slot == values.end() || slot->second.empty()) return false;
  return when.is.empty() || when.is == slot->second ||
         when.is == state_of_time(when_of(slot->second), now_);
}

void DialogueSession::Step::take_branch(const Branch& branch) {
  apply(branch.effects);
  go(branch.go);
}

bool DialogueSession::Step::weighs(const Branch& branch) const {
  const Node& to = *state_.flow->find(branch.go);
  const auto has = [&](Effect::Kind kind) {
    const auto is = [kind](const Effect& effect) { return effect.kind == kind; };
    return std::ranges::any_of(branch.effects, is) || std::ranges::any_of(to.effects, is);
  };
  const bool ends = to.end != NodeEnd::kNone;
  if (guessed_ && (ends || has(Effect::Kind::kDisposition))) return true;
  return has(Effect::Kind::kBook) || tells_more(branch) ||
         (to.end == NodeEnd::kHangUp && has(Effect::Kind::kDisposition));
}

bool DialogueSession::Step::tells_more(const Branch& branch) const {
  const auto told = state_.personal(state_.here());
  // What is said until the next question; a validated flow has no circle without one.
  const auto adds = [&](const auto& self, const Node& node) -> bool {
    if (!std::ranges::includes(told, state_.personal(node))) return true;
    return !node.ask && std::ranges::any_of(node.next, [&](const Branch& next) {
      return self(self, *state_.flow->find(next.go));
    });
  };
  return adds(adds, *state_.flow->find(branch.go));
}

void DialogueSession::Step::keep(const Answer& answer) {
  const Ask& ask = *state_.here().ask;
  if (ask.slot.empty() || answer.value.empty()) return;
  state_.slots[ask.slot] = answer.value;
  if (ask.grammar != Grammar::kTime) return;
  if (answer.part)
    state_.parts[ask.slot] = static_cast<int>(*answer.part);
  else
    state_.parts.erase(ask.slot);
}

void DialogueSession::Step::capture_time() {
  const Ask& ask = *state_.here().ask;
  if (ask.capture_time.empty() || ask.grammar == Grammar::kTime) return;
  const TimeSoFar so_far = state_.time_so_far(ask.capture_time);
  const Answer answer = merge_time(so_far, understood_.when, now_);
  if (answer.value.empty()) return;
  if (answer.value == when_text(so_far.when) || names_appointment()) {
    // Said back to us ("对，周三下午三点"): not another time.
    std::erase_if(understood_.entities,
                  [](const Entity& entity) { return entity.kind == EntityKind::kTime; });
    return;
  }
  state_.slots[ask.capture_time] = answer.value;
  if (answer.part) state_.parts[ask.capture_time] = static_cast<int>(*answer.part);
}

bool DialogueSession::Step::names_appointment() const {
  for (const auto& [name, variable] : state_.flow->variables) {
    const auto given = state_.variables.find(name);
    if (variable.kind != VariableKind::kDateTime || given == state_.variables.end()) continue;
    const text::WhenReading known = when_of(given->second);
    const text::WhenReading& heard = understood_.when;
    if ((!heard.date || heard.date == known.date) && (!heard.time || heard.time == known.time))
      return true;
  }
  return false;
}

void DialogueSession::Step::hand_over(const std::string& node, const char* reason) {
  reason_ = reason;
  go(node);
}

bool DialogueSession::Step::obey_hard_request(const std::string& heard) {
  const Globals& to = state_.flow->globals;
  switch (understood_.request) {
    case Request::kOptOut:
      if (!state_.listed) reply_.actions.emplace_back(AddDoNotCall{heard.substr(0, 500)});
      state_.listed = true;
      go(to.opt_out);
      return true;
    case Request::kHuman:
      hand_over(to.human, "human");
      return true;
    case Request::kComplaint:
      hand_over(to.complaint, "complaint");
      return true;
    default:
      break;
  }
  if (!understood_.sentiment.strongly_negative()) return false;
  hand_over(to.complaint, "anger");
  return true;
}

bool DialogueSession::Step::obey_interruption(double confidence) {
  const Request request = understood_.request;
  if (request != Request::kBusy && request != Request::kWrongNumber) return false;
  if (is_explicit(state_.here(), request)) return false;
  if (confidence < kUnsure && name_of(request) != unsure_before_) {
    state_.unsure = name_of(request);  // it would end the call: said twice, it does
    no_match();
    return true;
  }
  const Globals& to = state_.flow->globals;
  go(request == Request::kBusy ? to.busy : to.wrong_number);
  return true;
}

bool DialogueSession::Step::obey_soft_request() {
  const Request request = understood_.request;
  const bool soft = request == Request::kWho || request == Request::kHold ||
                    (request == Request::kRepeat && state_.repeats < kRepeatsMax);
  if (!soft || is_explicit(state_.here(), request)) return false;
  state_.unsure = unsure_before_;  // whoever asks back takes no answer back
  if (request == Request::kWho) {
    reply_.answer = "who";
    say(state_.flow->globals.who, "globals.who");
    say_question();
  } else if (request == Request::kRepeat) {
    ++state_.repeats;
    reply_.answer = "repeat";
    repeat();
  } else {
    reply_.answer = "hold";
    say(state_.flow->globals.hold, "globals.hold");
    state_.held = true;
    no_answer_ = kPatienceOnHold;
  }
  return true;
}

void DialogueSession::Step::repeat() {
  reply_.say = state_.last;
  if (reply_.say.empty()) say_question();
}

bool DialogueSession::Step::answer_faq(const HeardText& heard) {
  const auto found = state_.books->faq.find(heard.text, heard.language, 0.85);
  if (!found) return false;
  const Faq& faq = state_.flow->faq[found->label];
  say(faq.answer, "faq." + faq.id);
  if (reply_.answer.empty()) reply_.answer = "faq:" + faq.id;
  return true;
}

/// No unsure answer has consequences; the same one twice, with nothing clear between, is sure.
bool DialogueSession::Step::unsure(const HeardText& heard, const Answer& answer) {
  if (heard.confidence >= kUnsure || answer.label == unsure_before_) return false;
  state_.unsure = answer.label;
  return true;
}

bool DialogueSession::Step::follow_answer(const HeardText& heard, const Answer& answer,
                                          bool faq_too) {
  if (answer.label.empty()) return false;
  answer_ = answer.label;
  const Node& node = state_.here();
  const auto branch =
      std::ranges::find_if(node.next, [this](const Branch& each) { return holds(each.when); });
  if (branch == node.next.end() || (weighs(*branch) && unsure(heard, answer))) {
    answer_.clear();
    return false;
  }
  reply_.answer = answer.label;
  if (faq_too) answer_faq(heard);
  keep(answer);
  take_branch(*branch);
  return true;
}

bool DialogueSession::Step::follow_branches(double confidence) {
  const Node& node = state_.here();
  for (const Branch& branch : node.next) {
    const Condition& when = branch.when;
    const bool asks_words = !when.intent.empty() || !when.entity.empty() ||
                            !when.sentiment.empty() || !when.request.empty();
    if (!asks_words || !holds(when)) continue;
    if (confidence < kUnsure && weighs(branch)) continue;
    reply_.answer = !when.intent.empty()   ? "intent:" + when.intent
                    : !when.entity.empty() ? "entity:" + when.entity
                                           : "words";
    take_branch(branch);
    return true;
  }
  return false;
}

bool DialogueSession::Step::too_many_turns() { return ++state_.turns > state_.flow->limits.turns; }

void DialogueSession::Step::hear(const HeardText& heard) {
  understood_ = state_.understanding->read(heard.text, heard.language, now_);
  reply_.understood = understood_;
  state_.silences = 0;
  state_.held = false;
  state_.keys.clear();
  unsure_before_ = std::exchange(state_.unsure, {});
  if (obey_hard_request(heard.text)) return;
  if (too_many_turns()) return go(state_.flow->globals.give_up);
  if (plain_text(heard.text).empty()) return no_match();
  if (const auto own = state_.books->own_intents.find(heard.text, heard.language))
    own_intent_ = state_.flow->intents[own->label].name;
  if (obey_interruption(heard.confidence)) return;
  capture_time();
  const Answer answer = state_.answer(heard.text, heard.language, understood_, now_);
  const bool question = sounds_like_question(heard.text, heard.language);
  if (answer.firm && follow_answer(heard, answer, question)) return;
  // "等一下，地址在哪里", "等等，我想改时间": more than "wait"
  const bool more = understood_.request == Request::kHold &&
                    (state_.books->own_intents.find(heard.text, heard.language, 1.0) ||
                     state_.books->faq.find(heard.text, heard.language, 0.85));
  if (!more && obey_soft_request()) return;
  if (Understanding::is_greeting(heard.text, heard.language)) {
    reply_.answer = "greeting";
    return say_question();
  }
  if (question) {
    // "对，地址在哪里": the yes counts, and the question is answered.
    const std::string first(before_first_pause(heard.text));
    const Understood lead = state_.understanding->read(first, heard.language, now_);
    const bool two = first.size() < heard.text.size() &&
                     state_.books->faq.find(heard.text, heard.language, 0.85);
    if (two && !sounds_like_question(first, heard.language) &&
        follow_answer(heard, state_.answer(first, heard.language, lead, now_), true))
      return;
    if (answer_faq(heard)) return say_question();
  }
  if (state_.here().ask->grammar != Grammar::kFree && follow_branches(heard.confidence)) return;
  // Any answer would do, or a mere "not" in it: a question is none.
  if (question && !answer.firm && think(heard)) return;
  if (!answer.firm && follow_answer(heard, answer, false)) return;
  if (follow_branches(heard.confidence)) return;
  if (understood_.request == Request::kGoodbye) return go(state_.flow->globals.goodbye);
  if (answer_faq(heard)) return say_question();
  if (obey_soft_request() || think(heard)) return;
  // What nobody could make out takes no answer back either.
  if (heard.confidence < kUnsure && state_.unsure.empty()) state_.unsure = unsure_before_;
  no_match();
}

/// Asks for a guess of what rules did not understand.
bool DialogueSession::Step::think(const HeardText& heard) {
  if (!heard.may_think || heard.confidence < kUnsure) return false;
  std::vector<Meaning> meanings = meanings_at(*state_.flow, state_.here(), state_.language);
  if (meanings.size() < kMeaningsMin) return false;
  reply_.think =
      think_about(*state_.flow, state_.question(), meanings, state_.language, heard.text);
  if (sounds_like_question(heard.text, heard.language))
    std::erase_if(meanings, [this](const Meaning& each) {
      return is_no_question(each) && std::erase(reply_.think->choices, each.label) > 0;
    });
  if (asks_clearly(heard)) reply_.think->none.clear();
  if (asks_at_large(heard))
    reply_.meanwhile = segments(state_.flow->own_words.lead_in, "own_words.lead_in");
  state_.thinking = State::Thinking{heard, unsure_before_, std::move(meanings)};
  return true;
}

/// A question that was heard well and is none of the choices asks something else; where anything is
/// an answer, it is one.
bool DialogueSession::Step::asks_clearly(const HeardText& heard) const {
  return heard.confidence >= kClear && sounds_like_question(heard.text, heard.language) &&
         state_.here().ask->grammar != Grammar::kFree && !state_.flow->globals.unknown.empty();
}

bool DialogueSession::Step::asks_at_large(const HeardText& heard) const {
  return asks_clearly(heard) && heard.may_speak && state_.here().ask->own_words;
}

/// "Do I come with an empty stomach?" is neither yes nor no, nor a goodbye.
bool DialogueSession::Step::is_no_question(const Meaning& meaning) const {
  if (meaning.kind == Meaning::Kind::kAnswer) return state_.here().ask->grammar == Grammar::kYesNo;
  return meaning.kind == Meaning::Kind::kIntent &&
         std::ranges::any_of(state_.here().next, [&](const Branch& branch) {
           return branch.when.intent == meaning.name &&
                  state_.flow->find(branch.go)->end != NodeEnd::kNone;
         });
}

void DialogueSession::Step::not_thought(const State::Thinking& thinking) {
  if (asks_at_large(thinking.heard)) return guess(thinking, {});
  HeardText heard = thinking.heard;
  heard.may_think = false;
  state_.unsure = thinking.unsure;
  --state_.turns;  // it was counted
  hear(heard);
}

void DialogueSession::Step::mean(const State::Thinking& thinking, std::string_view choice) {
  const auto meaning = std::ranges::find(thinking.meanings, choice, &Meaning::label);
  const bool one_of_them = meaning != thinking.meanings.end();
  if (one_of_them && meaning->kind != Meaning::Kind::kNothing) return guess(thinking, *meaning);
  if (one_of_them && asks_clearly(thinking.heard)) return guess(thinking, {});
  not_thought(thinking);
}

void DialogueSession::Step::guess(const State::Thinking& thinking, const Meaning& meaning) {
  understood_ = state_.understanding->read(thinking.heard.text, thinking.heard.language, now_);
  reply_.understood = understood_;
  unsure_before_ = thinking.unsure;
  HeardText heard = thinking.heard;
  heard.confidence = 0;  // a guess has no consequences
  guessed_ = true;
  reply_.answer = "model";
  switch (meaning.kind) {
    case Meaning::Kind::kAnswer:
      if (!follow_answer(heard, {meaning.name, meaning.name, std::nullopt, true}, false))
        no_match();
      return;
    case Meaning::Kind::kIntent:
      own_intent_ = meaning.name;
      return guess_intent(heard);
    case Meaning::Kind::kFaq: {
      const auto faq = std::ranges::find(state_.flow->faq, meaning.name, &Faq::id);
      reply_.answer = "faq:" + meaning.name;
      say(faq->answer, "faq." + meaning.name);
      break;
    }
    default:
      reply_.answer = "unknown";
      state_.unsure = unsure_before_;
      if (state_.here().ask->own_words && thinking.heard.may_speak)
        return say_in_own_words(thinking.heard.text);
      say(state_.flow->globals.unknown, "globals.unknown");
  }
  state_.unsure = unsure_before_;  // who asks takes no answer back
  say_question();
}

void DialogueSession::Step::guess_intent(const HeardText& heard) {
  const std::string label = "intent:" + own_intent_;
  for (const Branch& branch : state_.here().next) {
    if (branch.when.intent != own_intent_ || !holds(branch.when)) continue;
    if (weighs(branch) && unsure(heard, Answer{label, {}, std::nullopt, true})) break;
    reply_.answer = label;
    return take_branch(branch);
  }
  no_match();
}

void DialogueSession::Step::no_match() {
  const Limits& limits = state_.flow->limits;
  const Ask& ask = *state_.here().ask;
  reply_.answer = "no_match";
  if (++state_.no_matches >= 2 * limits.no_match) return go(state_.flow->globals.give_up);
  if (state_.no_matches >= limits.no_match && ask.grammar != Grammar::kFree) state_.keypad = true;
  if (state_.keypad)
    say(ask.keypad, state_.node + ".keypad");
  else
    say(ask.on_no_match, state_.node + ".no_match");
}

void DialogueSession::Step::silence() {
  if (!state_.keys.empty() && finish_keys()) return;
  state_.keys.clear();
  if (state_.held) {  // the wait is over: ask again, it does not count
    state_.held = false;
    reply_.answer = "silence";
    return say_question();
  }
  reply_.answer = "silence";
  if (++state_.silences >= state_.flow->limits.silence) return go(state_.flow->globals.silent);
  if (state_.keypad)
    say(state_.here().ask->keypad, state_.node + ".keypad");
  else
    say(state_.here().ask->on_silence, state_.node + ".silence");
}

bool DialogueSession::Step::accept(const Answer& answer) {
  const HeardText sure{answer.value, 1.0, state_.language};
  if (!follow_answer(sure, answer, false)) no_match();
  return true;
}

bool DialogueSession::Step::finish_keys() {
  const std::string keys = std::exchange(state_.keys, {});
  const Ask& ask = *state_.here().ask;
  if (ask.grammar == Grammar::kTime) {
    const auto when = time_of_keys(keys, now_);
    if (!when) return accept({"impossible", {}, std::nullopt, true});
    return accept(merge_time(state_.time_so_far(ask.slot), *when, now_));
  }
  if (static_cast<int>(keys.size()) < ask.digits_min) {
    no_match();
    return true;
  }
  return accept({"digits", keys, std::nullopt, true});
}

bool DialogueSession::Step::key(char digit) {
  const Ask& ask = *state_.here().ask;
  state_.silences = 0;
  state_.held = false;
  const bool many = ask.grammar == Grammar::kDigits || ask.grammar == Grammar::kTime;
  if (many && digit >= '0' && digit <= '9') {
    state_.keys += digit;
    const std::size_t full =
        ask.grammar == Grammar::kTime ? 8 : static_cast<std::size_t>(ask.digits_max);
    if (state_.keys.size() < full) return false;
  }
  if (too_many_turns()) {
    go(state_.flow->globals.give_up);
    return true;
  }
  if (digit == '*') {
    reply_.answer = "repeat";
    repeat();
    return true;
  }
  if (many && !state_.keys.empty()) return finish_keys();
  if (ask.grammar == Grammar::kDigit && digit != '#')
    return accept({"digits", std::string(1, digit), std::nullopt, true});
  if (ask.grammar == Grammar::kYesNo && (digit == '1' || digit == '2'))
    return accept(digit == '1' ? Answer{"yes", "yes", std::nullopt, true}
                               : Answer{"no", "no", std::nullopt, true});
  const auto option = std::ranges::find(ask.options, digit, &Option::key);
  if (option != ask.options.end())
    return accept({option->value, option->value, std::nullopt, true});
  if (digit == '0') {
    hand_over(state_.flow->globals.human, "keypad");
    return true;
  }
  no_match();
  return true;
}

void DialogueSession::Step::ask_again() { say_question(); }

Reply DialogueSession::Step::take() {
  const Node& node = state_.here();
  reply_.node = state_.node;
  // Actions that end the call come last, in whatever order the nodes named them.
  std::ranges::stable_partition(reply_.actions, [](const Action& action) {
    return !std::holds_alternative<Transfer>(action) && !std::holds_alternative<HangUp>(action);
  });
  Expect& expect = reply_.expect;
  expect.interruptible_after = interruptible_after_;
  expect.answer = state_.stage == Stage::kAsking;
  expect.no_answer = no_answer_;
  const bool worth_repeating = reply_.answer != "hold" && reply_.answer != "no_match";
  if (!reply_.say.empty() && worth_repeating)
    state_.last = reply_.wording ? reply_.wording->after : reply_.say;
  if (!expect.answer || !node.ask) return std::move(reply_);
  expect.grammar = node.ask->grammar;
  expect.keypad = state_.keypad;
  if (state_.keypad) expect.no_answer = std::max(expect.no_answer, kPatienceForKeys);
  for (const Option& option : node.ask->options) {
    const auto& phrases = state_.language == text::Language::kZh ? option.zh : option.en;
    const std::size_t share = kOptionPhrasesMax / node.ask->options.size();  // the usual ones lead
    expect.options.insert(
        expect.options.end(), phrases.begin(),
        phrases.begin() + static_cast<std::ptrdiff_t>(std::min(phrases.size(), share)));
  }
  return std::move(reply_);
}

}  // namespace yyc3::dialogue
