#include "worker/sherpa_decoder.hpp"

#include <cstring>
#include <exception>
#include <fstream>
#include <functional>
#include <sherpa-onnx/c-api/c-api.h>
#include <utility>

#include "engine/speech/grammars.hpp"
#include "worker/resample.hpp"

namespace yyc3::worker {
namespace {

namespace fs = std::filesystem;

constexpr int kModelRate = 16'000;
constexpr std::size_t kTail =
    kModelRate * 66 / 100;  // silence that flushes a streaming model's window
constexpr int kMels = 80;

tl::unexpected<Error> unusable(const fs::path& folder, ErrorCode code, const std::string& why) {
  return fail(code, "recogniser in " + folder.string() + ": " + why +
                        "; mend speech.recognizer_zh or speech.recognizer_en");
}

/// `folder`/`prefix`*.onnx, of 8 bit if there is one; empty when there is none.
std::string find_onnx(const fs::path& folder, std::string_view prefix) {
  std::string found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(".onnx")) continue;
    if (found.empty() || name.ends_with(".int8.onnx")) found = entry.path().string();
  }
  return found;
}

bool is_sense_voice(const fs::path& tokens) {
  std::ifstream in(tokens);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("<|zh|>")) return true;
  return false;
}

template <auto destroy>
struct Destroy {
  template <class T>
  void operator()(T* object) const {
    destroy(object);
  }
};
template <class T, auto destroy>
using Owned = std::unique_ptr<const T, Destroy<destroy>>;

using Online = Owned<SherpaOnnxOnlineRecognizer, &SherpaOnnxDestroyOnlineRecognizer>;
using OnlineStream = Owned<SherpaOnnxOnlineStream, &SherpaOnnxDestroyOnlineStream>;
using OnlineResult =
    Owned<SherpaOnnxOnlineRecognizerResult, &SherpaOnnxDestroyOnlineRecognizerResult>;
using Offline = Owned<SherpaOnnxOfflineRecognizer, &SherpaOnnxDestroyOfflineRecognizer>;
using OfflineStream = Owned<SherpaOnnxOfflineStream, &SherpaOnnxDestroyOfflineStream>;
using OfflineResult =
    Owned<SherpaOnnxOfflineRecognizerResult, &SherpaOnnxDestroyOfflineRecognizerResult>;

struct Heard {
  std::string text;
  int tokens = 0;
};

class SherpaModel final : public HearModel, public std::enable_shared_from_this<SherpaModel> {
 public:
  explicit SherpaModel(const fs::path& folder) : name_(folder.filename().string()) {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] std::unique_ptr<Decoder> make_decoder(text::TablesPtr tables,
                                                      const Clock& clock) const override;
  /// Empty when `stop` says so; the caller asks it why.
  [[nodiscard]] Heard run(std::span<const float> samples, const std::function<bool()>& stop) const {
    return online_ ? run_online(samples, stop) : run_offline(samples);
  }
  bool load_online(const fs::path& folder, const std::string& encoder, const std::string& decoder,
                   const std::string& joiner);
  bool load_offline(const fs::path& folder, const std::string& model, const char* language);

 private:
  [[nodiscard]] Heard run_online(std::span<const float> samples,
                                 const std::function<bool()>& stop) const;
  [[nodiscard]] Heard run_offline(std::span<const float> samples) const;
  std::string name_;
  Online online_;  // one of the two
  Offline offline_;
};

bool SherpaModel::load_online(const fs::path& folder, const std::string& encoder,
                              const std::string& decoder, const std::string& joiner) {
  SherpaOnnxOnlineRecognizerConfig config;
  std::memset(&config, 0, sizeof config);
  const std::string tokens = (folder / "tokens.txt").string();
  config.feat_config = {kModelRate, kMels};
  if (joiner.empty()) {
    config.model_config.paraformer.encoder = encoder.c_str();
    config.model_config.paraformer.decoder = decoder.c_str();
  } else {
    config.model_config.transducer.encoder = encoder.c_str();
    config.model_config.transducer.decoder = decoder.c_str();
    config.model_config.transducer.joiner = joiner.c_str();
  }
  config.model_config.tokens = tokens.c_str();
  config.model_config.provider = "cpu";
  config.model_config.num_threads = 1;
  config.decoding_method = "greedy_search";
  online_.reset(SherpaOnnxCreateOnlineRecognizer(&config));
  return online_ != nullptr;
}

bool SherpaModel::load_offline(const fs::path& folder, const std::string& model,
                               const char* language) {
  SherpaOnnxOfflineRecognizerConfig config;
  std::memset(&config, 0, sizeof config);
  const std::string tokens = (folder / "tokens.txt").string();
  config.feat_config = {kModelRate, kMels};
  if (is_sense_voice(tokens)) {
    config.model_config.sense_voice.model = model.c_str();
    config.model_config.sense_voice.language = language;
  } else {
    config.model_config.paraformer.model = model.c_str();
  }
  config.model_config.tokens = tokens.c_str();
  config.model_config.provider = "cpu";
  config.model_config.num_threads = 1;
  config.decoding_method = "greedy_search";
  offline_.reset(SherpaOnnxCreateOfflineRecognizer(&config));
  return offline_ != nullptr;
}

