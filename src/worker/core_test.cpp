#include <algorithm>
#include <cmath>
#include <future>
#include <sstream>

#include "house/paths.hpp"
#include "worker/phrase_scorer.hpp"
#include "worker/silero_vad.hpp"
#include "worker/stream_audio.hpp"
#include "worker/worker_test_support.hpp"

namespace yyc3::worker {
namespace {

/// A network of four tokens: 0 ends, 1 and 2 begin, 3 follows 1.
std::span<const float> toy_network(const PhraseScorer::Tokens& prefix) {
  static std::vector<float> p;
  const auto ln = [](double x) { return static_cast<float>(std::log(x)); };
  if (prefix.empty())
    p = {ln(0.01), ln(0.6), ln(0.38), ln(0.01)};
  else if (prefix.back() == 1)
    p = {ln(0.1), ln(0.1), ln(0.1), ln(0.7)};
  else
    p = {ln(0.97), ln(0.01), ln(0.01), ln(0.01)};
  return p;
}

TEST_CASE("the likeliest phrase wins, not the likeliest first token") {
  const PhraseScorer scorer({{{{1}}, 0, 0}, {{{2}}, 0, 1}, {{{1, 3}}, 0, 2}}, {0});
  const auto best = scorer.best(toy_network);
  CHECK(best.index == 2);  // 0.6·0.7·0.97 = 0.41 > 0.38·0.97 = 0.37 > 0.6·0.1
  CHECK(best.share == doctest::Approx(0.4074 / (0.4074 + 0.3686 + 0.06)).epsilon(0.01));
  const auto all = scorer.all(toy_network);
  REQUIRE(all.size() == 3);
  CHECK(std::exp(all[1]) == doctest::Approx(0.3686).epsilon(0.001));
}

TEST_CASE("phrases of one meaning make each other surer") {
  const PhraseScorer scorer({{{{1}}, 0, 7}, {{{2}}, 0, 1}, {{{1, 3}}, 0, 7}}, {0});
  const auto best = scorer.best(toy_network);
  CHECK(best.index == 2);
  CHECK(best.share == doctest::Approx((0.4074 + 0.06) / (0.4074 + 0.3686 + 0.06)).epsilon(0.01));
}

TEST_CASE("a bias moves the choice, a stopped network gives none") {
  const PhraseScorer biased({{{{1, 3}}, 0}, {{{2}}, -0.5}}, {0});
  CHECK(biased.best(toy_network).index == 1);
  const PhraseScorer plain({{{{2}}, 0}}, {0});
  CHECK(plain.best([](const auto&) { return std::span<const float>(); }).stopped);
}

TEST_CASE("a stream keeps its last 30 s, gaps are silence, repeats are ignored") {
  StreamAudio audio;
  std::vector<StreamAudio::VadFrame> frames;
  const std::vector<std::int16_t> ones(300, 1);
  audio.append(1000, ones, frames);
  CHECK(frames.size() == 1);
  CHECK(frames[0].end_sample == 1256);
  CHECK(frames[0].fresh);
  audio.append(1000, ones, frames);  // the same again
  CHECK(audio.end() == 1300);
  audio.append(1400, ones, frames);  // 100 samples are missing
  CHECK(audio.end() == 1700);
  CHECK(frames.back().end_sample == 1656);
  CHECK(frames.back().fresh);
  const auto copy = audio.copy(0, 99'999);
  REQUIRE(copy.size() == 700);
  CHECK(copy[299] == 1);
  CHECK(copy[300] == 0);
  CHECK(copy[400] == 1);
  audio.append(5'000'000, ones, frames);
  CHECK(audio.copy(1000, 1700).empty());
  CHECK(audio.copy(4'999'999, 5'000'001) == std::vector<std::int16_t>{0, 1});
}

double share_of_speech(const SileroVad& vad, std::span<const std::int16_t> pcm) {
  StreamAudio audio;
  std::vector<StreamAudio::VadFrame> frames;
  audio.append(0, pcm, frames);
  SileroVad::State state;
  int speech = 0;
  for (const auto& f : frames) {
    SileroVad::Frame frame{&state, f.pcm, 0};
    REQUIRE(vad.run(std::span(&frame, 1)));
    if (frame.probability > 0.5F) ++speech;
  }
  return static_cast<double>(speech) / static_cast<double>(frames.size());
}

TEST_CASE("speech is found in a word and none in noise or silence") {
  const auto vad = SileroVad::load(testing::models());
  REQUIRE(vad);
  const auto word = testing::read_wav(paths::source_dir() / "tests/data" / "audio_cmn" / "058.wav");
  CHECK(share_of_speech(*vad, word) > 0.3);
  CHECK(share_of_speech(*vad, testing::noise(16'000, 300)) < 0.05);
  CHECK(share_of_speech(*vad, std::vector<std::int16_t>(16'000, 0)) < 0.05);
}

TEST_CASE("a batch gives what single frames give") {
  const auto vad = SileroVad::load(testing::models());
  REQUIRE(vad);
  StreamAudio audio;
  std::vector<StreamAudio::VadFrame> frames;
  audio.append(0, testing::read_wav(paths::source_dir() / "tests/data" / "audio_cmn" / "002.wav"),
               frames);
  constexpr std::size_t kStreams = 5;
  std::vector<SileroVad::State> states(kStreams);
  SileroVad::State alone;
  for (const auto& f : frames) {
    std::vector<SileroVad::Frame> batch;
    for (auto& state : states) batch.push_back({&state, f.pcm, 0});
    REQUIRE(vad->run(batch));
    SileroVad::Frame single{&alone, f.pcm, 0};
    REQUIRE(vad->run(std::span(&single, 1)));
    for (const auto& b : batch) {
      CHECK(b.probability ==
            doctest::Approx(static_cast<double>(single.probability)).epsilon(0.01));
    }
  }
  CHECK_FALSE(vad->run({}));
}

TEST_CASE("a missing model says what to run") {
  const auto none = SileroVad::load("/nonexistent");
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::kNotFound);
  CHECK(none.error().detail.find("aicall models pull") != std::string::npos);
}

TEST_CASE("speech is levelled and trimmed") {
  std::vector<float> samples(24'000, 0.0F);
  for (std::size_t i = 8000; i < 16'000; ++i) {
    samples[i] = 0.01F * std::sin(static_cast<float>(i) * 0.2F);
  }
  const auto made = level_speech(samples, 24'000, {{1, 4000}, {2, 12'000}, {3, 20'000}});
  const auto& out = made.pcm;
  const std::vector<codec::WavCue> marks{{1, 0}, {2, 4000 + 960}, {3, 8000 + 960}};
  for (std::size_t i = 0; i < marks.size(); ++i) {
    CHECK(made.marks.at(i).name == marks[i].name);
    CHECK(std::abs(static_cast<int>(made.marks[i].frame) - static_cast<int>(marks[i].frame)) <=
          480);
  }
  CHECK(out.size() == doctest::Approx(8000 + 2 * 960).epsilon(0.05));
  const auto peak = *std::ranges::max_element(out);
  CHECK(peak > 3000);
  CHECK(peak < 23'200);  // −3 dBFS
}

}  // namespace
}  // namespace yyc3::worker
