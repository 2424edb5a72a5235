#include "worker/hear_server.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>
#include <utility>

#include "engine/speech/worker_protocol.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/net/http_server.hpp"
#include "platform/net/websocket.hpp"
#include "worker/decode_pool.hpp"
#include "worker/end_of_turn.hpp"
#include "worker/phrases.hpp"
#include "worker/sherpa_decoder.hpp"
#include "worker/stream_audio.hpp"
#include "worker/vad_pump.hpp"
#include "worker/whisper_decoder.hpp"

namespace yyc3::worker {
namespace {

namespace wire = speech::wire;

constexpr std::size_t kStreamsMax = 256;  // of one connection
constexpr std::size_t kConnectionsMax = 16;

/// One client: its streams, its jobs. Lives on the home loop.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<net::WebSocket> socket, DecodePool& pool, VadPump* vad,
          EndOfTurnPump* turn_end, telemetry::Log& log)
      : socket_(std::move(socket)), pool_(pool), vad_(vad), turn_end_(turn_end), log_(log) {}

  void greet(std::vector<std::string> models) {
    send(wire::Hello{wire::kVersion, std::move(models)});
  }
  net::Task<void> serve();
  /// One frame with the probabilities gathered since the last call.
  void flush_probabilities();

 private:
  struct Stream {
    StreamAudio audio;
    VadPump::Memory memory = std::make_shared<SileroVad::State>();
    std::shared_ptr<VadPump::Answer> answer;
  };
  void send(const wire::WorkerMessage& message) {
    if (!socket_->send_text(wire::encode(message))) log_.warn("hear client does not read");
  }
  Result<void> on_text(std::string_view text);
  Result<void> on_binary(std::string_view frame);
  Result<void> open(const wire::Open& message);
  void decode(wire::Decode message);
  void cancel_job(speech::JobNumber job);
  void answer(speech::JobNumber number, const wire::WorkerMessage& message);
  void judge_turn_end(DecodePool::Job& job);

  std::shared_ptr<net::WebSocket> socket_;
  DecodePool& pool_;
  VadPump* vad_;
  EndOfTurnPump* turn_end_;
  telemetry::Log& log_;
  std::map<speech::StreamNumber, Stream> streams_;
  std::unordered_map<speech::JobNumber, std::shared_ptr<DecodePool::Job>> jobs_;
  std::vector<wire::Probability> probabilities_;
};

Result<void> Session::open(const wire::Open& message) {
  if (streams_.size() >= kStreamsMax) return fail(ErrorCode::kBusy, "256 streams are open");
  Stream& stream = streams_[message.stream] = Stream{};
  const std::weak_ptr<Session> weak = weak_from_this();
  stream.answer = std::make_shared<VadPump::Answer>(
      [weak, number = message.stream](std::uint64_t end_sample, float p) {
        const auto self = weak.lock();
        if (!self) return;
        const float scaled = std::clamp(p, 0.0F, 1.0F) * 255.0F;
        self->probabilities_.push_back(
            {number, end_sample, static_cast<std::uint8_t>(std::lround(scaled))});
      });
  return {};
}

void Session::answer(speech::JobNumber number, const wire::WorkerMessage& message) {
  const auto job = jobs_.extract(number);
  send(message);
  if (!job.empty() && std::holds_alternative<wire::Text>(message)) judge_turn_end(*job.mapped());
}

/// After the decode, not beside it: both want the one core of this process.
void Session::judge_turn_end(DecodePool::Job& job) {
  const speech::DecodeSpec& spec = job.order.spec;
  if (!spec.turn_end || turn_end_ == nullptr) return;
  const std::weak_ptr<Session> weak = weak_from_this();
  turn_end_->ask(std::move(job.pcm),
                 [weak, from = job.order.stream, to = spec.to_sample](double p) {
                   if (const auto self = weak.lock()) self->send(wire::TurnEnd{from, to, p});
                 });
}

void Session::decode(wire::Decode message) {
  const speech::JobNumber number = message.job;
  const auto stream = streams_.find(message.stream);
  if (stream == streams_.end()) {
    send(wire::JobError{number, {ErrorCode::kNotFound, "decode: no such stream"}});
    return;
  }
  if (jobs_.contains(number)) {
    send(wire::JobError{number, {ErrorCode::kConflict, "decode: this job number is in use"}});
    return;
  }
  auto job = std::make_shared<DecodePool::Job>();
  job->pcm = stream->second.audio.copy(message.spec.from_sample, message.spec.to_sample);
  if (job->pcm.empty()) {
    send(wire::JobError{number, {ErrorCode::kNotFound, "decode: no audio is kept of this range"}});
    return;
  }
  job->order = std::move(message);
  const std::weak_ptr<Session> weak = weak_from_this();
  job->answer = [weak, number](const wire::WorkerMessage& text) {
    if (const auto self = weak.lock()) self->answer(number, text);
  };
  jobs_[number] = job;
  pool_.add(std::move(job));
}

