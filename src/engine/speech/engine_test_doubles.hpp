#pragma once

// For the tests of this room only: engines that hear what they are told to hear, over both
// protocols of the Recognizer port. Everything lives on one loop, the client's.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <doctest/doctest.h>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "engine/speech/hear_client.hpp"
#include "engine/speech/kept_audio.hpp"
#include "engine/speech/remote_recognizer.hpp"
#include "engine/telephony/codec/wav.hpp"
#include "platform/net/http_server.hpp"
#include "platform/net/loop_test_support.hpp"
#include "platform/net/websocket.hpp"

namespace yyc3::speech::testing {

inline constexpr auto kPatience = std::chrono::seconds{20};  // far beyond what any step needs

struct Ground {
  telemetry::NullLog log;
  telemetry::Registry metrics;
  SystemClock clock;
  net::EventLoop loop{"speech test", log};

  void on_loop(const std::function<void()>& f) { net::testing::on_loop(loop, f); }
  bool eventually(const std::function<bool()>& done) {
    return net::testing::eventually_on(loop, done);
  }
};

class EngineDouble {
 public:
  enum class Mode { kAnswer, kHold, kFail };
  virtual ~EngineDouble() = default;
  virtual std::unique_ptr<Recognizer> connect() = 0;
  void stop() { server->stop(); }

  Mode mode = Mode::kAnswer;
  std::string text = "还款";
  std::vector<std::size_t> windows;  ///< samples of each decode that was asked for
  int dropped = 0;                   ///< decodes it was told to give up

 protected:
  explicit EngineDouble(Ground& g) : ground(g) {}
  void listen(net::HttpHandler handler) {
    auto started =
        net::HttpServer::start(ground.loop.executor(), {}, std::move(handler), ground.log);
    REQUIRE(started);
    server = std::move(*started);
  }
  Ground& ground;
  std::unique_ptr<net::HttpServer> server;
};

/// A hear worker: engine/speech/worker_protocol.hpp.
class HearDouble final : public EngineDouble {
 public:
  explicit HearDouble(Ground& g) : EngineDouble(g) {
    listen([this](net::HttpRequest) -> net::Task<net::HttpResponse> {
      net::WebSocketOptions options;
      options.subprotocol = wire::kSubprotocol;
      net::WebSocketHandler run = [this](net::HttpRequest, std::shared_ptr<net::WebSocket> s) {
        return serve(std::move(s));
      };
      co_return net::HttpResponse::upgrade(options, std::move(run));
    });
  }
  std::unique_ptr<Recognizer> connect() override {
    HearClientConfig config;
    config.endpoint = net::Endpoint::tcp("127.0.0.1", server->port());
    return std::make_unique<HearClient>(config, ground.loop, ground.metrics, ground.log,
                                        ground.clock);
  }

  std::vector<std::string> models{"whisper", "silero_vad"};  ///< told at the next connection

 private:
  net::Task<void> serve(std::shared_ptr<net::WebSocket> socket) {
    wire::Hello hello;
    hello.models = models;
    socket->send_text(wire::encode(wire::WorkerMessage(hello)));
    while (true) {
      const auto message = co_await socket->read();
      if (!message) co_return;
      if (message->is_binary)
        hear(*socket, message->data);
      else
        answer(*socket, message->data);
    }
  }
  void hear(net::WebSocket& socket, std::string_view frame) {
    const auto chunks = wire::decode_audio(frame);
    REQUIRE(chunks);
    std::vector<wire::Probability> heard;
    for (const auto& chunk : *chunks) {
      kept[chunk.stream].append(chunk.first_sample, chunk.pcm);
      const bool loud = std::abs(chunk.pcm.front()) > 1000;
      heard.push_back({chunk.stream, chunk.first_sample + chunk.pcm.size(),
                       static_cast<std::uint8_t>(loud ? 255 : 0)});
    }
    socket.send_binary(wire::encode_probabilities(heard));
  }
  void answer(net::WebSocket& socket, std::string_view json) {
    const auto message = wire::decode_client(json);
    REQUIRE(message);
    const auto send = [&socket](const wire::WorkerMessage& m) {
      socket.send_text(wire::encode(m));
    };
    if (const auto* ping = std::get_if<wire::Ping>(&*message)) send(wire::Pong{ping->id});
    if (std::holds_alternative<wire::Cancel>(*message)) ++dropped;
    const auto* job = std::get_if<wire::Decode>(&*message);
    if (job == nullptr) return;
    const auto pcm = kept[job->stream].copy(job->spec.from_sample, job->spec.to_sample);
    if (pcm.empty()) return send(wire::JobError{job->job, {ErrorCode::kNotFound, "no audio"}});
    windows.push_back(pcm.size());
    if (mode == Mode::kFail)
      return send(wire::JobError{job->job, {ErrorCode::kUnavailable, "told to fail"}});
    wire::Text heard;
    heard.job = job->job;
    heard.stream = job->stream;
    heard.heard.text = text;
    if (mode == Mode::kAnswer) send(heard);
  }
  std::map<StreamNumber, KeptAudio> kept;
};

/// An OpenAI-compatible engine: POST /v1/audio/transcriptions.
class HttpDouble final : public EngineDouble {
 public:
  explicit HttpDouble(Ground& g) : EngineDouble(g) {
    listen([this](net::HttpRequest request) { return transcribe(std::move(request)); });
  }
  std::unique_ptr<Recognizer> connect() override {
    config.endpoint = net::Endpoint::tcp("127.0.0.1", server->port());
    return std::make_unique<RemoteRecognizer>(config, ground.loop, ground.metrics, ground.log,
                                              ground.clock);
  }
  RemoteRecognizerConfig config;
  int status = 0;    ///< answered instead of a transcription, if set
  std::string body;  ///< answered as it is, if set
  net::HttpRequest last;
  int at_once = 0, most_at_once = 0;

