#include "platform/process/restart_policy.hpp"

#include <algorithm>

namespace yyc3::process {

RestartPolicy::Decision RestartPolicy::on_death(SteadyTime now) {
  deaths_.push_back(now);
  while (now - deaths_.front() > config_.window) deaths_.pop_front();
  while (deaths_.size() > static_cast<std::size_t>(std::max(config_.deaths_max, 1)))
    deaths_.pop_front();
  Decision decision;
  decision.degraded = deaths_.size() >= static_cast<std::size_t>(config_.deaths_max);
  decision.delay = std::min(config_.delay_first, config_.delay_max);
  for (std::size_t i = 1; i < deaths_.size() && decision.delay < config_.delay_max; ++i)
    decision.delay = std::min(decision.delay * 2, config_.delay_max);
  if (decision.degraded) decision.delay = config_.delay_max;
  return decision;
}

}  // namespace yyc3::process
