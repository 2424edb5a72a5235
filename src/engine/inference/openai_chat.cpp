#include "engine/inference/openai_chat.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <utility>

#include "engine/inference/openai_messages.hpp"
#include "engine/inference/sse_parser.hpp"
#include "platform/net/health_probe.hpp"

namespace yyc3::inference {

namespace {

Milliseconds whole_ms(SteadyTime from, SteadyTime to) {
  return std::chrono::duration_cast<Milliseconds>(to - from);
}

constexpr std::string_view kNoAnswer =
    "no chat answer came back: is language.url an OpenAI-compatible engine?";

}  // namespace

/// Lives until its coroutines have ended; OpenAiChat only stops it.
struct OpenAiChat::State : std::enable_shared_from_this<State> {
  /// Holds one permission of the breaker until it is finished or dropped.
  struct Job {
    std::vector<std::string> choices;
    ChatSink* sink = nullptr;
    Milliseconds total{0};  ///< its limit, for what is said of it
    SteadyTime begun{};
    SseParser events;
    ChatAnswer answer;
    bool finished = false;         ///< a finish_reason or [DONE] was seen: the answer is whole
    std::optional<Error> failure;  ///< why we broke it off
    net::Spawned sending;
    net::Spawned watching;  ///< for the first token
  };

  State(OpenAiChatConfig c, net::EventLoop& l, telemetry::Registry& metrics, telemetry::Log& lg,
        const Clock& cl)
      : config(std::move(c)),
        loop(l),
        log(lg),
        clock(cl),
        client(l.executor(), config.endpoint, net::HttpClientOptions::one_request_a_connection()),
        breaker(std::in_place, cl, config.breaker),
        failures(metrics.counter("yyc3_inference_chat_failures_total",
                                 "Answers that the language model did not give")),
        first_seconds(metrics.histogram("yyc3_inference_chat_first_token_seconds",
                                        "From the question to the first text of the answer",
                                        {0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2, 5})) {}

  net::ClientRequest message_of(const ChatRequest& request) const;
  net::Task<void> send(ChatNumber number, net::ClientRequest message);
  net::Task<void> watch(ChatNumber number, Milliseconds limit);
  bool take(ChatNumber number, std::string_view bytes);
  bool take_event(ChatNumber number, const std::string& data);
  void finish(ChatNumber number, const Result<net::ClientResponse>& response);
  Result<ChatAnswer> outcome(Job& job, const Result<net::ClientResponse>& response) const;
  void fail_job(ChatNumber number, const Error& error);
  ChatNumber refuse(ChatSink& sink, Error error);
  void probe();
  Job* job_of(ChatNumber number) {
    const auto at = jobs.find(number);
    return at == jobs.end() ? nullptr : &at->second;
  }

  OpenAiChatConfig config;
  net::EventLoop& loop;
  telemetry::Log& log;
  const Clock& clock;
  net::HttpClient client;
  std::optional<resilience::CircuitBreaker> breaker;
  telemetry::Counter& failures;
  telemetry::Histogram& first_seconds;

