#include "engine/speech/speak_client.hpp"

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "engine/speech/engine_test_doubles.hpp"

namespace yyc3::speech::testing {
namespace {

/// An engine that answers what it is told to.
struct VoiceDouble {
  explicit VoiceDouble(Ground& g) : ground(g) {
    auto started = net::HttpServer::start(
        ground.loop.executor(), {},
        [this](net::HttpRequest request) { return answer(std::move(request)); }, ground.log);
    REQUIRE(started);
    server = std::move(*started);
  }
  net::Task<net::HttpResponse> answer(net::HttpRequest request) {
    if (request.path == "/healthz") {
      ++probes;
      co_return net::HttpResponse(health);
    }
    last = std::move(request);
    if (status != 200) co_return net::HttpResponse(status);
    const std::vector<std::int16_t> second(8000, 1000);
    const Bytes wav = codec::write_wav(8000, 1, second);
    co_return net::HttpResponse(200, std::string(as_text(wav)), "audio/wav");
  }
  Ground& ground;
  std::unique_ptr<net::HttpServer> server;
  int status = 200;
  int health = 200;
  int probes = 0;
  net::HttpRequest last;
};

struct VoiceRig {
  Ground ground;
  std::unique_ptr<VoiceDouble> engine;
  std::unique_ptr<SpeakClient> client;
  std::vector<Result<Pcm>> answers;

  void start(SpeakClientConfig config) {
    ground.on_loop([&] {
      engine = std::make_unique<VoiceDouble>(ground);
      config.endpoint = net::Endpoint::tcp("127.0.0.1", engine->server->port());
      client = std::make_unique<SpeakClient>(config, ground.loop, ground.metrics, ground.log,
                                             ground.clock);
    });
  }
  void speak(int status, Milliseconds deadline = Milliseconds{10'000}) {
    ground.on_loop([&] {
      engine->status = status;
      SpeakRequest request;
      request.text = "您好";
      request.deadline = deadline;
      client->speak(request, [this](Result<Pcm> pcm) { answers.push_back(std::move(pcm)); });
    });
  }
  ~VoiceRig() {
    ground.on_loop([&] {
      client.reset();
      engine->server->stop();
    });
    ground.loop.stop();
    ground.loop.join();
  }
};

TEST_CASE("a voice elsewhere is asked by model, voice and key; what it refuses says what to mend") {
  VoiceRig rig;
  SpeakClientConfig config;
  config.probe_every = Milliseconds{0};
  config.model_zh = "tts-1";
  config.voice_zh = "alloy";
  config.bearer = "secret";
  rig.start(config);
  rig.speak(200);
  REQUIRE(rig.ground.eventually([&] { return rig.answers.size() == 1; }));
  REQUIRE(rig.answers[0]);
  const net::HttpRequest& sent = rig.engine->last;
  CHECK(sent.path == "/v1/audio/speech");
  CHECK(sent.headers.get("Authorization") == "Bearer secret");
  for (const char* field : {R"("model":"tts-1")", R"("voice":"alloy")", R"("input":"您好")"})
    CHECK_MESSAGE(sent.body.find(field) != std::string::npos, sent.body);

  rig.speak(401);
  REQUIRE(rig.ground.eventually([&] { return rig.answers.size() == 2; }));
  CHECK(rig.answers[1].error().detail.find("speech.speak_key_file") != std::string::npos);
  rig.speak(404);
  REQUIRE(rig.ground.eventually([&] { return rig.answers.size() == 3; }));
  CHECK(rig.answers[2].error().detail.find("speech.speak_model") != std::string::npos);
}

TEST_CASE("texts whose time is over before their turn take no place: the next is spoken") {
  VoiceRig rig;
  SpeakClientConfig config;
  config.probe_every = Milliseconds{0};
  rig.start(config);
  for (std::size_t i = 0; i < 2 * config.at_once; ++i) rig.speak(200, Milliseconds{0});
  REQUIRE(rig.ground.eventually([&] { return rig.answers.size() == 2 * config.at_once; }));
  for (const auto& answer : rig.answers) CHECK(answer.error().code == ErrorCode::kTimeout);
  rig.speak(200);
  REQUIRE(rig.ground.eventually([&] { return rig.answers.size() == 2 * config.at_once + 1; }));
  CHECK(rig.answers.back());
}

TEST_CASE("a worker that says twice that it is stuck is to be killed") {
  VoiceRig rig;
  int killed = 0;
  SpeakClientConfig config;
  config.probe_every = Milliseconds{5};
  config.on_hang = [&killed] { ++killed; };
  rig.start(config);
  REQUIRE(rig.ground.eventually([&] { return rig.client->available(); }));
  rig.ground.on_loop([&] {
    CHECK(killed == 0);
    rig.engine->health = 503;
  });
  CHECK(rig.ground.eventually([&] { return killed > 0 && !rig.client->available(); }));
}

}  // namespace
}  // namespace yyc3::speech::testing
