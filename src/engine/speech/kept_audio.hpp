#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace yyc3::speech {

/// The last 30 s of one stream on its 8 kHz sample clock; what was never sent is silence.
/// Threads: one. Memory: 480 KB from the first sample on.
class KeptAudio {
 public:
  /// What an append() brought that was not known.
  struct Added {
    std::uint64_t first_sample = 0;
    std::span<const std::int16_t> pcm;  ///< a part of what was given
    bool after_gap = false;
  };

  /// Stores `pcm`; what lies before the newest sample known is ignored.
  Added append(std::uint64_t first_sample, std::span<const std::int16_t> pcm);
  /// A copy of [from, to), cut to what is known and kept; empty when nothing of it is.
  [[nodiscard]] std::vector<std::int16_t> copy(std::uint64_t from, std::uint64_t to) const;
  [[nodiscard]] std::uint64_t end() const { return end_; }

 private:
  std::vector<std::int16_t> ring_;
  std::uint64_t begin_ = 0;  ///< first sample ever seen
  std::uint64_t end_ = 0;    ///< one past the newest
};

}  // namespace yyc3::speech
