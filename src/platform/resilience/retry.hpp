#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"

namespace yyc3::resilience {

struct RetryConfig {
  int attempts_max = 3;            ///< the first one included, 1 or more
  Milliseconds first_delay{100};   ///< doubled for each later attempt
  Milliseconds delay_max{5'000};   ///< no delay is longer
  Milliseconds total_max{30'000};  ///< no attempt begins later than this after the first
};

/// When to try again: exponential back-off with jitter (a random delay between half the step
/// and the step, so that a thousand callers do not come back together). Pure: time and randomness
/// are handed in. Threads: none.
class RetrySchedule {
 public:
  RetrySchedule(RetryConfig config, SteadyTime started);

  /// An attempt has failed at `now`. The delay before the next, or nullopt: give up.
  /// @param random uniform over all 64 bits. @param at_least what the server asked (Retry-After).
  std::optional<Milliseconds> on_failure(SteadyTime now, std::uint64_t random,
                                         Milliseconds at_least = Milliseconds(0));
  [[nodiscard]] int failures() const { return failures_; }

 private:
  RetryConfig config_;
  SteadyTime started_;
  int failures_ = 0;
};

/// Keeps retries from making an outage worse: each first try earns a tenth of a retry, and at most
/// `kSavedMax` are saved up. Shared by all callers of one remote. Threads: none; its owner's.
class RetryBudget {
 public:
  static constexpr int kTenthsPerRetry = 10;
  static constexpr int kSavedMax = 10;

  void on_first_try();
  /// True when a retry may be made; it is then paid for.
  [[nodiscard]] bool take_retry();

 private:
  int tenths_ = kTenthsPerRetry * kSavedMax;
};

}  // namespace yyc3::resilience
