#include "engine/speech/hear_client.hpp"

#include <algorithm>
#include <utility>

#include "platform/net/websocket.hpp"

namespace yyc3::speech {

namespace {
constexpr std::size_t kJobsMax = 1024;
}

/// Lives until its coroutines have ended; HearClient only stops it.
struct HearClient::State : std::enable_shared_from_this<State> {
  struct Stream {
    Language language;
    HearingSink* sink;
  };
  struct Job {
    StreamNumber stream;
    SteadyTime deadline;
  };

  State(HearClientConfig c, net::EventLoop& l, telemetry::Registry& metrics, telemetry::Log& lg,
        const Clock& cl)
      : config(std::move(c)),
        loop(l),
        log(lg),
        clock(cl),
        dropped(metrics.counter("yyc3_speech_hear_dropped_total",
                                "Audio batches that the hear worker's socket did not take")),
        lost_jobs(metrics.counter("yyc3_speech_hear_lost_jobs_total",
                                  "Decodes lost with their connection or past their deadline")) {}

  net::Task<void> run();
  net::Task<void> serve(std::shared_ptr<net::WebSocket> link);
  net::Task<void> tick();
  void flush();
  void on_message(const net::WebSocketMessage& message);
  void on_json(std::string_view text);
  void on_probabilities(std::string_view frame);
  void fail_jobs(const char* why);
  void expire_jobs();
  void set_available(bool on);
  bool send(const wire::ClientMessage& message) {
    return socket && socket->send_text(wire::encode(message));
  }
  Stream* stream_of(StreamNumber number) {
    const auto at = streams.find(number);
    return at == streams.end() ? nullptr : &at->second;
  }

  HearClientConfig config;
  net::EventLoop& loop;
  telemetry::Log& log;
  const Clock& clock;
  telemetry::Counter& dropped;
  telemetry::Counter& lost_jobs;

