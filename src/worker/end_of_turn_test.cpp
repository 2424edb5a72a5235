#include "worker/end_of_turn.hpp"

#include <chrono>
#include <cmath>
#include <future>
#include <numbers>

#include "house/paths.hpp"
#include "worker/worker_test_support.hpp"

namespace yyc3::worker {
namespace {

constexpr std::size_t kSamples = 128'000;

EndOfTurn smart_turn() {
  auto loaded = EndOfTurn::load(testing::models() / "smart-turn-v3.2.onnx");
  REQUIRE_MESSAGE(loaded, loaded.error().detail);
  return std::move(*loaded);
}

std::vector<std::int16_t> digit() {
  return testing::read_wav(paths::source_dir() / "tests/data/fsdd_digits/7_jackson_15.wav");
}

TEST_CASE("features are those that Smart-Turn was taught with") {
  std::vector<float> pcm(kSamples);  // 4 s of silence, 4 s of two tones
  for (std::size_t i = kSamples / 2; i < kSamples; ++i) {
    const double t = 2 * std::numbers::pi * static_cast<double>(i) / 16'000;
    pcm[i] = static_cast<float>(0.3 * std::sin(440 * t) + 0.1 * std::sin(3'000 * t));
  }
  const auto features = whisper_features(pcm);
  REQUIRE(features.size() == 80 * 800);
  struct Point {
    std::size_t band;
    std::size_t frame;
    double value;  // of pipecat 1.14.0, compute_whisper_log_mel_features
  };
  const Point points[] = {{0, 0, -0.2722},    {79, 100, -0.2722}, {10, 399, 0.6492},
                          {10, 401, 1.6391},  {10, 600, 1.6383},  {11, 600, 1.7278},
                          {52, 600, -0.2722}, {79, 799, -0.1445}, {30, 799, 0.3573}};
  for (const Point& point : points) {
    INFO(point.band, " ", point.frame);
    CHECK(features[point.band * 800 + point.frame] == doctest::Approx(point.value).epsilon(0.005));
  }
}

TEST_CASE("a turn is judged by its last eight seconds") {
  const EndOfTurn model = smart_turn();
  const auto said = digit();
  const auto p = model.judge(said);
  REQUIRE(p);
  CHECK(*p == doctest::Approx(0.965).epsilon(0.02));  // of pipecat's own code
  std::vector<std::int16_t> longer = testing::noise(80'000, 3'000);
  longer.resize(80'000 + EndOfTurn::kHeard);
  longer.insert(longer.end(), said.begin(), said.end());
  const auto later = model.judge(longer);
  REQUIRE(later);
  CHECK(std::abs(*later - *p) < 1e-6);
  const auto empty = model.judge({});
  REQUIRE(empty);
  CHECK(*empty <= 1);
}

TEST_CASE("what is no end-of-turn model is refused with the key to mend") {
  for (const char* name : {"silero_vad.onnx", "nothing.onnx", "whisper-base-q8_0.bin"}) {
    INFO(name);
    const auto loaded = EndOfTurn::load(testing::models() / name);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().detail.find(name) != std::string::npos);
    CHECK(loaded.error().detail.find("speech.turn_end_model") != std::string::npos);
  }
}

TEST_CASE("judgements come to the home loop, in the order they were asked for") {
  telemetry::NullLog log;
  net::EventLoop home("home", log);
  EndOfTurnPump pump(smart_turn(), home, log);
  std::vector<int> order;
  std::promise<void> done;
  home.post([&] {
    for (int i = 0; i < 3; ++i)
      pump.ask(digit(), [&, i](double p) {
        CHECK(home.on_thread());
        CHECK(p > 0.9);
        order.push_back(i);
        if (i == 2) done.set_value();
      });
  });
  REQUIRE(done.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  CHECK(order == std::vector<int>{0, 1, 2});
}

TEST_CASE("what waits for a judgement is bounded") {
  telemetry::NullLog log;
  net::EventLoop home("home", log);
  EndOfTurnPump pump(smart_turn(), home, log);
  std::size_t judged = 0;
  std::promise<void> full;
  std::promise<void> done;
  home.post([&] {
    for (std::size_t i = 0; i < 3 * EndOfTurnPump::kWaitingMax; ++i)
      pump.ask(digit(), [&](double) {
        if (++judged == EndOfTurnPump::kWaitingMax) full.set_value();
      });
  });
  REQUIRE(full.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  home.post([&] { pump.ask(digit(), [&](double) { done.set_value(); }); });
  REQUIRE(done.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  CHECK(judged <= EndOfTurnPump::kWaitingMax + 2);  // one is at work, and is no longer waiting
}

}  // namespace
}  // namespace yyc3::worker
