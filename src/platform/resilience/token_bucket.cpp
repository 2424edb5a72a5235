#include "platform/resilience/token_bucket.hpp"

#include <algorithm>
#include <cassert>

namespace yyc3::resilience {

namespace {
constexpr std::int64_t kToken = 1'000'000;
}

TokenBucket::TokenBucket(const Clock& clock, std::int64_t per_second, std::int64_t burst)
    : clock_(clock),
      per_second_(per_second),
      burst_(burst),
      micro_(burst * kToken),
      last_(clock.now()) {
  assert(per_second >= 1 && per_second <= kToken && burst >= 1 && burst <= kToken);
}

/// A microsecond at n tokens a second is n millionths of a token: exact.
std::int64_t TokenBucket::micro_at(SteadyTime now) const {
  const auto waited = std::chrono::duration_cast<Microseconds>(now - last_).count();
  const std::int64_t missing = burst_ * kToken - micro_;
  const std::int64_t enough = missing / per_second_ + 1;  // beyond it the product could overflow
  if (waited >= enough) return burst_ * kToken;
  return micro_ + std::max<std::int64_t>(waited, 0) * per_second_;
}

bool TokenBucket::take() {
  const SteadyTime now = clock_.now();
  const auto whole = std::chrono::duration_cast<Microseconds>(now - last_);
  micro_ = std::min(micro_at(now), burst_ * kToken);
  last_ += whole;  // the rest of a microsecond is kept for the next time
  if (micro_ < kToken) return false;
  micro_ -= kToken;
  return true;
}

Milliseconds TokenBucket::wait() const {
  const std::int64_t missing = kToken - micro_at(clock_.now());
  if (missing <= 0) return Milliseconds(0);
  const std::int64_t microseconds = (missing + per_second_ - 1) / per_second_;
  return Milliseconds((microseconds + 999) / 1000);
}

}  // namespace yyc3::resilience
