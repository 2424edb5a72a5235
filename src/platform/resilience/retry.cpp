#include "platform/resilience/retry.hpp"

#include <algorithm>

namespace yyc3::resilience {

RetrySchedule::RetrySchedule(RetryConfig config, SteadyTime started)
    : config_(config), started_(started) {}

std::optional<Milliseconds> RetrySchedule::on_failure(SteadyTime now, std::uint64_t random,
                                                      Milliseconds at_least) {
  if (++failures_ >= config_.attempts_max) return std::nullopt;
  Milliseconds step = std::min(config_.first_delay, config_.delay_max);
  for (int i = 1; i < failures_ && step < config_.delay_max; ++i)
    step = std::min(step * 2, config_.delay_max);
  const auto half = static_cast<std::uint64_t>(step.count() / 2);
  const Milliseconds jitter(static_cast<std::int64_t>(random % (half + 1)));
  const Milliseconds delay = std::max(step - jitter, at_least);
  if (now - started_ + delay > config_.total_max) return std::nullopt;
  return delay;
}

void RetryBudget::on_first_try() { tenths_ = std::min(tenths_ + 1, kTenthsPerRetry * kSavedMax); }

bool RetryBudget::take_retry() {
  if (tenths_ < kTenthsPerRetry) return false;
  tenths_ -= kTenthsPerRetry;
  return true;
}

}  // namespace yyc3::resilience
