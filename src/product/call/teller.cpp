#include "product/call/teller.hpp"

#include <utility>

namespace yyc3::call {

namespace {

constexpr Milliseconds kAheadLimit{20'000};  // others' answers go first
constexpr int kTokens = 60;
constexpr int kSummaryTokens = 80;

}  // namespace

TellMetrics::TellMetrics(telemetry::Registry& r)
    : told(r.counter("yyc3_call_own_words_total", "Replies in a language model's own words")),
      objected(
          r.counter("yyc3_call_own_words_stopped_total", "… that the check on the text stopped")),
      failed(r.counter("yyc3_call_own_words_failed_total", "… of which nothing came")) {}

Teller::Teller(inference::ChatModel* model, TellMetrics& metrics, TellPatience patience,
               text::Language language, std::string conversation, Out out)
    : model_(model),
      metrics_(metrics),
      patience_(patience),
      language_(language),
      conversation_(std::move(conversation)),
      out_(std::move(out)),
      memory_(language) {}

Teller::~Teller() {
  drop();
  for (const auto number : {ahead_, summing_})
    if (number != 0) model_->cancel(number);
}

inference::ChatNumber Teller::send(std::vector<inference::ChatMessage> messages, int tokens,
                                   Milliseconds first, Milliseconds total,
                                   const std::string& owner) {
  inference::ChatRequest request;
  request.messages = std::move(messages);
  request.tokens_max = tokens;
  request.first_token = first;
  request.total = total;
  request.conversation = owner;
  return model_->ask(std::move(request), *this);
}

void Teller::remember(inference::Role role, const std::string& text) {
  if (model_ == nullptr) return;
  memory_.add(role, text);
  sum_up();
}

void Teller::sum_up() {
  if (summing_ != 0 || under_way_ != 0 || !model_->available()) return;
  auto messages = memory_.to_sum_up();
  if (messages.empty()) return;
  summing_ = send(std::move(messages), kSummaryTokens, kAheadLimit, kAheadLimit, "summary");
}

void Teller::prepare(const dialogue::Wording& wording) {
  if (model_ == nullptr || !model_->available()) return;
  if (ahead_ != 0) model_->cancel(ahead_);
  const std::string owner = "words-" + std::to_string(std::hash<std::string>{}(wording.system));
  ahead_ = send({{inference::Role::kSystem, wording.system}, {inference::Role::kUser, "？"}}, 1,
                kAheadLimit, kAheadLimit, owner);
}

void Teller::prepare_here(const dialogue::Wording& wording, const std::string& heard,
                          const std::string& coming) {
  if (model_ == nullptr || !model_->available()) return;
  if (ahead_ != 0) model_->cancel(ahead_);
  ChatMemory then = memory_;
  then.add(inference::Role::kUser, heard);
  then.add(inference::Role::kAssistant, coming);
  ahead_ = send(then.messages(wording.system, "？"), 1, kAheadLimit, kAheadLimit, conversation_);
}

void Teller::tell(dialogue::Wording wording) {
  drop();
  made_.reset();
  metrics_.told.add();
  auto messages = memory_.messages(wording.system, wording.heard);
  dialogue::OwnWordsCheck check(wording.facts, wording.heard, language_);
  for (const auto& segment : wording.after) check.expect(segment.text);
  dialogue::ClauseStream clauses(language_, wording.words.get());
  reply_.emplace(Reply{std::move(wording), std::move(clauses), std::move(check), {}});
  if (model_ == nullptr) return end_text();
  under_way_ = send(std::move(messages), kTokens, patience_.first, patience_.total, conversation_);
}

void Teller::drop() {
  reply_.reset();
  if (const auto number = std::exchange(under_way_, 0); number != 0) model_->cancel(number);
}

void Teller::take(std::vector<std::string> clauses) {
  for (std::string& clause : clauses) {
    if (const auto why = reply_->check.objection(clause); !why.empty()) {
      metrics_.objected.add();
      out_.stopped(why);
      return give_up();
    }
    ++reply_->spoken;
    reply_->waiting.push_back(std::move(clause));
  }
  tick();
}

void Teller::give_up() {
  model_->cancel(std::exchange(under_way_, 0));
  end_text();
}

/// Whatever was let through is said to its end; the prepared sentence when nothing was.
void Teller::end_text() {
  reply_->whole = true;
  if (reply_->spoken == 0)
    for (const auto& segment : reply_->wording.instead) out_.say({segment.text, !segment.variable});
  tick();
}

void Teller::tick() {
  if (!reply_) return;
  while (!reply_->waiting.empty() && out_.ahead() < kAheadMost) {
    out_.say({std::move(reply_->waiting.front()), false});
    reply_->waiting.pop_front();
  }
  if (!reply_->whole && out_.silent() >= kSilenceMost) {
    metrics_.failed.add();
    return give_up();
  }
  if (!reply_->whole || !reply_->waiting.empty()) return;
  for (const auto& segment : reply_->wording.after) out_.say({segment.text, !segment.variable});
  reply_.reset();
  out_.end();
}

void Teller::on_piece(inference::ChatNumber number, std::string_view text) {
  if (number == under_way_ && reply_) take(reply_->clauses.feed(text));
}

void Teller::on_answer(inference::ChatNumber number, const inference::ChatAnswer& answer) {
  if (number == ahead_) ahead_ = 0;
  if (number == summing_) {
    summing_ = 0;
    return memory_.summed_up(answer.text);
  }
  if (number != under_way_ || !reply_) return;
  auto rest = reply_->clauses.finish();
  // Half a sentence is better left out when a whole one was said.
  if (answer.cut && reply_->spoken > 0) rest.clear();
  take(std::move(rest));
  if (std::exchange(under_way_, 0) == 0 || !reply_) return;  // stopped by the check
  made_ = answer;
  end_text();
}

void Teller::on_failed(inference::ChatNumber number, const Error&) {
  if (number == ahead_) ahead_ = 0;
  if (number == summing_) summing_ = 0;
  if (number != under_way_ || !reply_) return;
  under_way_ = 0;
  metrics_.failed.add();
  end_text();
}

}  // namespace yyc3::call