Heard SherpaModel::run_online(std::span<const float> samples,
                              const std::function<bool()>& stop) const {
  const OnlineStream stream(SherpaOnnxCreateOnlineStream(online_.get()));
  const std::vector<float> tail(kTail, 0);
  for (const std::span<const float> part : {samples, std::span<const float>(tail)})
    SherpaOnnxOnlineStreamAcceptWaveform(stream.get(), kModelRate, part.data(),
                                         static_cast<int>(part.size()));
  SherpaOnnxOnlineStreamInputFinished(stream.get());
  while (SherpaOnnxIsOnlineStreamReady(online_.get(), stream.get()) != 0) {
    if (stop()) return {};
    SherpaOnnxDecodeOnlineStream(online_.get(), stream.get());
  }
  const OnlineResult result(SherpaOnnxGetOnlineStreamResult(online_.get(), stream.get()));
  return {result->text, result->count};
}

Heard SherpaModel::run_offline(std::span<const float> samples) const {
  const OfflineStream stream(SherpaOnnxCreateOfflineStream(offline_.get()));
  SherpaOnnxAcceptWaveformOffline(stream.get(), kModelRate, samples.data(),
                                  static_cast<int>(samples.size()));
  SherpaOnnxDecodeOfflineStream(offline_.get(), stream.get());
  const OfflineResult result(SherpaOnnxGetOfflineStreamResult(stream.get()));
  return {result->text, result->count};
}

class SherpaDecoder final : public Decoder {
 public:
  SherpaDecoder(std::shared_ptr<const SherpaModel> model, text::TablesPtr tables,
                const Clock& clock)
      : model_(std::move(model)), tables_(std::move(tables)), clock_(clock) {}

  Result<Decoded> decode(const DecodeRequest& request, const StopFlag& stop) override {
    if (request.pcm.size() < kDecodeShortest || request.pcm.size() > kDecodeLongest)
      return fail(ErrorCode::kInvalid, "decode needs 0.1 to 30 s of audio");
    const auto late = [&] { return clock_.now() >= stop.deadline; };
    const auto stopped = [&] { return stop.cancelled || late(); };
    Heard heard;
    try {
      if (!stopped()) heard = model_->run(to_16k(request.pcm), stopped);
    } catch (const std::exception& e) {  // of ONNX Runtime
      return fail(ErrorCode::kInternal, model_->name() + ": " + e.what());
    }
    if (stop.cancelled) return fail(ErrorCode::kCancelled, "decode cancelled");
    if (late()) return fail(ErrorCode::kTimeout, "decode passed its deadline");
    text::CutText cut = speech::tidy_text(tables_, request.language, heard.text);
    Decoded out;
    out.text = speech::hold_to(
        tables_, speech::phrases_of(request.grammar, request.language, request.options),
        std::move(cut.text));
    out.confidence = out.text.empty() ? 0 : speech::kConfidenceUntold;
    out.tokens = heard.tokens;
    out.looped = cut.looped;
    return out;
  }

 private:
  std::shared_ptr<const SherpaModel> model_;
  text::TablesPtr tables_;
  const Clock& clock_;
};

std::unique_ptr<Decoder> SherpaModel::make_decoder(text::TablesPtr tables,
                                                   const Clock& clock) const {
  return std::make_unique<SherpaDecoder>(shared_from_this(), std::move(tables), clock);
}

}  // namespace

Result<std::shared_ptr<const HearModel>> load_sherpa(const fs::path& folder, const char* language) {
  const std::string encoder = find_onnx(folder, "encoder");
  const std::string decoder = find_onnx(folder, "decoder");
  const std::string model = find_onnx(folder, "model");
  const bool streaming = !encoder.empty() && !decoder.empty();
  if (!streaming && model.empty())
    return unusable(folder, ErrorCode::kNotFound,
                    "holds neither encoder and decoder nor model (*.onnx)");
  if (!fs::is_regular_file(folder / "tokens.txt"))
    return unusable(folder, ErrorCode::kNotFound, "tokens.txt is missing");
  const auto made = std::make_shared<SherpaModel>(folder);
  const bool loaded = streaming
                          ? made->load_online(folder, encoder, decoder, find_onnx(folder, "joiner"))
                          : made->load_offline(folder, model, language);
  if (!loaded) return unusable(folder, ErrorCode::kInvalid, "is damaged (see the line above)");
  return std::static_pointer_cast<const HearModel>(made);
}

}  // namespace yyc3::worker
