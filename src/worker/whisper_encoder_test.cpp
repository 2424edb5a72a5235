#include "worker/whisper_encoder.hpp"

#include <algorithm>
#include <cmath>

#include "house/paths.hpp"
#include "worker/whisper_decoder.hpp"
#include "worker/worker_test_support.hpp"

namespace yyc3::worker {
namespace {

constexpr int kMels = 80;
constexpr std::size_t kFrames = 320;
constexpr std::size_t kWidth = 512;

std::unique_ptr<const WhisperEncoder> base_encoder() {
  auto loaded = WhisperEncoder::beside(testing::models() / "whisper-base-q8_0.bin");
  REQUIRE_MESSAGE(loaded, loaded.error().detail);
  REQUIRE(*loaded);
  return std::move(*loaded);
}

std::vector<float> hum() {
  std::vector<float> mel(kMels * kFrames);
  for (std::size_t i = 0; i < mel.size(); ++i)
    mel[i] = 0.5F * std::sin(0.01F * static_cast<float>(i));
  return mel;
}

TEST_CASE("sound is encoded, and an encoder that is told to stop does") {
  const auto encoder = base_encoder();
  std::vector<float> encoded(kFrames / 2 * kWidth);
  REQUIRE(encoder->encode(hum(), kMels, encoded, [] { return false; }));
  CHECK(std::ranges::all_of(encoded, [](float x) { return std::isfinite(x); }));
  CHECK(std::ranges::any_of(encoded, [](float x) { return std::abs(x) > 0.1F; }));
  int asked = 0;
  const auto stopped = encoder->encode(hum(), kMels, encoded, [&] { return ++asked == 2; });
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == ErrorCode::kCancelled);
  CHECK(asked == 2);
}

TEST_CASE("an encoder of another model is refused") {
  const auto encoder = base_encoder();
  std::vector<float> tiny(kFrames / 2 * 384);
  CHECK(encoder->encode(hum(), kMels, tiny, [] { return false; }).error().code ==
        ErrorCode::kInvalid);
}

TEST_CASE("no encoder beside a model is none; a damaged or incomplete one is an error") {
  const testing::TempDir folder;
  const auto none = WhisperEncoder::beside(folder.path / "x.bin");
  REQUIRE(none);
  CHECK(*none == nullptr);
  std::ofstream(folder.path / "x-encoder-1.onnx") << "damaged";
  CHECK(WhisperEncoder::beside(folder.path / "x.bin").error().code == ErrorCode::kInvalid);
  for (const char* name : {"y-encoder-1.onnx", "y-encoder-2.onnx"})
    std::filesystem::create_symlink(
        testing::models() / ("whisper-base-q8_0" + std::string(name).substr(1)),
        folder.path / name);
  CHECK(WhisperEncoder::beside(folder.path / "y.bin").error().code == ErrorCode::kNotFound);
}

TEST_CASE("words are heard alike through either encoder") {
  const testing::TempDir folder;
  const std::filesystem::path alone = folder.path / "whisper-base-q8_0.bin";
  std::filesystem::create_symlink(testing::models() / "whisper-base-q8_0.bin", alone);
  const auto ggml = WhisperModel::load(alone);
  const auto onnx = WhisperModel::load(testing::models() / "whisper-base-q8_0.bin");
  REQUIRE(ggml);
  REQUIRE(onnx);
  const SystemClock clock;
  const auto tables = testing::tables();
  int words = 0;
  int alike = 0;
  const auto sounds = paths::source_dir() / "tests/data" / "fsdd_digits";
  for (const auto& file : std::filesystem::directory_iterator(sounds)) {
    if (file.path().extension() != ".wav") continue;
    const auto pcm = testing::read_wav(file.path());
    DecodeRequest request;
    request.pcm = pcm;
    request.language = speech::Language::kEnglish;
    request.grammar = speech::GrammarKind::kDigit;
    const StopFlag stop;
    const auto one = (*ggml)->make_decoder(tables, clock)->decode(request, stop);
    const auto other = (*onnx)->make_decoder(tables, clock)->decode(request, stop);
    REQUIRE(one);
    REQUIRE(other);
    alike += one->text == other->text ? 1 : 0;
    if (++words == 10) break;
  }
  CHECK(words == 10);
  CHECK(alike >= 9);
}

}  // namespace
}  // namespace yyc3::worker
