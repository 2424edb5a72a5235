#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/speech/kept_audio.hpp"
#include "worker/silero_vad.hpp"

namespace yyc3::worker {

/// The last 30 s of one stream on its 8 kHz sample clock; what was never sent is silence.
/// Also cuts the stream into the 32 ms frames the voice activity detector takes.
/// Threads: one. Memory: 480 KB from the first sample on.
class StreamAudio {
 public:
  struct VadFrame {
    std::uint64_t end_sample = 0;
    bool fresh = false;  ///< first after a gap: the detector forgets what was before
    std::array<float, SileroVad::kFrame> pcm{};
  };

  /// Stores `pcm`; what lies before the newest sample known is ignored. Complete frames are
  /// appended to `frames`.
  void append(std::uint64_t first_sample, std::span<const std::int16_t> pcm,
              std::vector<VadFrame>& frames);
  /// A copy of [from, to), cut to what is known and kept; empty when nothing of it is.
  [[nodiscard]] std::vector<std::int16_t> copy(std::uint64_t from, std::uint64_t to) const {
    return kept_.copy(from, to);
  }
  [[nodiscard]] std::uint64_t end() const { return kept_.end(); }

 private:
  speech::KeptAudio kept_;
  std::vector<float> partial_;
  bool fresh_ = true;
};

}  // namespace yyc3::worker
