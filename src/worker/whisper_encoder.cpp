#include "worker/whisper_encoder.hpp"

#include <algorithm>
#include <array>
#include <ggml-backend.h>
#include <string>
#include <string_view>
#include <utility>

/// Added to whisper.cpp by tools/models/patch_whisper.py.
extern "C" void yyc3_whisper_set_thread_encoder(bool (*encoder)(void* data, const float* mel,
                                                                int frames, int mels,
                                                                float* encoded),
                                                void* data);

namespace yyc3::worker {

bool WhisperEncoder::worth_while() {
  const ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
  if (cpu == nullptr) return true;
  const ggml_backend_reg_t kernels = ggml_backend_dev_backend_reg(cpu);
  const auto features = reinterpret_cast<ggml_backend_get_features_t>(
      ggml_backend_reg_get_proc_address(kernels, "ggml_backend_get_features"));
  if (features == nullptr) return true;
  for (const ggml_backend_feature* one = features(kernels); one->name != nullptr; ++one)
    if (std::string_view(one->name) == "AMX_INT8") return false;
  return true;
}

Result<std::unique_ptr<const WhisperEncoder>> WhisperEncoder::beside(
    const std::filesystem::path& model) {
  std::vector<std::filesystem::path> files(kSections, model);
  for (int i = 0; i < kSections; ++i)
    files[static_cast<std::size_t>(i)].replace_filename(model.stem().string() + "-encoder-" +
                                                        std::to_string(i + 1) + ".onnx");
  if (std::ranges::none_of(files, [](const auto& file) { return std::filesystem::exists(file); }))
    return nullptr;
  std::unique_ptr<WhisperEncoder> made(new WhisperEncoder());
  for (const auto& file : files) {
    auto section = OrtSession::load(file, 1);
    if (!section) return tl::unexpected<Error>(section.error());
    made->sections_.push_back(std::move(*section));
  }
  return std::unique_ptr<const WhisperEncoder>(std::move(made));
}

Result<void> WhisperEncoder::encode(std::span<const float> mel, int mels, std::span<float> encoded,
                                    const std::function<bool()>& stop) const {
  std::span<const float> input = mel;
  std::vector<std::vector<float>> output;
  const auto frames = static_cast<std::int64_t>(mel.size()) / mels;
  std::vector<std::int64_t> shape{1, mels, frames};
  for (const OrtSession& section : sections_) {
    if (stop()) return fail(ErrorCode::kCancelled, "encoder stopped");
    const std::array inputs{OrtInput{"in", input.data(), input.size_bytes(), shape}};
    constexpr std::array kOutputs{"out"};
    auto done = section.run(inputs, kOutputs);
    if (!done) return tl::unexpected<Error>(done.error());
    output = std::move(*done);
    input = output[0];
    shape = {1, frames / 2, static_cast<std::int64_t>(input.size()) / (frames / 2)};
  }
  if (input.size() != encoded.size())
    return fail(ErrorCode::kInvalid, "the encoder's files are of another model");
  std::ranges::copy(input, encoded.begin());
  return {};
}

EncoderScope::EncoderScope(const WhisperEncoder* encoder, int width, std::function<bool()> stop)
    : encoder_(encoder), width_(width), stop_(std::move(stop)) {
  if (encoder != nullptr) yyc3_whisper_set_thread_encoder(&EncoderScope::encode, this);
}

EncoderScope::~EncoderScope() { yyc3_whisper_set_thread_encoder(nullptr, nullptr); }

bool EncoderScope::encode(void* scope, const float* mel, int frames, int mels, float* encoded) {
  auto& self = *static_cast<EncoderScope*>(scope);
  const auto columns = static_cast<std::size_t>(frames);
  const auto rows = static_cast<std::size_t>(mels);
  const std::size_t out = columns / 2 * static_cast<std::size_t>(self.width_);
  self.result_ = self.encoder_->encode({mel, columns * rows}, mels, {encoded, out}, self.stop_);
  return self.result_.has_value();
}

}  // namespace yyc3::worker
