#pragma once

#include "base/clock.hpp"

namespace yyc3::resilience {

struct CircuitBreakerConfig {
  int failures_to_open = 5;       ///< in a row, 1 or more
  int successes_to_close = 2;     ///< in a row while half open, 1 or more
  Milliseconds open_for{30'000};  ///< then one trial at a time
};

/// Stops calling what keeps failing. Count connection errors, time-outs, 5xx and torn streams as
/// failures; never 4xx: one bad client must not cut everybody off.
/// Threads: none; its owner's.
class CircuitBreaker {
 public:
  enum class State { kClosed, kOpen, kHalfOpen };

  explicit CircuitBreaker(const Clock& clock, CircuitBreakerConfig config = {});

  /// May a call be made? True must be followed by exactly one on_success, on_failure or
  /// on_abandoned. Half open, one call at a time is let through.
  [[nodiscard]] bool allow();
  void on_success();
  void on_failure();
  /// The call ended without saying anything about the other side (cancelled, 4xx).
  void on_abandoned();

  [[nodiscard]] State state() const;
  /// Until a trial is allowed; 0 when not open.
  [[nodiscard]] Milliseconds wait() const;

 private:
  void open();

  const Clock& clock_;
  CircuitBreakerConfig config_;
  State state_ = State::kClosed;
  int failures_ = 0;
  int successes_ = 0;
  bool on_trial_ = false;
  SteadyTime opened_{};
};

}  // namespace yyc3::resilience
