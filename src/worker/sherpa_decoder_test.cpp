// Models of sherpa-onnx by the real library. The models are tiny ones of ours
// (tools/models/make_tiny_sherpa.py): a low tone is 还, a high one 款.

#include "worker/sherpa_decoder.hpp"

#include <cmath>

#include "house/paths.hpp"
#include "worker/worker_test_support.hpp"

namespace yyc3::worker {
namespace {

const std::filesystem::path& tiny_models() {
  static const auto folder = paths::source_dir() / "tests/data/sherpa_tiny";
  return folder;
}

std::vector<std::int16_t> two_tones() {
  std::vector<std::int16_t> pcm(1600, 0);
  for (const double hz : {500.0, 3000.0})
    for (int i = 0; i < 5600; ++i)
      pcm.push_back(static_cast<std::int16_t>(8000 * std::sin(2 * 3.14159265 * hz * i / 8000)));
  return pcm;
}

TEST_CASE("every kind of model is told by its files and runs") {
  const SystemClock clock;
  const auto tables = testing::tables();
  const auto tones = two_tones();
  const auto quiet = testing::noise(8000, 3);
  struct Case {
    std::string folder;
    std::string of_quiet;
  };
  const Case cases[] = {{"streaming_zipformer", ""},
                        {"streaming_paraformer", ""},
                        {"sense_voice", ""},
                        {"paraformer", "款款"}};  // the tiny one always says two words
  for (const auto& c : cases) {
    CAPTURE(c.folder);
    const auto model = load_sherpa(tiny_models() / c.folder, "zh");
    REQUIRE_MESSAGE(model, model.error().detail);
    CHECK((*model)->name() == c.folder);
    const auto decoder = (*model)->make_decoder(tables, clock);
    const StopFlag go;
    DecodeRequest request;
    request.pcm = tones;
    const auto heard = decoder->decode(request, go);
    REQUIRE_MESSAGE(heard, heard.error().detail);
    CHECK(heard->text == "还款");
    CHECK(heard->confidence > 0);
    request.grammar = speech::GrammarKind::kOptions;
    request.options = {"账单", "海款"};
    CHECK(decoder->decode(request, go)->text ==
          "海款");  // written as the option that it sounds like
    request.options = {"预约"};
    CHECK(decoder->decode(request, go)->text == "还款");
    request.grammar = speech::GrammarKind::kFree;
    request.pcm = quiet;
    CHECK(decoder->decode(request, go)->text == c.of_quiet);
    request.pcm = std::span(quiet).first(kDecodeShortest);
    CHECK(decoder->decode(request, go));
    request.pcm = std::span(quiet).first(kDecodeShortest - 1);
    CHECK(decoder->decode(request, go).error().code == ErrorCode::kInvalid);
  }
}

/// A millisecond passes whenever somebody looks.
struct SteppingClock final : Clock {
  [[nodiscard]] SteadyTime now() const override { return SteadyTime{} + Milliseconds{++looks}; }
  [[nodiscard]] UtcTime utc() const override { return {}; }
  mutable int looks = 0;
};

TEST_CASE("a streaming decode is stopped between two chunks") {
  const SteppingClock clock;
  const auto model = load_sherpa(tiny_models() / "streaming_zipformer", "zh");
  REQUIRE(model);
  const std::vector<std::int16_t> long_silence(kDecodeLongest, 0);  // 94 chunks
  DecodeRequest request;
  request.pcm = long_silence;
  StopFlag stop;
  stop.deadline = SteadyTime{} + Milliseconds{10};
  const auto heard = (*model)->make_decoder(nullptr, clock)->decode(request, stop);
  CHECK(heard.error().code == ErrorCode::kTimeout);
  CHECK(clock.looks < 15);
}

TEST_CASE("a decode by sherpa-onnx is stopped") {
  const SystemClock clock;
  const auto tones = two_tones();
  DecodeRequest request;
  request.pcm = tones;
  for (const char* folder : {"streaming_zipformer", "sense_voice"}) {
    CAPTURE(folder);
    const auto model = load_sherpa(tiny_models() / folder, "zh");
    REQUIRE(model);
    const auto decoder = (*model)->make_decoder(nullptr, clock);
    StopFlag cancelled;
    cancelled.cancelled = true;
    CHECK(decoder->decode(request, cancelled).error().code == ErrorCode::kCancelled);
    StopFlag late;
    late.deadline = SteadyTime{};
    CHECK(decoder->decode(request, late).error().code == ErrorCode::kTimeout);
  }
}

TEST_CASE("a folder without a usable model says so and what to mend") {
  const auto folder =
      std::filesystem::temp_directory_path() / ("sherpa-" + std::to_string(::getpid()));
  const auto error = [&] {
    const auto model = load_sherpa(folder, "zh");
    REQUIRE_FALSE(model);
    CHECK(model.error().detail.find(folder.string()) != std::string::npos);
    CHECK(model.error().detail.find("mend speech.recognizer_zh") != std::string::npos);
    return model.error();
  };
  CHECK(error().code == ErrorCode::kNotFound);  // no folder
  std::filesystem::create_directories(folder);
  CHECK(error().code == ErrorCode::kNotFound);  // nothing in it
  std::ofstream(folder / "model.int8.onnx") << "not a model";
  CHECK(error().detail.find("tokens.txt") != std::string::npos);
  std::ofstream(folder / "tokens.txt") << "<unk> 0\n还 1\n";
  CHECK(error().code == ErrorCode::kInvalid);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace yyc3::worker