void Session::cancel_job(speech::JobNumber job) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return;  // answered meanwhile
  pool_.cancel(found->second);
  jobs_.erase(found);
}

Result<void> Session::on_text(std::string_view text) {
  auto message = wire::decode_client(text);
  if (!message) return tl::unexpected<Error>(message.error());
  if (const auto* m = std::get_if<wire::Open>(&*message)) return open(*m);
  if (auto* m = std::get_if<wire::Decode>(&*message)) decode(std::move(*m));
  if (const auto* m = std::get_if<wire::Cancel>(&*message)) cancel_job(m->job);
  if (const auto* m = std::get_if<wire::Close>(&*message)) streams_.erase(m->stream);
  // Unanswered pings have the process ended and begun again.
  if (const auto* m = std::get_if<wire::Ping>(&*message); m != nullptr && !pool_.stuck())
    send(wire::Pong{m->id});
  return {};
}

Result<void> Session::on_binary(std::string_view frame) {
  const auto chunks = wire::decode_audio(frame);
  if (!chunks) return tl::unexpected<Error>(chunks.error());
  std::vector<StreamAudio::VadFrame> frames;
  for (const wire::AudioChunk& chunk : *chunks) {
    const auto found = streams_.find(chunk.stream);
    if (found == streams_.end()) continue;  // closed while its last audio was on the way
    Stream& stream = found->second;
    frames.clear();
    stream.audio.append(chunk.first_sample, chunk.pcm, frames);
    if (vad_ == nullptr) continue;
    for (const auto& f : frames) {
      if (!vad_->add(stream.memory, f, stream.answer)) {
        log_.warn("voice activity is behind, a frame was dropped");
      }
    }
  }
  return {};
}

void Session::flush_probabilities() {
  if (probabilities_.empty()) return;
  for (std::size_t at = 0; at < probabilities_.size(); at += wire::kChunksMax) {
    const std::size_t n = std::min(wire::kChunksMax, probabilities_.size() - at);
    // dropped when the client does not read: probabilities age within a second
    static_cast<void>(
        socket_->send_binary(wire::encode_probabilities(std::span(probabilities_).subspan(at, n))));
  }
  probabilities_.clear();
}

net::Task<void> Session::serve() {
  while (true) {
    auto message = co_await socket_->read();
    if (!message) break;
    const auto done = message->is_binary ? on_binary(message->data) : on_text(message->data);
    if (!done) {
      log_.warn("hear client broke the protocol", {{"error.message", done.error().detail}});
      socket_->close(1008, done.error().detail);
      break;
    }
  }
  for (const auto& [number, job] : jobs_) pool_.cancel(job);
  jobs_.clear();
}

template <class T>
void note_missing(telemetry::Log& log, const Result<T>& loaded) {
  if (!loaded) log.warn("without a model", {{"error.message", loaded.error().detail}});
}

}  // namespace

struct HearServer::Impl {
  Impl(telemetry::Log& l, const Clock& c) : log(l), clock(c), home("hear", l) {}
  Result<void> load(const HearConfig& config);
  Result<void> load_recognizers(const HearConfig& config, HearModels& hear);
  Result<void> listen(const HearConfig& config);
  net::Task<void> serve(std::shared_ptr<net::WebSocket> socket);
  net::Task<net::HttpResponse> answer(net::HttpRequest request);

  telemetry::Log& log;
  const Clock& clock;
  std::vector<std::string> models;
  std::vector<std::weak_ptr<Session>> sessions;  // home loop only
  net::EventLoop home;
  std::unique_ptr<DecodePool> pool;
  std::unique_ptr<VadPump> vad;
  std::unique_ptr<EndOfTurnPump> turn_end;
  std::unique_ptr<net::HttpServer> server;
};

