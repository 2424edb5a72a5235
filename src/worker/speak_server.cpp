#include "worker/speak_server.hpp"

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "base/json.hpp"
#include "engine/telephony/codec/wav.hpp"
#include "engine/text/utf8.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/net/http_server.hpp"
#include "worker/speak_queue.hpp"
#include "worker/voice.hpp"

namespace yyc3::worker {
namespace {

constexpr std::size_t kInputMax = 2000;
/// Of one text: the Chinese voice takes a core about as long as what it says lasts.
constexpr int kSlowVoiceThreads = 4;

/// Cancels the job when the handler ends early: the client went away.
class JobGuard {
 public:
  JobGuard(SpeakQueue& queue, std::shared_ptr<SpeakQueue::Job> job)
      : queue_(queue), job_(std::move(job)) {}
  ~JobGuard() {
    if (!done_) queue_.cancel(job_);
  }
  JobGuard(const JobGuard&) = delete;
  JobGuard& operator=(const JobGuard&) = delete;
  void done() { done_ = true; }

 private:
  SpeakQueue& queue_;
  std::shared_ptr<SpeakQueue::Job> job_;
  bool done_ = false;
};

bool has_han(std::string_view input) {
  const std::u32string characters = text::decode_utf8(input);
  return std::ranges::any_of(characters, text::is_han);
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kBusy:
      return 429;
    default:
      return 503;
  }
}

net::HttpResponse problem(const Error& error) {
  return net::HttpResponse::problem(status_of(error.code), "cannot speak", error.detail);
}

}  // namespace

struct SpeakServer::Impl {
  explicit Impl(telemetry::Log& l) : log(l), home("speak", l) {}
  Result<void> load(const SpeakConfig& config);
  Result<void> listen(const SpeakConfig& config);
  Result<std::shared_ptr<SpeakQueue::Job>> read(const net::HttpRequest& request) const;
  Result<const Voice*> voice_named(const std::string& name) const;
  net::Task<net::HttpResponse> speak(net::HttpRequest request);
  net::Task<net::HttpResponse> handle(net::HttpRequest request);
  net::HttpResponse models() const;

  telemetry::Log& log;
  const SystemClock clock;
  net::EventLoop home;
  std::unique_ptr<KokoroVoice> kokoro;  ///< may be null: not installed
  std::unique_ptr<PiperVoice> piper;    ///< may be null
  std::unique_ptr<SpeakQueue> queue;
  std::unique_ptr<net::HttpServer> server;
};

Result<void> SpeakServer::Impl::load(const SpeakConfig& config) {
  auto tables = text::Tables::load(config.models / "text");
  if (!tables) return tl::unexpected<Error>(tables.error());
  // Side by side: a voice that died in mid-call is wanted back within seconds.
  auto loading = std::async(std::launch::async, [&config, &tables] {
    return PiperVoice::load(config.models, *tables, 1);
  });
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  auto zh = KokoroVoice::load(config.models, *tables, std::clamp(cores, 1, kSlowVoiceThreads));
  auto en = loading.get();
  if (!zh && !en) return tl::unexpected<Error>(zh.error());
  if (zh) {
    kokoro = std::move(*zh);
  } else {
    log.warn("without a model", {{"error.message", zh.error().detail}});
  }
  if (en) {
    piper = std::move(*en);
  } else {
    log.warn("without a model", {{"error.message", en.error().detail}});
  }
  queue = std::make_unique<SpeakQueue>(home, log, clock, config.threads);
  return {};
}

Result<const Voice*> SpeakServer::Impl::voice_named(const std::string& name) const {
  for (const Voice* voice :
       {static_cast<const Voice*>(kokoro.get()), static_cast<const Voice*>(piper.get())}) {
    if (voice == nullptr) continue;
    const std::vector<std::string> names = voice->voices();
    if (std::ranges::find(names, name) != names.end()) return voice;
  }
  return fail(ErrorCode::kNotFound, "voice: no such voice is installed, see /v1/models");
}

