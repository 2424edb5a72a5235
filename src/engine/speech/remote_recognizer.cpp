#include "engine/speech/remote_recognizer.hpp"

#include <algorithm>
#include <map>
#include <ranges>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "engine/speech/grammars.hpp"
#include "engine/speech/kept_audio.hpp"
#include "engine/telephony/codec/wav.hpp"
#include "engine/telephony/rtp/energy_vad.hpp"

namespace yyc3::speech {

namespace {

/// Shorter than the gate's own hangover (300 ms), so that the end of speech is seen before the
/// frames stop; longer than the closure of a consonant.
constexpr int kHangoverFrames = 5;
constexpr std::size_t kProbabilitiesMax = 4096;
constexpr std::string_view kBoundary = "----aicall-7d1f0c9e5b3a4826";

std::string form(const std::string& model, Language language, std::span<const std::int16_t> pcm) {
  std::string body;
  const auto part = [&body](std::string_view head, std::string_view content) {
    body.append("--").append(kBoundary).append("\r\nContent-Disposition: form-data; ");
    body.append(head).append("\r\n\r\n").append(content).append("\r\n");
  };
  part("name=\"model\"", model);
  part("name=\"language\"", code_of(language));
  part("name=\"response_format\"", "json");
  const Bytes wav = codec::write_wav(8000, 1, pcm);
  part("name=\"file\"; filename=\"speech.wav\"\r\nContent-Type: audio/wav", as_text(wav));
  return body.append("--").append(kBoundary).append("--\r\n");
}

/// The raw text of an answer.
Result<std::string> read_answer(const Result<net::ClientResponse>& answer) {
  if (!answer) {
    if (answer.error().code == ErrorCode::kTimeout)
      return fail(ErrorCode::kTimeout, "recognition took too long");
    return fail(answer.error().code, "speech.hear_url: " + answer.error().detail);
  }
  const std::string status = " (" + std::to_string(answer->status) + ")";
  switch (answer->status) {
    case 200:
      break;
    case 401:
    case 403:
      return fail(ErrorCode::kDenied,
                  "the engine refuses our key" + status + ": mend speech.hear_key_file");
    case 404:
      return fail(ErrorCode::kInvalid, "the engine has no such path or model" + status +
                                           ": mend speech.hear_url or speech.hear_model");
    case 429:
      return fail(ErrorCode::kBusy, "the engine is busy" + status);
    default:
      if (answer->status >= 500) return fail(ErrorCode::kUnavailable, "the engine fails" + status);
      return fail(ErrorCode::kInvalid, "the engine refuses the audio" + status);
  }
  const auto body = parse_json(answer->body);
  auto text = body ? string_field(*body, "text") : std::nullopt;
  if (!text)
    return fail(ErrorCode::kInvalid,
                "no transcription came back: is speech.hear_url an OpenAI-compatible engine?");
  return std::move(*text);
}

Milliseconds whole_ms(SteadyTime from, SteadyTime to) {
  return std::chrono::duration_cast<Milliseconds>(to - from);
}

}  // namespace

/// Lives until its coroutines have ended; RemoteRecognizer only stops it.
struct RemoteRecognizer::State : std::enable_shared_from_this<State> {
  struct Stream {
    HearingSink* sink = nullptr;
    KeptAudio audio;
    rtp::EnergyVad vad{kHangoverFrames};
    codec::Frame frame{};
    std::size_t filled = 0;  ///< samples of `frame`
  };
  /// Each holds one permission of the breaker until it is finished, dropped or expired.
  struct Job {
    StreamNumber stream;
    DecodeSpec spec;
    std::string body;
    SteadyTime arrived;
    bool running = false;
    net::Spawned request;
  };
  struct Probability {
    StreamNumber stream;
    std::uint64_t end_sample;
    double value;
  };

  State(RemoteRecognizerConfig c, net::EventLoop& l, telemetry::Registry& metrics,
        telemetry::Log& lg, const Clock& cl)
      : config(std::move(c)),
        loop(l),
        log(lg),
        clock(cl),
        client(l.executor(), config.endpoint, net::HttpClientOptions::one_request_a_connection()),
        breaker(cl, config.breaker),
        failures(metrics.counter("yyc3_speech_remote_hear_failures_total",
                                 "Recognitions that an engine elsewhere did not give")),
        seconds(metrics.histogram("yyc3_speech_remote_hear_seconds",
                                  "One recognition request to an engine elsewhere",
                                  {0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2, 3, 5})) {}

  void start_next();
  void start(JobNumber number, Job& job);
  net::Task<void> work(JobNumber number, net::ClientRequest request);
  void finish(JobNumber number, SteadyTime begun, const Result<net::ClientResponse>& answer);
  void drop(std::map<JobNumber, Job>::iterator job);
  net::Task<void> tick();
  void expire();
  void note_availability();
  void tell_probabilities();
  void note_failure(const Error& error);
  JobNumber refuse(StreamNumber stream, Error error);
  Stream* stream_of(StreamNumber number) {
    const auto at = streams.find(number);
    return at == streams.end() ? nullptr : &at->second;
  }

