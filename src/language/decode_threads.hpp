#pragma once

#include <chrono>

#include "base/clock.hpp"

namespace yyc3::language {

/// How many threads a step of the model takes. ggml's threads wait for each other by spinning, some
/// hundred times a token: beside a voice that needs a processor two of them are little faster than
/// one, and the voice takes half as long again (docs/language.md). A step that did not get the
/// processors that it asked for is followed by steps on one thread for a while. Pure; one thread.
class DecodeThreads {
 public:
  static constexpr Milliseconds kAlone{500};  ///< on one thread; then all are tried again
  static constexpr double kShare = 0.9;       ///< alone on a machine: 0.99 and more

  /// @param most 1 or more.
  explicit DecodeThreads(int most) : most_(most) {}

  [[nodiscard]] int next(SteadyTime now) const { return now < until_ ? 1 : most_; }
  /// A step has ended. @param used processor time of this process in it.
  void ran(int threads, SteadyTime began, SteadyTime ended, std::chrono::nanoseconds used) {
    const auto wanted = static_cast<double>((ended - began).count()) * threads;
    if (threads > 1 && static_cast<double>(used.count()) < kShare * wanted) until_ = ended + kAlone;
  }

 private:
  int most_;
  SteadyTime until_{};
};

}  // namespace yyc3::language
