#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace yyc3::resilience {

/// Allows `burst` calls at once and `per_second` calls per second after that.
/// Integer arithmetic: no drift, however long it runs. Threads: none; its owner's.
class TokenBucket {
 public:
  /// @param per_second 1 to 1,000,000; @param burst 1 to 1,000,000. Both asserted.
  TokenBucket(const Clock& clock, std::int64_t per_second, std::int64_t burst);

  /// Takes one token; false when there is none.
  [[nodiscard]] bool take();
  /// Until a token will be there; 0 when one is. For Retry-After.
  [[nodiscard]] Milliseconds wait() const;

 private:
  [[nodiscard]] std::int64_t micro_at(SteadyTime now) const;

  const Clock& clock_;
  std::int64_t per_second_;
  std::int64_t burst_;
  std::int64_t micro_;  // millionths of a token; at most burst × 1,000,000
  SteadyTime last_;
};

}  // namespace yyc3::resilience
