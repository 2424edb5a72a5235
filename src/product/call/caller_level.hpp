#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "product/call/sample_pos.hpp"

namespace yyc3::call {

/// How loud the caller speaks, learnt from what was understood; a sound far below that while the
/// bot speaks is somebody else: a television, voices in the room. Threads: none. No allocation.
class CallerLevel {
 public:
  /// @param below_db of the caller's own voice: from here on down it is the background; 0: nothing
  /// is.
  explicit CallerLevel(float below_db) : below_db_(below_db) {}

  /// The samples [from, to), one after another, 20 ms each, with their level (codec::level_dbov).
  void on_level(SamplePos from, SamplePos to, float dbov);
  /// What was said there was the caller's: the mean of its loudest 100 ms and what was known.
  void learn(SamplePos from, SamplePos to);
  /// Nothing since `from` was as loud as the caller. False while nothing is known of the caller.
  [[nodiscard]] bool background(SamplePos from) const;

 private:
  static constexpr std::size_t kFrames = 1'024;  ///< kept: 20 s, the longest utterance

  struct Frame {
    SamplePos from = 0;
    SamplePos to = 0;
    float power = 0;  ///< mean of the last 100 ms, of full scale
  };
  [[nodiscard]] std::optional<float> loudest(SamplePos from, SamplePos to) const;

  float below_db_;
  std::array<float, 5> recent_{};  ///< powers of the last frames
  std::array<Frame, kFrames> frames_{};
  std::size_t count_ = 0;
  std::optional<float> caller_dbov_;
};

}  // namespace yyc3::call