/// The operator's models where they are named, else (also when one of those is damaged) Whisper.
Result<void> HearServer::Impl::load_recognizers(const HearConfig& config, HearModels& hear) {
  const auto take = [this](auto loaded, std::shared_ptr<const HearModel>& into) {
    note_missing(log, loaded);
    if (!loaded) return;
    into = *loaded;
    models.push_back(into->name());
  };
  const auto take_sherpa = [&](const std::filesystem::path& folder, const char* language,
                               std::shared_ptr<const HearModel>& into) {
    log.info("loading the recogniser; should the worker end here, mend speech.recognizer_zh/_en",
             {{"file.path", folder.string()}});
    take(load_sherpa(folder, language), into);
  };
  const std::filesystem::path& zh = config.recognizer_zh;
  const std::filesystem::path& en = config.recognizer_en;
  if (!zh.empty()) take_sherpa(zh, zh == en ? "auto" : "zh", hear.chinese);
  if (zh == en)
    hear.english = hear.chinese;
  else if (!en.empty())
    take_sherpa(en, "en", hear.english);
  if (!hear.chinese) {
    Result<std::string> own;
    if (!config.phrases_zh.empty()) own = read_phrases(config.phrases_zh);
    if (!own)
      log.warn("the operator's phrases are left out", {{"error.message", own.error().detail}});
    take(WhisperModel::load(config.models / "whisper-base-q8_0.bin", said_zh(), own.value_or(""),
                            hear.tables),
         hear.chinese);
  }
  if (!hear.english)
    take(WhisperModel::load(config.models / "whisper-tiny.en-q8_0.bin"), hear.english);
  if (!hear.english) hear.english = hear.chinese;
  if (!hear.english) return fail(ErrorCode::kNotFound, "no recogniser: run `aicall models pull`");
  return {};
}

Result<void> HearServer::Impl::load(const HearConfig& config) {
  auto tables = text::Tables::load(config.models / "text");
  if (!tables) return tl::unexpected<Error>(tables.error());
  HearModels hear;
  hear.tables = *tables;
  if (auto loaded = load_recognizers(config, hear); !loaded) return loaded;
  auto silero = SileroVad::load(config.models);
  note_missing(log, silero);
  pool = std::make_unique<DecodePool>(std::move(hear), config.threads, home, log, clock);
  if (!config.turn_end.empty()) {
    auto model = EndOfTurn::load(config.turn_end);
    note_missing(log, model);
    if (model) {
      models.push_back(config.turn_end.stem().string());
      turn_end = std::make_unique<EndOfTurnPump>(std::move(*model), home, log);
    }
  }
  if (!silero) return {};
  models.emplace_back("silero_vad");
  vad = std::make_unique<VadPump>(std::move(*silero), home, log);
  vad->on_run([this] {
    for (const auto& weak : sessions) {
      if (const auto session = weak.lock()) session->flush_probabilities();
    }
  });
  return {};
}

net::Task<void> HearServer::Impl::serve(std::shared_ptr<net::WebSocket> socket) {
  const auto session =
      std::make_shared<Session>(std::move(socket), *pool, vad.get(), turn_end.get(), log);
  std::erase_if(sessions, [](const auto& weak) { return weak.expired(); });
  sessions.push_back(session);
  session->greet(models);
  co_await session->serve();
}

net::Task<net::HttpResponse> HearServer::Impl::answer(net::HttpRequest request) {
  if (!request.is_upgrade) {
    co_return net::HttpResponse(200, R"({"status":"ok","role":"hear"})");
  }
  net::WebSocketOptions socket;
  socket.subprotocol = wire::kSubprotocol;
  socket.message_bytes_max = wire::kMessageBytesMax + 4096;
  net::WebSocketHandler run = [this](net::HttpRequest, std::shared_ptr<net::WebSocket> s) {
    return serve(std::move(s));
  };
  co_return net::HttpResponse::upgrade(socket, std::move(run));
}

Result<void> HearServer::Impl::listen(const HearConfig& config) {
  net::HttpServerOptions options;
  options.unix_path = config.socket;
  options.connections_max = kConnectionsMax;
  const net::HttpHandler handler = [this](net::HttpRequest request) {
    return answer(std::move(request));
  };
  auto started = net::HttpServer::start(home.executor(), options, handler, log);
  if (!started) return tl::unexpected<Error>(started.error());
  server = std::move(*started);
  home.post([this] { pool->rehearse(); });
  return {};
}

Result<std::unique_ptr<HearServer>> HearServer::start(
    const HearConfig& config, telemetry::Log& log, const Clock& clock,
    const std::function<Result<void>()>& prepared) {
  if (config.threads < 1 || config.threads > 16) {
    return fail(ErrorCode::kInvalid, "--threads is not 1 to 16");
  }
  auto impl = std::make_unique<Impl>(log, clock);
  if (auto loaded = impl->load(config); !loaded) return tl::unexpected<Error>(loaded.error());
  if (prepared) {
    if (auto ready = prepared(); !ready) return tl::unexpected<Error>(ready.error());
  }
  if (auto up = impl->listen(config); !up) return tl::unexpected<Error>(up.error());
  return std::unique_ptr<HearServer>(new HearServer(std::move(impl)));
}

HearServer::HearServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HearServer::~HearServer() {
  if (impl_->server) impl_->server->stop();
  impl_->home.stop();
  impl_->home.join();
}
void HearServer::wait() { impl_->home.join(); }

}  // namespace yyc3::worker
