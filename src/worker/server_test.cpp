#include <cmath>
#include <future>

#include "engine/speech/hear_client.hpp"
#include "engine/speech/speak_client.hpp"
#include "house/paths.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/net/loop_test_support.hpp"
#include "worker/hear_server.hpp"
#include "worker/speak_server.hpp"
#include "worker/worker_test_support.hpp"

namespace yyc3::worker {
namespace {

using namespace std::chrono_literals;
constexpr auto kPatience = 60s;  // far beyond what any step needs, so that none hangs

struct Sink final : speech::HearingSink {
  void on_speech_probability(std::uint64_t, double p) override { loudest = std::max(loudest, p); }
  void on_text(speech::JobNumber job, const speech::HeardText& heard) override {
    texts.emplace_back(job, heard);
    if (texts.size() == 1) first.set_value(heard);
  }
  void on_decode_failed(speech::JobNumber, const Error& error) override {
    failures.push_back(error);
  }
  void on_turn_end(std::uint64_t to, double p) override { turn_end.set_value({to, p}); }
  void on_available(bool on) override {
    if (on && !up) ready.set_value();
    up = up || on;
  }
  double loudest = 0;
  bool up = false;
  std::vector<std::pair<speech::JobNumber, speech::HeardText>> texts;
  std::vector<Error> failures;
  std::promise<speech::HeardText> first;
  std::promise<std::pair<std::uint64_t, double>> turn_end;
  std::promise<void> ready;
};

using net::testing::on_loop;

TEST_CASE("the hear worker serves the recognizer port: probabilities, text, cancel") {
  const testing::TempDir folder;
  telemetry::NullLog log;
  telemetry::Registry metrics;
  const SystemClock clock;
  const std::string socket = (folder.path / "hear.sock").string();
  HearConfig hear{socket, testing::models(), 1};
  hear.turn_end = hear.models / "smart-turn-v3.2.onnx";
  const auto server = HearServer::start(hear, log, clock);
  REQUIRE_MESSAGE(server, server.error().detail);
  CHECK((std::filesystem::status(socket).permissions() & std::filesystem::perms::others_all) ==
        std::filesystem::perms::none);

  net::EventLoop loop("client", log);
  speech::HearClientConfig config;
  config.endpoint = net::Endpoint::unix_socket(socket);
  auto client = std::make_unique<speech::HearClient>(config, loop, metrics, log, clock);
  Sink sink;
  speech::StreamNumber stream = 0;
  auto ready = sink.ready.get_future();
  on_loop(loop, [&] { stream = client->open(speech::Language::kChinese, sink); });
  on_loop(loop, [&] {
    if (client->available()) sink.on_available(true);
  });
  REQUIRE(ready.wait_for(kPatience) == std::future_status::ready);

  const auto word = testing::read_wav(paths::source_dir() / "tests/data" / "audio_cmn" / "058.wav");
  speech::DecodeSpec spec;
  spec.to_sample = word.size();
  spec.grammar = speech::GrammarKind::kYesNo;
  spec.deadline = Milliseconds(30'000);
  speech::JobNumber dropped = 0;
  auto heard = sink.first.get_future();
  on_loop(loop, [&] {
    for (std::size_t at = 0; at < word.size(); at += 160) {
      const std::size_t n = std::min<std::size_t>(160, word.size() - at);
      client->audio(stream, at, std::span(word).subspan(at, n));
    }
    dropped = client->decode(stream, spec);
    client->cancel(dropped);
    spec.turn_end = true;
    client->decode(stream, spec);
  });
  auto turn_end = sink.turn_end.get_future();
  REQUIRE(turn_end.wait_for(kPatience) == std::future_status::ready);
  CHECK(turn_end.get().first == word.size());
  REQUIRE(heard.wait_for(kPatience) == std::future_status::ready);
  CHECK(heard.get().text == "没关系");
  on_loop(loop, [&] {
    CHECK(sink.loudest > 0.8);
    CHECK(sink.texts.size() == 1);
    CHECK(sink.texts[0].first != dropped);
    CHECK(sink.failures.empty());
    client->close(stream);
    client.reset();
  });
}

TEST_CASE("the hear worker takes the operator's recogniser, and Whisper for one that is damaged") {
  const testing::TempDir folder;
  telemetry::NullLog log;
  telemetry::Registry metrics;
  const SystemClock clock;
  HearConfig hear{(folder.path / "hear.sock").string(), testing::models(), 1};
  hear.recognizer_zh = paths::source_dir() / "tests/data/sherpa_tiny/sense_voice";
  hear.recognizer_en = folder.path;  // holds no model
  const auto server = HearServer::start(hear, log, clock);
  REQUIRE_MESSAGE(server, server.error().detail);
  net::EventLoop loop("client", log);
  speech::HearClientConfig config;
  config.endpoint = net::Endpoint::unix_socket(hear.socket);
  auto client = std::make_unique<speech::HearClient>(config, loop, metrics, log, clock);
  const auto said =
      testing::read_wav(paths::source_dir() / "tests/data/fsdd_digits/7_jackson_15.wav");
  std::vector<std::int16_t> tone;
  for (int i = 0; i < 8000; ++i)
    tone.push_back(static_cast<std::int16_t>(8000 * std::sin(2 * 3.14159265 * 500 * i / 8000)));
  struct Ask {
    speech::Language language;
    const std::vector<std::int16_t>& pcm;
    std::string text;
  };
  Ask asks[] = {{speech::Language::kChinese, tone, ""}, {speech::Language::kEnglish, said, ""}};
  for (Ask& ask : asks) {
    Sink sink;
    speech::StreamNumber stream = 0;
    auto ready = sink.ready.get_future();
    auto heard = sink.first.get_future();
    on_loop(loop, [&] { stream = client->open(ask.language, sink); });
    on_loop(loop, [&] {
      if (client->available()) sink.on_available(true);
    });
    REQUIRE(ready.wait_for(kPatience) == std::future_status::ready);
    on_loop(loop, [&] {
      for (std::size_t at = 0; at < ask.pcm.size(); at += 160) {
        const std::size_t n = std::min<std::size_t>(160, ask.pcm.size() - at);
        client->audio(stream, at, std::span(ask.pcm).subspan(at, n));
      }
      speech::DecodeSpec spec;
      spec.to_sample = ask.pcm.size();
      spec.language = ask.language;
      spec.grammar = speech::GrammarKind::kDigit;
      spec.deadline = Milliseconds(30'000);
      client->decode(stream, spec);
    });
    REQUIRE(heard.wait_for(kPatience) == std::future_status::ready);
    ask.text = heard.get().text;
    on_loop(loop, [&] { client->close(stream); });
  }
  on_loop(loop, [&] { client.reset(); });
  CHECK(asks[0].text == "还");
  CHECK(asks[1].text == "seven");
}

TEST_CASE("the speak worker serves the synthesizer port") {
  const testing::TempDir folder;
  telemetry::NullLog log;
  telemetry::Registry metrics;
  const SystemClock clock;
  const std::string socket = (folder.path / "speak.sock").string();
  const auto server = SpeakServer::start({socket, testing::models(), 1}, log);
  REQUIRE_MESSAGE(server, server.error().detail);

  net::EventLoop loop("client", log);
  speech::SpeakClientConfig config;
  config.endpoint = net::Endpoint::unix_socket(socket);
  config.at_once = 2;
  auto client = std::make_unique<speech::SpeakClient>(config, loop, metrics, log, clock);
  std::promise<Result<speech::Pcm>> rendered;
  std::promise<Result<speech::Pcm>> live;
  std::string order;
  on_loop(loop, [&] {
    speech::SpeakRequest prompt;
    prompt.text = "您预约了明天下午三点半的洗牙，请您准时到店，谢谢。";
    prompt.deadline = Milliseconds(60'000);
    client->speak(prompt, [&](Result<speech::Pcm> pcm) {
      order += 'r';
      rendered.set_value(std::move(pcm));
    });
    speech::SpeakRequest answer;
    answer.text = "Sure.";
    answer.language = speech::Language::kEnglish;
    answer.live = true;
    answer.deadline = Milliseconds(60'000);
    client->speak(answer, [&](Result<speech::Pcm> pcm) {
      order += 'l';
      live.set_value(std::move(pcm));
    });
  });
  auto live_done = live.get_future();
  auto rendered_done = rendered.get_future();
  REQUIRE(live_done.wait_for(kPatience) == std::future_status::ready);
  REQUIRE(rendered_done.wait_for(kPatience) == std::future_status::ready);
  const auto sure = live_done.get();
  const auto prompt = rendered_done.get();
  REQUIRE_MESSAGE(sure, sure.error().detail);
  REQUIRE_MESSAGE(prompt, prompt.error().detail);
  CHECK((*sure)->samples.size() > 1600);
  CHECK((*sure)->marks.size() == 1);  // a word
  CHECK((*prompt)->samples.size() > 20'000);
  on_loop(loop, [&] {
    CHECK(order == "lr");  // the caller who waits goes first, the prompt starts again
    client.reset();
  });
}

TEST_CASE("servers refuse what they cannot do") {
  telemetry::NullLog log;
  const SystemClock clock;
  const testing::TempDir folder;
  const auto hear = HearServer::start({(folder.path / "s").string(), folder.path, 1}, log, clock);
  REQUIRE_FALSE(hear);
  CHECK(hear.error().detail.find("run") != std::string::npos);
  const auto threads =
      SpeakServer::start({(folder.path / "s").string(), testing::models(), 0}, log);
  REQUIRE_FALSE(threads);
  CHECK(threads.error().detail.find("--threads") != std::string::npos);
}

}  // namespace
}  // namespace yyc3::worker
