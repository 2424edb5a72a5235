#pragma once

#include <chrono>
#include <optional>

#include "base/clock.hpp"

namespace yyc3::language {

/// How many threads a step of the model takes. ggml's threads wait for each other by spinning, some
/// hundred times a token: beside a voice that needs a processor two of them are little faster than
/// one, and the voice takes half as long again (docs/language.md). A step that did not get the
/// processors that it asked for is followed by steps on one thread for a while, which ends when the
/// others have nothing to do and begins anew while they have (as far as that can be told). Pure;
/// one thread.
class DecodeThreads {
 public:
  static constexpr Milliseconds kAlone{500};  ///< on one thread; then all are tried again
  static constexpr double kShare = 0.9;       ///< alone on a machine: 0.99 and more
  static constexpr double kIdle = 0.7;        ///< Linux counts it in hundredths of a second

  struct Step {
    int threads;
    SteadyTime began;
    SteadyTime ended;
    std::chrono::nanoseconds used;                 ///< processor time of this process
    std::optional<std::chrono::nanoseconds> idle;  ///< of all processors; nullopt: not known
  };

  /// @param most 1 or more.
  explicit DecodeThreads(int most) : most_(most) {}

  [[nodiscard]] int next(SteadyTime now) const { return now < until_ ? 1 : most_; }
  void ran(const Step& step) {
    const auto took = static_cast<double>((step.ended - step.began).count());
    const auto used = static_cast<double>(step.used.count());
    if (step.threads > 1) {
      if (used < kShare * took * step.threads) until_ = step.ended + kAlone;
    } else if (step.idle) {
      const bool free = static_cast<double>(step.idle->count()) >= kIdle * took * (most_ - 1);
      until_ = free ? SteadyTime{} : step.ended + kAlone;
    }
  }

 private:
  int most_;
  SteadyTime until_{};
};

}  // namespace yyc3::language