  std::map<ChatNumber, Job> jobs;
  std::map<ChatNumber, ChatSink*> refused;  ///< to be told in a moment
  std::string last_failure;                 ///< logged once, until an answer comes
  std::string why_away;                     ///< the last failure that counted with the breaker
  std::optional<net::HealthProbe> probing;
  bool up = true;  ///< as the probe has it
  ChatNumber next = 1;
};

net::ClientRequest OpenAiChat::State::message_of(const ChatRequest& request) const {
  net::ClientRequest message;
  message.method = "POST";
  message.target = "/v1/chat/completions";
  message.headers.set("Content-Type", "application/json");
  message.headers.set("Accept", "text/event-stream");
  message.headers.set("X-Deadline-Ms", std::to_string(request.total.count()));  // for our worker
  if (!config.bearer.empty()) message.headers.set("Authorization", "Bearer " + config.bearer);
  message.body = encode(request, config.model);
  message.deadline = request.total;
  message.body_bytes_max = 8u << 20;  // each token comes in some 200 bytes
  return message;
}

net::Task<void> OpenAiChat::State::send(ChatNumber number, net::ClientRequest message) {
  const auto self = shared_from_this();
  message.on_chunk = [this, number](std::string_view bytes) { return take(number, bytes); };
  const auto response = co_await client.send(std::move(message));
  finish(number, response);
}

net::Task<void> OpenAiChat::State::watch(ChatNumber number, Milliseconds limit) {
  const auto self = shared_from_this();
  co_await net::sleep_for(limit);
  const Job* job = job_of(number);
  if (job == nullptr || !job->answer.text.empty()) co_return;
  const bool chooses = !job->choices.empty();
  job->sending.cancel();
  fail_job(number, {ErrorCode::kTimeout,
                    fmt::format("nothing was said within {} ms: load the model beforehand, or "
                                "raise language.{}",
                                limit.count(), chooses ? "choice_ms" : "first_token_ms")});
}

/// False breaks the request off.
bool OpenAiChat::State::take(ChatNumber number, std::string_view bytes) {
  Job* job = job_of(number);
  if (job == nullptr) return false;
  const auto events = job->events.feed(bytes);
  if (!events) {
    job->failure = events.error();
    return false;
  }
  for (const std::string& data : *events)
    if (!take_event(number, data)) return false;
  return true;
}

bool OpenAiChat::State::take_event(ChatNumber number, const std::string& data) {
  Job* job = job_of(number);  // the sink may have cancelled it at the event before
  if (job == nullptr) return false;
  if (data == "[DONE]") {
    job->finished = true;
    return false;  // nothing comes after it
  }
  const auto delta = decode_delta(data);
  if (!delta) {
    job->failure = delta.error();
    return false;
  }
  ChatAnswer& answer = job->answer;
  answer.cut = answer.cut || delta->cut;
  answer.prompt_tokens = std::max(answer.prompt_tokens, delta->prompt_tokens);
  answer.cached_tokens = std::max(answer.cached_tokens, delta->cached_tokens);
  answer.tokens = std::max(answer.tokens, delta->tokens);
  job->finished = job->finished || delta->finished;
  if (delta->text.empty()) return true;
  if (answer.text.size() + delta->text.size() > kTextBytesMax) {
    job->failure = Error{ErrorCode::kInvalid, "the answer is longer than 64 KiB"};
    return false;
  }
  if (answer.text.empty()) {
    const SteadyTime now = clock.now();
    answer.first_token = whole_ms(job->begun, now);
    first_seconds.observe(std::chrono::duration<double>(now - job->begun).count());
  }
  answer.text += delta->text;
  if (job->choices.empty()) job->sink->on_piece(number, delta->text);
  return true;
}

Result<ChatAnswer> OpenAiChat::State::outcome(Job& job,
                                              const Result<net::ClientResponse>& response) const {
  if (job.failure) return tl::unexpected<Error>(*job.failure);
  if (!response && !job.finished) {
    if (response.error().code == ErrorCode::kTimeout)
      return fail(
          ErrorCode::kTimeout,
          fmt::format("the answer was not whole after {} ms: ask for fewer tokens, or raise "
                      "language.total_ms",
                      job.total.count()));
    return fail(response.error().code, "language.url: " + response.error().detail);
  }
  if (response && response->status != 200)
    return tl::unexpected<Error>(status_error(response->status));
  if (!job.finished)
    return job.answer.text.empty()
               ? fail(ErrorCode::kInvalid, std::string(kNoAnswer))
               : fail(ErrorCode::kUnavailable, "the answer broke off in the middle");
  if (!job.choices.empty()) {
    auto choice = choice_in(job.answer.text, job.choices);
    if (!choice && job.answer.cut)
      return fail(ErrorCode::kInvalid, "the choice did not fit into tokens_max");
    if (!choice)
      return fail(ErrorCode::kInvalid,
                  "the answer is none of the choices: does the engine take a response_format of "
                  "type json_schema?");
    job.answer.text = std::move(*choice);
  }
  job.answer.total = whole_ms(job.begun, clock.now());
  return std::move(job.answer);
}

void OpenAiChat::State::finish(ChatNumber number, const Result<net::ClientResponse>& response) {
  Job* job = job_of(number);
  if (job == nullptr) return;  // cancelled, or late, meanwhile
  auto answer = outcome(*job, response);
  if (!answer) return fail_job(number, answer.error());
  job->watching.cancel();
  ChatSink* sink = job->sink;
  jobs.erase(number);
  breaker->on_success();
  last_failure.clear();
  sink->on_answer(number, *answer);
}

void OpenAiChat::State::fail_job(ChatNumber number, const Error& error) {
  const auto at = jobs.find(number);
  if (at == jobs.end()) return;
  at->second.watching.cancel();
  ChatSink* sink = at->second.sink;
  jobs.erase(at);
  if (error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kTimeout) {
    breaker->on_failure();
    why_away = error.detail;
  } else {
    breaker->on_abandoned();
  }
  failures.add();
  if (std::exchange(last_failure, error.detail) != error.detail)
    log.warn("the language model gave no answer", {{"error.message", error.detail}});
  sink->on_failed(number, error);
}

ChatNumber OpenAiChat::State::refuse(ChatSink& sink, Error error) {
  const ChatNumber number = next++;
  refused.emplace(number, &sink);
  // The port never calls back from inside a call.
  loop.post([state = weak_from_this(), number, error = std::move(error)] {
    const auto alive = state.lock();
    if (!alive) return;
    const auto told = alive->refused.extract(number);
    if (!told.empty()) told.mapped()->on_failed(number, error);
  });
  return number;
}

void OpenAiChat::State::probe() {
  up = false;
  net::HealthProbeConfig watch;
  watch.every = config.probe_every;
  watch.on_change = [this](bool on) {
    up = on;
    if (on) breaker.emplace(clock, config.breaker);  // another process has failed at nothing yet
    if (on)
      log.info("the language model is available");
    else
      log.warn("the language model is not available");
    if (config.on_change) config.on_change(on);
  };
  watch.on_hang = [this] {
    log.warn("language worker hangs");
    if (config.on_hang) config.on_hang();
  };
  probing.emplace(loop, config.endpoint, std::move(watch));
}

OpenAiChat::OpenAiChat(OpenAiChatConfig config, net::EventLoop& loop, telemetry::Registry& metrics,
                       telemetry::Log& log, const Clock& clock)
    : state_(std::make_shared<State>(std::move(config), loop, metrics, log, clock)) {
  if (state_->config.probe_every > Milliseconds{0}) state_->probe();
}

OpenAiChat::~OpenAiChat() {
  state_->probing.reset();
  for (const auto& [number, job] : state_->jobs) {
    job.sending.cancel();
    job.watching.cancel();
  }
  state_->jobs.clear();  // what is on its way already finds nobody
  state_->refused.clear();
}

ChatNumber OpenAiChat::ask(ChatRequest request, ChatSink& sink) {
  if (const auto good = check(request); !good) return state_->refuse(sink, good.error());
  if (state_->jobs.size() >= state_->config.at_once)
    return state_->refuse(sink, {ErrorCode::kBusy, "too much is asked of the language model"});
  if (!state_->up)
    return state_->refuse(sink, {ErrorCode::kUnavailable, "the language worker is not up"});
  if (!state_->breaker->allow())
    return state_->refuse(
        sink, {ErrorCode::kUnavailable, "the language model is away: " + state_->why_away});
  const ChatNumber number = state_->next++;
  net::ClientRequest message = state_->message_of(request);
  const Milliseconds first = request.first_token;
  State::Job& job = state_->jobs[number];
  job.choices = std::move(request.choices);
  job.total = request.total;
  job.sink = &sink;
  job.begun = state_->clock.now();
  // A coroutine begins at once, on this loop; it gives way before it can have finished.
  net::Spawned sending = state_->loop.spawn(state_->send(number, std::move(message)), "chat");
  net::Spawned watching = state_->loop.spawn(state_->watch(number, first), "chat first token");
  if (State::Job* asked = state_->job_of(number)) {
    asked->sending = std::move(sending);
    asked->watching = std::move(watching);
  }
  return number;
}

void OpenAiChat::cancel(ChatNumber number) {
  state_->refused.erase(number);
  const auto at = state_->jobs.find(number);
  if (at == state_->jobs.end()) return;
  at->second.sending.cancel();
  at->second.watching.cancel();
  state_->jobs.erase(at);
  state_->breaker->on_abandoned();
}

bool OpenAiChat::available() const {
  return state_->up && state_->breaker->wait() == Milliseconds{0};
}

}  // namespace yyc3::inference
