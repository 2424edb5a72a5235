#pragma once

#include <chrono>
#include <string>

namespace yyc3 {

using Milliseconds = std::chrono::milliseconds;
using Microseconds = std::chrono::microseconds;
using SteadyTime = std::chrono::steady_clock::time_point;
/// UTC, milliseconds since 1970: what is stored and shown.
using UtcTime = std::chrono::time_point<std::chrono::system_clock, Milliseconds>;

/// The only source of time in the code base; `std::chrono::*_clock::now()` is banned elsewhere.
/// Threads: implementations may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Monotonic: for delays, deadlines and pacing. Never moves with the wall clock.
  [[nodiscard]] virtual SteadyTime now() const = 0;
  /// Wall clock: for rows, ids and logs. May step; never subtract two of them for a delay.
  [[nodiscard]] virtual UtcTime utc() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime now() const override;
  [[nodiscard]] UtcTime utc() const override;
};

/// Time for tests: stands still until told to move, so a 30 s call runs in microseconds.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime now() const override { return now_; }
  [[nodiscard]] UtcTime utc() const override { return utc_; }
  void advance(Milliseconds step) {
    now_ += step;
    utc_ += step;
  }

 private:
  SteadyTime now_{};
  UtcTime utc_{std::chrono::seconds{1'800'000'000}};  // 2027-01-15T08:00:00Z
};

/// RFC 3339 with milliseconds and 'Z', e.g. 2027-01-15T08:00:00.000Z.
std::string to_rfc3339(UtcTime time);

}  // namespace yyc3