  std::map<StreamNumber, Stream> streams;
  std::map<JobNumber, Job> jobs;
  wire::AudioBatch batch;
  std::shared_ptr<net::WebSocket> socket;
  bool ready = false;  ///< hello was received
  bool has_vad = false;
  bool stopped = false;
  StreamNumber next_stream = 1;
  JobNumber next_job = 1;
  SteadyTime last_pong{};
  SteadyTime last_ping{};
  std::vector<net::Spawned> tasks;
};

net::Task<void> HearClient::State::run() {
  const auto self = shared_from_this();
  Milliseconds wait = config.reconnect_first;
  while (!stopped) {
    net::WebSocketTarget target;
    target.endpoint = config.endpoint;
    target.target = "/v1/hear";
    target.options.subprotocol = std::string(wire::kSubprotocol);
    target.options.queue_bytes_max = 1u << 20;
    auto link = co_await net::connect_websocket(target);
    if (link) {
      wait = config.reconnect_first;
      co_await serve(*link);
    }
    if (stopped) co_return;
    co_await net::sleep_for(wait);
    wait = std::min(wait * 2, config.reconnect_max);
  }
}

net::Task<void> HearClient::State::serve(std::shared_ptr<net::WebSocket> link) {
  socket = std::move(link);
  const auto held = socket;
  last_pong = clock.now();
  for (const auto& [number, stream] : streams) send(wire::Open{number, stream.language});
  while (!stopped) {
    const auto message = co_await held->read();
    if (!message) break;
    on_message(*message);
  }
  socket.reset();
  set_available(false);
  fail_jobs("the hear worker went away");
}

net::Task<void> HearClient::State::tick() {
  const auto self = shared_from_this();
  while (!stopped) {
    co_await net::sleep_for(config.flush_every);
    flush();
    expire_jobs();
    const SteadyTime now = clock.now();
    if (!ready) continue;
    if (now - last_ping >= config.ping_every) {
      last_ping = now;
      send(wire::Ping{now.time_since_epoch().count()});
    }
    if (now - last_pong >= config.ping_timeout) {
      last_pong = now;
      log.warn("hear worker does not answer");
      if (config.on_hang) config.on_hang();
    }
  }
}

void HearClient::State::flush() {
  if (batch.empty()) return;
  std::string frame = batch.take();
  if (!socket || !socket->send_binary(std::move(frame))) dropped.add();
}

void HearClient::State::set_available(bool on) {
  if (ready == on) return;
  ready = on;
  if (on)
    log.info("hearing is available");
  else
    log.warn("hearing is not available");
  const auto snapshot = streams;  // a sink may close its stream
  for (const auto& [number, stream] : snapshot)
    if (stream_of(number) != nullptr) stream.sink->on_available(on);
}

void HearClient::State::on_message(const net::WebSocketMessage& message) {
  if (message.is_binary) return on_probabilities(message.data);
  on_json(message.data);
}

void HearClient::State::on_probabilities(std::string_view frame) {
  const auto list = wire::decode_probabilities(frame);
  if (!list) return;
  for (const auto& one : *list)
    if (Stream* stream = stream_of(one.stream))
      stream->sink->on_speech_probability(one.end_sample, one.p / 255.0);
}

void HearClient::State::on_json(std::string_view text) {
  auto message = wire::decode_worker(text);
  if (!message) {
    log.warn("hear worker sent what is not its protocol",
             {{"error.message", message.error().detail}});
    return;
  }
  if (const auto* hello = std::get_if<wire::Hello>(&*message)) {
    has_vad = std::ranges::find(hello->models, "silero_vad") != hello->models.end();
    if (!has_vad) log.warn("the hear worker has no voice activity model: turns go by energy");
    return set_available(true);
  }
  if (std::holds_alternative<wire::Pong>(*message)) {
    last_pong = clock.now();
    return;
  }
  if (const auto* turn = std::get_if<wire::TurnEnd>(&*message)) {
    if (Stream* stream = stream_of(turn->stream))
      stream->sink->on_turn_end(turn->to_sample, turn->probability);
    return;
  }
  const auto* heard = std::get_if<wire::Text>(&*message);
  const auto* error = std::get_if<wire::JobError>(&*message);
  const auto at = jobs.find(heard != nullptr ? heard->job : error->job);
  if (at == jobs.end()) return;  // cancelled, or past its deadline
  Stream* stream = stream_of(at->second.stream);
  const JobNumber job = at->first;
  jobs.erase(at);
  if (stream == nullptr) return;
  if (heard != nullptr)
    stream->sink->on_text(job, heard->heard);
  else
    stream->sink->on_decode_failed(job, error->error);
}

void HearClient::State::fail_jobs(const char* why) {
  const auto lost = std::exchange(jobs, {});
  for (const auto& [number, job] : lost) {
    lost_jobs.add();
    if (Stream* stream = stream_of(job.stream))
      stream->sink->on_decode_failed(number, Error{ErrorCode::kUnavailable, why});
  }
}

void HearClient::State::expire_jobs() {
  const SteadyTime now = clock.now();
  std::vector<std::pair<JobNumber, Job>> late;
  for (const auto& [number, job] : jobs)
    if (job.deadline <= now) late.emplace_back(number, job);
  for (const auto& [number, job] : late) {
    jobs.erase(number);
    lost_jobs.add();
    send(wire::Cancel{number});
    if (Stream* stream = stream_of(job.stream))
      stream->sink->on_decode_failed(number,
                                     Error{ErrorCode::kTimeout, "recognition took too long"});
  }
}

HearClient::HearClient(HearClientConfig config, net::EventLoop& loop, telemetry::Registry& metrics,
                       telemetry::Log& log, const Clock& clock)
    : state_(std::make_shared<State>(std::move(config), loop, metrics, log, clock)) {
  state_->tasks.push_back(loop.spawn(state_->run(), "hear link"));
  state_->tasks.push_back(loop.spawn(state_->tick(), "hear tick"));
}

HearClient::~HearClient() {
  state_->stopped = true;
  for (const auto& task : state_->tasks) task.cancel();
  state_->streams.clear();
}

StreamNumber HearClient::open(Language language, HearingSink& sink) {
  const StreamNumber number = state_->next_stream++;
  state_->streams.emplace(number, State::Stream{language, &sink});
  state_->send(wire::Open{number, language});
  return number;
}

void HearClient::audio(StreamNumber stream, std::uint64_t first_sample,
                       std::span<const std::int16_t> pcm) {
  if (state_->batch.add(stream, first_sample, pcm)) return;
  state_->flush();
  if (!state_->batch.add(stream, first_sample, pcm)) state_->dropped.add();
}

JobNumber HearClient::decode(StreamNumber stream, const DecodeSpec& spec) {
  const JobNumber job = state_->next_job++;
  state_->flush();  // the audio it is about goes first
  const bool sent = state_->ready && state_->jobs.size() < kJobsMax &&
                    state_->send(wire::Decode{job, stream, spec, {}});
  if (sent) {
    state_->jobs.emplace(job, State::Job{stream, state_->clock.now() + spec.deadline});
    return job;
  }
  // The port never calls back from inside a call.
  state_->loop.post([state = std::weak_ptr(state_), stream, job] {
    const auto alive = state.lock();
    if (State::Stream* found = alive ? alive->stream_of(stream) : nullptr)
      found->sink->on_decode_failed(job,
                                    Error{ErrorCode::kUnavailable, "hearing is not available"});
  });
  return job;
}

void HearClient::cancel(JobNumber job) {
  if (state_->jobs.erase(job) > 0) state_->send(wire::Cancel{job});
}

void HearClient::close(StreamNumber stream) {
  if (state_->streams.erase(stream) == 0) return;
  std::erase_if(state_->jobs, [&](const auto& job) { return job.second.stream == stream; });
  state_->send(wire::Close{stream});
}

bool HearClient::available() const { return state_->ready; }
bool HearClient::detects_speech() const { return state_->ready && state_->has_vad; }

}  // namespace yyc3::speech
