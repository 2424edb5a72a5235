#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "worker/ort_session.hpp"

namespace yyc3::worker {

/// Whisper's encoder in ONNX Runtime, as tools/models/whisper_encoder_onnx.py makes it of a ggml
/// model: on AVX2 a decode takes three quarters of the time it takes with ggml's
/// (docs/decisions/0020).
/// It is cut into sections, so that a decode that is not wanted any more ends soon.
/// Threads: immutable, any.
class WhisperEncoder {
 public:
  /// False where ggml has kernels for matrix units (AMX): it was not compared with them. Call it
  /// after they were loaded.
  static bool worth_while();
  /// The sections beside `model` ("x.bin" → "x-encoder-1.onnx", …); null when there are none.
  /// Errors: kNotFound (some, but not all are there: each gives what the next one takes, and a part
  /// of them would give nonsense), kInvalid (one is no model), kUnavailable (ort_session.hpp).
  static Result<std::unique_ptr<const WhisperEncoder>> beside(const std::filesystem::path& model);

  /// @param mel log-mel spectrogram, `mels` rows of frames (10 ms each).
  /// @param encoded receives half as many rows as there are frames.
  /// @param stop asked before each section. Errors: kCancelled, kInvalid (shapes), kInternal.
  Result<void> encode(std::span<const float> mel, int mels, std::span<float> encoded,
                      const std::function<bool()>& stop) const;

  static constexpr int kSections = 3;  ///< SECTIONS of the script

 private:
  WhisperEncoder() = default;
  std::vector<OrtSession> sections_;
};

/// While it lives, what this thread gives to whisper.cpp is encoded by `encoder` (null: by ggml).
class EncoderScope {
 public:
  /// @param width of the encoded sound. @param stop see WhisperEncoder::encode.
  EncoderScope(const WhisperEncoder* encoder, int width, std::function<bool()> stop);
  ~EncoderScope();
  EncoderScope(const EncoderScope&) = delete;
  EncoderScope& operator=(const EncoderScope&) = delete;
  /// Of the last encoding.
  [[nodiscard]] const Result<void>& result() const { return result_; }

 private:
  static bool encode(void* scope, const float* mel, int frames, int mels, float* encoded);
  const WhisperEncoder* encoder_;
  int width_;
  std::function<bool()> stop_;
  Result<void> result_;
};

}  // namespace yyc3::worker
