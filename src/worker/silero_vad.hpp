#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>

#include "base/result.hpp"
#include "worker/ort_session.hpp"

namespace yyc3::worker {

/// Voice activity by Silero VAD 6 at 8 kHz, many streams in one run (37 µs a frame of a core in
/// batches of 32, 111 µs alone). Threads: run by one thread at a time.
class SileroVad {
 public:
  static constexpr std::size_t kFrame = 256;    ///< samples: 32 ms at 8 kHz
  static constexpr std::size_t kContext = 32;   ///< samples of the frame before
  static constexpr std::size_t kBatchMax = 64;  ///< frames of one run

  /// What the network remembers of one stream. Zero-initialised: the stream begins.
  struct State {
    std::array<float, kContext> context{};
    std::array<float, 256> memory{};
  };
  struct Frame {
    State* state = nullptr;           ///< a stream may be in a batch only once
    std::array<float, kFrame> pcm{};  ///< −1..1
    float probability = 0;            ///< out: 0..1 that these 32 ms are speech
  };

  /// @param directory holds silero_vad.onnx. Errors: as OrtSession::load.
  static Result<SileroVad> load(const std::filesystem::path& directory);
  /// Advances every stream by one frame. @param batch 1..kBatchMax frames (kInvalid otherwise).
  Result<void> run(std::span<Frame> batch) const;

 private:
  explicit SileroVad(OrtSession session) : session_(std::move(session)) {}
  OrtSession session_;
};

}  // namespace yyc3::worker