Result<std::shared_ptr<SpeakQueue::Job>> SpeakServer::Impl::read(
    const net::HttpRequest& request) const {
  const auto body = parse_json(request.body);
  if (!body) return tl::unexpected<Error>(body.error());
  auto job = std::make_shared<SpeakQueue::Job>();
  const auto input = string_field(*body, "input");
  if (!input || input->empty() || input->size() > kInputMax) {
    return fail(ErrorCode::kInvalid, "input: give a text of 1 to 2000 bytes");
  }
  if (string_field(*body, "response_format").value_or("wav") != "wav") {
    return fail(ErrorCode::kInvalid, "response_format: only wav is spoken here");
  }
  job->text = *input;
  job->speed = number_field(*body, "speed").value_or(1.0);
  if (!(job->speed >= 0.5 && job->speed <= 2.0)) {
    return fail(ErrorCode::kInvalid, "speed: give 0.5 to 2");
  }
  job->name = string_field(*body, "voice").value_or("");
  if (job->name.empty()) job->name = has_han(job->text) ? "zf_xiaoxiao" : "joe";
  job->live = request.headers.get("X-Class").value_or("render") == "live";
  const auto voice = voice_named(job->name);
  if (!voice) return tl::unexpected<Error>(voice.error());
  job->voice = *voice;
  return job;
}

net::Task<net::HttpResponse> SpeakServer::Impl::speak(net::HttpRequest request) {
  const auto job = read(request);
  if (!job) co_return problem(job.error());
  JobGuard guard(*queue, *job);
  const std::function<void(std::function<void(Result<Speech>)>)> start =
      [this, &job](std::function<void(Result<Speech>)> done) {
        (*job)->answer = done;
        if (queue->add(*job)) return;
        done(fail(ErrorCode::kBusy, "the voice has too many texts waiting; try again later"));
      };
  Result<Speech> speech = co_await net::await_callback<Result<Speech>>(start);
  guard.done();
  if (!speech) co_return problem(speech.error());
  const Bytes wav = codec::write_wav(speech->rate, 1, speech->pcm, speech->marks);
  co_return net::HttpResponse(200, std::string(as_text(wav)), "audio/wav");
}

net::HttpResponse SpeakServer::Impl::models() const {
  json::array list;
  for (const Voice* voice :
       {static_cast<const Voice*>(kokoro.get()), static_cast<const Voice*>(piper.get())}) {
    if (voice == nullptr) continue;
    const std::vector<std::string> names = voice->voices();
    list.push_back(json::object{{"id", voice == kokoro.get() ? "kokoro" : "piper-joe"},
                                {"object", "model"},
                                {"voices", json::array(names.begin(), names.end())}});
  }
  const json::object body{{"object", "list"}, {"data", std::move(list)}};
  return net::HttpResponse(200, json::serialize(body));
}

net::Task<net::HttpResponse> SpeakServer::Impl::handle(net::HttpRequest request) {
  if (request.method == "GET" && request.path == "/healthz") {
    const bool stuck = queue->stuck();
    const json::object body{
        {"status", stuck ? "stuck" : "ok"}, {"role", "speak"}, {"waiting", queue->waiting()}};
    co_return net::HttpResponse(stuck ? 503 : 200, json::serialize(body));
  }
  if (request.method == "GET" && request.path == "/v1/models") co_return models();
  if (request.method == "POST" && request.path == "/v1/audio/speech") {
    net::Task<net::HttpResponse> answer = speak(std::move(request));
    co_return co_await std::move(answer);
  }
  co_return net::HttpResponse::problem(404, "not found", "try POST /v1/audio/speech");
}

Result<void> SpeakServer::Impl::listen(const SpeakConfig& config) {
  net::HttpServerOptions options;
  options.unix_path = config.socket;
  options.body_bytes_max = 16 * 1024;
  const auto handler = [this](net::HttpRequest request) { return handle(std::move(request)); };
  auto started = net::HttpServer::start(home.executor(), options, handler, log);
  if (!started) return tl::unexpected<Error>(started.error());
  server = std::move(*started);
  return {};
}

Result<std::unique_ptr<SpeakServer>> SpeakServer::start(
    const SpeakConfig& config, telemetry::Log& log, const std::function<Result<void>()>& prepared) {
  if (config.threads < 1 || config.threads > 16) {
    return fail(ErrorCode::kInvalid, "--threads is not 1 to 16");
  }
  auto impl = std::make_unique<Impl>(log);
  if (auto loaded = impl->load(config); !loaded) return tl::unexpected<Error>(loaded.error());
  if (prepared) {
    if (auto ready = prepared(); !ready) return tl::unexpected<Error>(ready.error());
  }
  if (auto up = impl->listen(config); !up) return tl::unexpected<Error>(up.error());
  return std::unique_ptr<SpeakServer>(new SpeakServer(std::move(impl)));
}

SpeakServer::SpeakServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SpeakServer::~SpeakServer() {
  if (impl_->server) impl_->server->stop();
  impl_->home.stop();
  impl_->home.join();
}
void SpeakServer::wait() { impl_->home.join(); }

}  // namespace yyc3::worker