  RemoteRecognizerConfig config;
  net::EventLoop& loop;
  telemetry::Log& log;
  const Clock& clock;
  net::HttpClient client;
  resilience::CircuitBreaker breaker;
  telemetry::Counter& failures;
  telemetry::Histogram& seconds;

  std::map<StreamNumber, Stream> streams;
  std::map<JobNumber, Job> jobs;
  std::vector<Probability> probabilities;
  std::string last_failure;  ///< logged once, until a decode succeeds
  bool up = true;
  bool stopped = false;
  StreamNumber next_stream = 1;
  JobNumber next_job = 1;
  net::Spawned ticking;
};

void RemoteRecognizer::State::start_next() {
  const auto running = [](const auto& entry) { return entry.second.running; };
  const auto due = [](const auto& entry) {
    // what runs is last: it is not chosen again
    return std::pair(entry.second.running, entry.second.arrived + entry.second.spec.deadline);
  };
  while (static_cast<std::size_t>(std::ranges::count_if(jobs, running)) < config.at_once) {
    const auto next = std::ranges::min_element(jobs, {}, due);
    if (next == jobs.end() || next->second.running) return;
    next->second.running = true;
    start(next->first, next->second);
  }
}

void RemoteRecognizer::State::start(JobNumber number, Job& job) {
  net::ClientRequest request;
  request.method = "POST";
  request.target = "/v1/audio/transcriptions";
  request.headers.set("Content-Type", "multipart/form-data; boundary=" + std::string(kBoundary));
  if (!config.bearer.empty()) request.headers.set("Authorization", "Bearer " + config.bearer);
  request.body = std::move(job.body);
  request.deadline =
      std::max(Milliseconds{1}, job.spec.deadline - whole_ms(job.arrived, clock.now()));
  request.body_bytes_max = 256u << 10;
  net::Spawned started = loop.spawn(work(number, std::move(request)), "hear elsewhere");
  if (const auto at = jobs.find(number); at != jobs.end()) at->second.request = std::move(started);
}

net::Task<void> RemoteRecognizer::State::work(JobNumber number, net::ClientRequest request) {
  const auto self = shared_from_this();
  const SteadyTime begun = clock.now();
  const auto answer = co_await client.send(std::move(request));
  finish(number, begun, answer);
}

void RemoteRecognizer::State::finish(JobNumber number, SteadyTime begun,
                                     const Result<net::ClientResponse>& answer) {
  const auto at = jobs.find(number);
  if (at == jobs.end() || stopped) return;  // cancelled meanwhile
  const Job job = std::move(at->second);
  jobs.erase(at);
  const SteadyTime now = clock.now();
  seconds.observe(std::chrono::duration<double>(now - begun).count());
  const auto raw = read_answer(answer);
  if (raw)
    breaker.on_success();
  else if (raw.error().code == ErrorCode::kUnavailable || raw.error().code == ErrorCode::kTimeout)
    breaker.on_failure();
  else
    breaker.on_abandoned();
  start_next();
  Stream* stream = stream_of(job.stream);
  if (!raw) {
    note_failure(raw.error());
    if (stream != nullptr) stream->sink->on_decode_failed(number, raw.error());
    return;
  }
  last_failure.clear();
  if (stream == nullptr) return;
  text::CutText tidy = tidy_text(config.tables, job.spec.language, *raw);
  HeardText heard;
  heard.text =
      hold_to(config.tables, phrases_of(job.spec.grammar, job.spec.language, job.spec.options),
              std::move(tidy.text));
  heard.confidence = heard.text.empty() ? 0 : kConfidenceUntold;
  heard.looped = tidy.looped;
  heard.queued = whole_ms(job.arrived, begun);
  heard.decoded = whole_ms(begun, now);
  stream->sink->on_text(number, heard);
}

void RemoteRecognizer::State::note_failure(const Error& error) {
  failures.add();
  if (std::exchange(last_failure, error.detail) != error.detail)
    log.warn("recognition elsewhere failed", {{"error.message", error.detail}});
}

void RemoteRecognizer::State::drop(std::map<JobNumber, Job>::iterator job) {
  job->second.request.cancel();
  jobs.erase(job);
  breaker.on_abandoned();
}

void RemoteRecognizer::State::expire() {
  const SteadyTime now = clock.now();
  std::vector<std::pair<JobNumber, StreamNumber>> late;
  for (const auto& [number, job] : jobs)
    if (!job.running && job.arrived + job.spec.deadline <= now)
      late.emplace_back(number, job.stream);
  for (const auto& [number, stream] : late) {
    const auto job = jobs.find(number);
    if (job == jobs.end()) continue;  // dropped by the sink just told
    drop(job);
    const Error error{ErrorCode::kTimeout, "the engine was busy for too long"};
    note_failure(error);
    if (Stream* found = stream_of(stream)) found->sink->on_decode_failed(number, error);
  }
}

void RemoteRecognizer::State::note_availability() {
  const bool on = breaker.state() == resilience::CircuitBreaker::State::kClosed;
  if (std::exchange(up, on) == on) return;
  if (on)
    log.info("hearing is available");
  else
    log.warn("hearing is not available");
  const auto told = streams | std::views::keys;
  const std::vector<StreamNumber> numbers(told.begin(), told.end());  // a sink may close its own
  for (const StreamNumber number : numbers)
    if (Stream* stream = stream_of(number)) stream->sink->on_available(on);
}

void RemoteRecognizer::State::tell_probabilities() {
  for (const auto& one : std::exchange(probabilities, {}))
    if (Stream* stream = stream_of(one.stream))
      stream->sink->on_speech_probability(one.end_sample, one.value);
}

net::Task<void> RemoteRecognizer::State::tick() {
  const auto self = shared_from_this();
  while (!stopped) {
    co_await net::sleep_for(config.flush_every);
    tell_probabilities();
    expire();
    note_availability();
  }
}

JobNumber RemoteRecognizer::State::refuse(StreamNumber stream, Error error) {
  const JobNumber job = next_job++;
  // The port never calls back from inside a call.
  loop.post([state = weak_from_this(), stream, job, error = std::move(error)] {
    const auto alive = state.lock();
    if (Stream* found = alive ? alive->stream_of(stream) : nullptr)
      found->sink->on_decode_failed(job, error);
  });
  return job;
}

RemoteRecognizer::RemoteRecognizer(RemoteRecognizerConfig config, net::EventLoop& loop,
                                   telemetry::Registry& metrics, telemetry::Log& log,
                                   const Clock& clock)
    : state_(std::make_shared<State>(std::move(config), loop, metrics, log, clock)) {
  state_->ticking = loop.spawn(state_->tick(), "hear elsewhere tick");
}

RemoteRecognizer::~RemoteRecognizer() {
  state_->stopped = true;
  state_->ticking.cancel();
  for (const auto& [number, job] : state_->jobs) job.request.cancel();
  state_->streams.clear();
}

StreamNumber RemoteRecognizer::open(Language, HearingSink& sink) {
  const StreamNumber number = state_->next_stream++;
  state_->streams[number].sink = &sink;
  return number;
}

void RemoteRecognizer::audio(StreamNumber number, std::uint64_t first_sample,
                             std::span<const std::int16_t> pcm) {
  State::Stream* stream = state_->stream_of(number);
  if (stream == nullptr) return;
  const auto added = stream->audio.append(first_sample, pcm);
  if (added.after_gap) stream->filled = 0;
  for (std::size_t i = 0; i < added.pcm.size(); ++i) {
    stream->frame[stream->filled++] = added.pcm[i];
    if (stream->filled < stream->frame.size()) continue;
    stream->filled = 0;
    const bool speech = stream->vad.step(stream->frame).speech;
    // While we are away the call asks its own detector.
    if (state_->up && state_->probabilities.size() < kProbabilitiesMax)
      state_->probabilities.push_back({number, added.first_sample + i + 1, speech ? 1.0 : 0.0});
  }
}

JobNumber RemoteRecognizer::decode(StreamNumber number, const DecodeSpec& spec) {
  const State::Stream* stream = state_->stream_of(number);
  const auto pcm = stream != nullptr ? stream->audio.copy(spec.from_sample, spec.to_sample)
                                     : std::vector<std::int16_t>();
  if (pcm.empty())
    return state_->refuse(number, {ErrorCode::kNotFound, "decode: no audio is kept of this range"});
  if (spec.partial && !state_->jobs.empty())
    return state_->refuse(number, {ErrorCode::kBusy, "partial: other speech goes first"});
  if (state_->jobs.size() >= state_->config.at_once + state_->config.queue_max)
    return state_->refuse(number, {ErrorCode::kBusy, "too much waits to be recognised"});
  if (!state_->breaker.allow())
    return state_->refuse(number, {ErrorCode::kUnavailable, "hearing is not available"});
  const JobNumber job = state_->next_job++;
  state_->jobs.emplace(job, State::Job{number,
                                       spec,
                                       form(state_->config.model, spec.language, pcm),
                                       state_->clock.now(),
                                       false,
                                       {}});
  state_->start_next();
  return job;
}

void RemoteRecognizer::cancel(JobNumber job) {
  const auto at = state_->jobs.find(job);
  if (at == state_->jobs.end()) return;
  state_->drop(at);
  state_->start_next();
}

void RemoteRecognizer::close(StreamNumber stream) {
  state_->streams.erase(stream);
  auto& jobs = state_->jobs;
  for (auto at = jobs.begin(); at != jobs.end();) {
    const auto job = at++;
    if (job->second.stream == stream) state_->drop(job);
  }
  state_->start_next();
}

bool RemoteRecognizer::available() const { return state_->up; }
bool RemoteRecognizer::detects_speech() const { return state_->up; }

}  // namespace yyc3::speech
