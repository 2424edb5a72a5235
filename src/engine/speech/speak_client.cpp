#include "engine/speech/speak_client.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "engine/speech/telephone_voice.hpp"
#include "platform/net/health_probe.hpp"

namespace yyc3::speech {

struct SpeakClient::State : std::enable_shared_from_this<State> {
  struct Job {
    std::uint64_t number;
    SpeakRequest request;
    Done done;
    SteadyTime deadline;
  };

  State(SpeakClientConfig c, net::EventLoop& l, telemetry::Registry& metrics, telemetry::Log& lg,
        const Clock& cl)
      : config(std::move(c)),
        loop(l),
        log(lg),
        clock(cl),
        client(l.executor(), config.endpoint, net::HttpClientOptions::one_request_a_connection()),
        failures(
            metrics.counter("yyc3_speech_speak_failures_total", "Synthesis requests that failed")),
        seconds(metrics.histogram("yyc3_speech_speak_seconds", "One synthesis request",
                                  {0.1, 0.2, 0.5, 1, 2, 5, 10})) {}

  void start_next();
  net::Task<void> work(Job job);
  net::Task<Result<Pcm>> synthesize(const SpeakRequest& request, Milliseconds left);
  void probe();
  void set_available(bool on);
  void finish(std::uint64_t number, const Done& done, Result<Pcm> pcm);

  SpeakClientConfig config;
  net::EventLoop& loop;
  telemetry::Log& log;
  const Clock& clock;
  net::HttpClient client;
  telemetry::Counter& failures;
  telemetry::Histogram& seconds;

  std::deque<Job> waiting;  ///< live requests before the others, each class in order
  std::map<std::uint64_t, net::Spawned> running;
  std::optional<net::HealthProbe> probing;
  std::uint64_t next_job = 1;
  bool up = false;
  bool stopped = false;
};

void SpeakClient::State::start_next() {
  while (!stopped && running.size() < config.at_once && !waiting.empty()) {
    Job job = std::move(waiting.front());
    waiting.pop_front();
    const std::uint64_t number = job.number;
    running.emplace(number, net::Spawned());
    net::Spawned started = loop.spawn(work(std::move(job)), "speak");
    // A job whose time was over has finished already, inside spawn.
    if (const auto at = running.find(number); at != running.end()) at->second = std::move(started);
  }
}

net::Task<void> SpeakClient::State::work(Job job) {
  const auto self = shared_from_this();
  const SteadyTime begun = clock.now();
  const auto left = std::chrono::duration_cast<Milliseconds>(job.deadline - begun);
  Result<Pcm> pcm = fail(ErrorCode::kTimeout, "the voice was busy for too long");
  if (left > Milliseconds{0}) pcm = co_await synthesize(job.request, left);
  seconds.observe(std::chrono::duration<double>(clock.now() - begun).count());
  finish(job.number, job.done, std::move(pcm));
}

void SpeakClient::State::finish(std::uint64_t number, const Done& done, Result<Pcm> pcm) {
  if (running.erase(number) == 0 || stopped) return;  // cancelled meanwhile
  if (!pcm) {
    failures.add();
    log.warn("speaking failed", {{"error.message", pcm.error().detail}});
  }
  done(std::move(pcm));
  start_next();
}

net::Task<Result<Pcm>> SpeakClient::State::synthesize(const SpeakRequest& request,
                                                      Milliseconds left) {
  const bool zh = request.language == Language::kChinese;
  const std::string& fallback = zh ? config.voice_zh : config.voice_en;
  const json::object body{{"model", zh ? config.model_zh : config.model_en},
                          {"voice", request.voice.empty() ? fallback : request.voice},
                          {"input", request.text},
                          {"response_format", "wav"},
                          {"speed", request.speed}};
  net::ClientRequest message;
  message.method = "POST";
  message.target = config.target;
  message.headers.set("Content-Type", "application/json");
  message.headers.set("X-Class", request.live ? "live" : "render");
  if (!config.bearer.empty()) message.headers.set("Authorization", "Bearer " + config.bearer);
  message.body = json::serialize(body);
  message.deadline = left;
  auto answer = co_await client.send(std::move(message));
  if (!answer) co_return tl::unexpected<Error>(answer.error());
  if (answer->status == 429 || answer->status == 503)
    co_return fail(ErrorCode::kBusy, "the voice is busy");
  if (answer->status == 401 || answer->status == 403)
    co_return fail(ErrorCode::kDenied,
                   "the voice engine wants another key: mend speech.speak_key_file");
  if (answer->status == 404)
    co_return fail(ErrorCode::kInvalid,
                   "the voice engine knows no such model or voice: mend speech.speak_url, "
                   "speech.speak_model or speech.voice_zh/_en");
  if (answer->status != 200)
    co_return fail(answer->status < 500 ? ErrorCode::kInvalid : ErrorCode::kUnavailable,
                   "the voice engine refused the text");
  co_return telephone_voice(as_bytes(answer->body));
}

void SpeakClient::State::probe() {
  net::HealthProbeConfig probe;
  probe.every = config.probe_every;
  probe.timeout = config.probe_timeout;
  probe.on_change = [this](bool on) { set_available(on); };
  probe.on_hang = [this] {
    log.warn("speak worker hangs");
    if (config.on_hang) config.on_hang();
  };
  probing.emplace(loop, config.endpoint, std::move(probe));
}

void SpeakClient::State::set_available(bool on) {
  if (up == on) return;
  up = on;
  if (on)
    log.info("the voice is available");
  else
    log.warn("the voice is not available");
  if (config.on_change) config.on_change(on);
}

SpeakClient::SpeakClient(SpeakClientConfig config, net::EventLoop& loop,
                         telemetry::Registry& metrics, telemetry::Log& log, const Clock& clock)
    : state_(std::make_shared<State>(std::move(config), loop, metrics, log, clock)) {
  if (state_->config.probe_every > Milliseconds{0})
    state_->probe();
  else
    state_->up = true;
}

SpeakClient::~SpeakClient() {
  state_->stopped = true;
  state_->probing.reset();
  for (const auto& [number, task] : state_->running) task.cancel();
}

std::uint64_t SpeakClient::speak(SpeakRequest request, Done done) {
  const std::uint64_t number = state_->next_job++;
  const auto refuse = [&](ErrorCode code, const char* why) {
    state_->loop.post([done, error = Error{code, why}] {
      done(tl::unexpected<Error>(error));  // never from inside the call
    });
    return number;
  };
  if (request.text.empty() || request.text.size() > state_->config.text_bytes_max)
    return refuse(ErrorCode::kInvalid, "text: must be 1 to 600 bytes; cut it into sentences");
  if (state_->waiting.size() >= state_->config.queue_max)
    return refuse(ErrorCode::kBusy, "too much is waiting for the voice");
  auto& waiting = state_->waiting;
  const auto behind_live = std::find_if(waiting.begin(), waiting.end(),
                                        [](const State::Job& job) { return !job.request.live; });
  const SteadyTime deadline = state_->clock.now() + request.deadline;
  State::Job job{number, std::move(request), std::move(done), deadline};
  waiting.insert(job.request.live ? behind_live : waiting.end(), std::move(job));
  state_->start_next();
  return number;
}

void SpeakClient::cancel(std::uint64_t job) {
  std::erase_if(state_->waiting, [job](const State::Job& one) { return one.number == job; });
  const auto at = state_->running.find(job);
  if (at == state_->running.end()) return;
  at->second.cancel();
  state_->running.erase(at);
  state_->start_next();
}

bool SpeakClient::available() const { return state_->up; }

}  // namespace yyc3::speech