 private:
  struct Busy {
    explicit Busy(HttpDouble& d) : owner(d) {
      owner.most_at_once = std::max(owner.most_at_once, ++owner.at_once);
    }
    ~Busy() {
      --owner.at_once;
      if (!answered) ++owner.dropped;
    }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;
    HttpDouble& owner;
    bool answered = false;
  };
  net::Task<net::HttpResponse> transcribe(net::HttpRequest request) {
    Busy busy(*this);
    last = request;
    const std::string marker = "Content-Type: audio/wav\r\n\r\n";
    const std::size_t at = request.body.find(marker);
    const auto wav = codec::parse_wav(as_bytes(request.body).subspan(at + marker.size()));
    if (at == std::string::npos || !wav || wav->rate != 8000) co_return net::HttpResponse(400);
    windows.push_back(wav->samples.size());
    while (mode == Mode::kHold) co_await net::sleep_for(Milliseconds{2});
    busy.answered = true;
    if (mode == Mode::kFail) co_return net::HttpResponse(500);
    if (status != 0) co_return net::HttpResponse(status);
    co_return net::HttpResponse(
        200, body.empty() ? json::serialize(json::object{{"text", text}}) : body);
  }
};

/// Writes down what it is told; `inside` is set while the test is inside a call of the port.
struct NoteTaker final : HearingSink {
  void on_speech_probability(std::uint64_t end_sample, double probability) override {
    CHECK_FALSE(inside);
    if (!probabilities.empty()) CHECK(end_sample > probabilities.back().first);
    probabilities.emplace_back(end_sample, probability);
  }
  void on_text(JobNumber job, const HeardText& heard) override {
    CHECK_FALSE(inside);
    texts.emplace_back(job, heard);
  }
  void on_decode_failed(JobNumber job, const Error& error) override {
    CHECK_FALSE(inside);
    failures.emplace_back(job, error);
  }
  void on_available(bool available) override {
    CHECK_FALSE(inside);
    availability.push_back(available);
  }
  std::vector<std::pair<std::uint64_t, double>> probabilities;
  std::vector<std::pair<JobNumber, HeardText>> texts;
  std::vector<std::pair<JobNumber, Error>> failures;
  std::vector<bool> availability;
  bool inside = false;
};

/// One engine, its client with one stream, and what the stream heard.
template <class Double>
struct Rig {
  Ground ground;
  std::unique_ptr<Double> engine;
  std::unique_ptr<Recognizer> port;
  NoteTaker notes;
  StreamNumber stream = 0;

  Rig() {
    ground.on_loop([&] { engine = std::make_unique<Double>(ground); });
  }
  ~Rig() {
    ground.on_loop([&] {
      port.reset();
      engine->stop();
    });
    ground.loop.stop();
    ground.loop.join();
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  void open() {
    ground.on_loop([&] {
      port = engine->connect();
      stream = port->open(Language::kChinese, notes);
    });
    REQUIRE(ground.eventually([&] { return port->available(); }));
  }
  /// `call` on the loop, as a call of the port.
  void calling(const std::function<void()>& call) {
    ground.on_loop([&] {
      notes.inside = true;
      call();
      notes.inside = false;
    });
  }
  /// 20 ms frames of `level` from `first` on.
  void say(std::uint64_t first, std::size_t frames, std::int16_t level) {
    calling([&] {
      for (std::size_t i = 0; i < frames; ++i) {
        std::vector<std::int16_t> pcm(160);
        for (std::size_t s = 0; s < pcm.size(); ++s)
          pcm[s] = static_cast<std::int16_t>(s % 16 < 8 ? level : -level);  // 500 Hz
        port->audio(stream, first + i * 160, pcm);
      }
    });
  }
  JobNumber decode(std::uint64_t from, std::uint64_t to, Milliseconds deadline = kPatience) {
    DecodeSpec spec;
    spec.from_sample = from;
    spec.to_sample = to;
    spec.deadline = deadline;
    JobNumber job = 0;
    calling([&] { job = port->decode(stream, spec); });
    return job;
  }
  void set(EngineDouble::Mode mode) {
    ground.on_loop([&] { engine->mode = mode; });
  }
  bool eventually(const std::function<bool()>& done) { return ground.eventually(done); }
};

}  // namespace yyc3::speech::testing
