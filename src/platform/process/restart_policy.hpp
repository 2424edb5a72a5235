#pragma once

#include <deque>

#include "base/clock.hpp"

namespace yyc3::process {

struct RestartConfig {
  Milliseconds delay_first{200};  ///< doubled for each further death inside `window`
  Milliseconds delay_max{10'000};
  int deaths_max = 5;  ///< so many inside `window`: degraded, from then on `delay_max`
  Milliseconds window{60'000};
};

/// When a dead child is started again. Pure: time is handed in. Threads: none.
class RestartPolicy {
 public:
  struct Decision {
    Milliseconds delay{0};
    bool degraded = false;
  };

  explicit RestartPolicy(RestartConfig config) : config_(config) {}
  Decision on_death(SteadyTime now);

 private:
  RestartConfig config_;
  std::deque<SteadyTime> deaths_;  // inside the window; at most deaths_max
};

}  // namespace yyc3::process
