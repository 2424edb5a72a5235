#include "product/call/thinker.hpp"

#include <utility>

namespace yyc3::call {

namespace {

constexpr Milliseconds kAheadLimit{20'000};  // others' answers go first
constexpr Milliseconds kGuessLimit{3'000};   // beyond any silence that ends a turn
/// A choice in its JSON: our own worker makes most of it up without the model, others do not.
constexpr int kChoiceTokens = 40;

}  // namespace

ThinkMetrics::ThinkMetrics(telemetry::Registry& r)
    : asked(r.counter("yyc3_call_thoughts_total", "Turns that a language model was asked about")),
      ready(r.counter("yyc3_call_thoughts_ready_total",
                      "… whose answer was there when the turn ended")),
      failed(r.counter("yyc3_call_thoughts_failed_total", "… that it did not answer in time")),
      waited(r.histogram("yyc3_call_thought_seconds", "From the end of the turn to the choice",
                         {0.01, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2})) {}

Thinker::Thinker(inference::ChatModel* model, ThinkMetrics& metrics, const Clock& clock,
                 Milliseconds patience, Listener listener)
    : model_(model),
      metrics_(metrics),
      clock_(clock),
      patience_(patience),
      listener_(std::move(listener)) {}

Thinker::~Thinker() {
  drop();
  for (const auto number : {ahead_, late_})
    if (number != 0) model_->cancel(number);
}

inference::ChatRequest request_of(const dialogue::Think& question) {
  inference::ChatRequest request;
  request.messages = {{inference::Role::kSystem, question.system},
                      {inference::Role::kUser, question.user()}};
  request.choices = question.choices;
  request.tokens_max = kChoiceTokens;
  // By the question, not by the call: what was read for one call serves the next.
  request.conversation =
      "question-" + std::to_string(std::hash<std::string>{}(question.system + question.before));
  return request;
}

inference::ChatNumber Thinker::send(const dialogue::Think& question, Milliseconds limit) {
  inference::ChatRequest request = request_of(question);
  request.first_token = request.total = limit;
  return model_->ask(std::move(request), *this);
}

void Thinker::prepare(const dialogue::Think& question) {
  if (!available()) return;
  if (ahead_ != 0) model_->cancel(ahead_);
  ahead_ = send(question, kAheadLimit);
}

void Thinker::guess(const dialogue::Think& question) {
  if (!available() || asking() || guesses_ >= kGuessesMax) return;
  if (question == question_ && (under_way_ != 0 || choice_)) return;  // already
  const int guesses = guesses_ + 1;
  drop();
  guesses_ = guesses;
  question_ = question;
  under_way_ = send(question, kGuessLimit);
}

bool Thinker::meant(const std::string& heard) const {
  return choice_ && *choice_ && question_.heard == heard && **choice_ != question_.none;
}

std::optional<Thinker::Choice> Thinker::ask(const dialogue::Think& question) {
  metrics_.asked.add();
  if (question == question_ && choice_) {
    metrics_.ready.add();
    asked_at_ = clock_.now();
    return finish(std::move(*std::exchange(choice_, std::nullopt)));
  }
  if (question != question_ || under_way_ == 0) {
    drop();
    question_ = question;
    under_way_ = send(question, kGuessLimit);  // tick() gives up first
  }
  asked_at_ = clock_.now();
  return std::nullopt;
}

void Thinker::tick() {
  if (!asking() || clock_.now() - *asked_at_ < patience_) return;
  if (late_ != 0) model_->cancel(late_);
  late_ = std::exchange(under_way_, 0);
  listener_.told(finish(fail(ErrorCode::kTimeout, "no choice in time")));
}

void Thinker::drop() {
  guesses_ = 0;
  asked_at_.reset();
  choice_.reset();
  question_ = {};
  if (const auto number = std::exchange(under_way_, 0); number != 0) model_->cancel(number);
}

Thinker::Choice Thinker::finish(Choice choice) {
  metrics_.waited.observe(std::chrono::duration<double>(clock_.now() - *asked_at_).count());
  if (!choice) metrics_.failed.add();
  guesses_ = 0;
  asked_at_.reset();
  question_ = {};
  return choice;
}

void Thinker::arrived(inference::ChatNumber number, Choice choice) {
  if (number == ahead_) ahead_ = 0;
  if (number == late_) late_ = 0;
  if (number != under_way_) return;
  under_way_ = 0;
  if (!asking()) {
    choice_ = std::move(choice);
    return listener_.guessed();
  }
  listener_.told(finish(std::move(choice)));
}

void Thinker::on_answer(inference::ChatNumber number, const inference::ChatAnswer& answer) {
  arrived(number, answer.text);
}

void Thinker::on_failed(inference::ChatNumber number, const Error& error) {
  arrived(number, tl::unexpected<Error>(error));
}

}  // namespace yyc3::call
