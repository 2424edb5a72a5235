#include "worker/token_search.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace yyc3::worker {

bool loops(std::span<const int> tokens) {
  constexpr std::size_t kPeriodMax = 24;
  const std::size_t n = tokens.size();
  for (std::size_t period = 1; period <= kPeriodMax; ++period) {
    const std::size_t equal = std::max<std::size_t>(period, 8);
    if (n < period + equal) break;
    const auto end = tokens.last(equal);
    if (std::ranges::equal(end, tokens.subspan(n - equal - period, equal))) return true;
  }
  return false;
}

bool TokenSearch::go_on(Reading& reading, const Network& network, double floor,
                        std::vector<Fork>& forks, int& steps) const {
  while (static_cast<int>(reading.tokens.size()) < config_.tokens_max) {
    if (steps-- <= 0) return false;
    const std::span<const float> log_p = network(reading.tokens);
    if (log_p.empty()) {
      reading.stopped = true;
      return false;
    }
    std::size_t first = 0;
    std::size_t second = 1;
    if (log_p[second] > log_p[first]) std::swap(first, second);
    for (std::size_t i = 2; i < log_p.size(); ++i) {
      if (log_p[i] > log_p[first])
        second = std::exchange(first, i);
      else if (log_p[i] > log_p[second])
        second = i;
    }
    const auto behind = static_cast<double>(log_p[first] - log_p[second]);
    if (behind < config_.torn) {
      Fork fork{reading.tokens, reading.log_p + static_cast<double>(log_p[second]), behind};
      fork.prefix.push_back(static_cast<int>(second));
      forks.push_back(std::move(fork));
    }
    reading.log_p += static_cast<double>(log_p[first]);
    if (static_cast<int>(first) == config_.end) return true;
    reading.tokens.push_back(static_cast<int>(first));
    reading.looped = loops(reading.tokens);
    if (reading.looped) return true;
    if (reading.log_p < floor) return false;
  }
  return true;
}

TokenSearch::Reading TokenSearch::best(const Network& network) const {
  std::vector<Fork> forks;
  Reading best;
  int first = config_.tokens_max;
  go_on(best, network, -std::numeric_limits<double>::infinity(), forks, first);
  int steps = config_.steps_max;
  for (int tried = 0; tried < config_.readings_max && steps > 0 && !best.stopped; ++tried) {
    const auto next = std::ranges::min_element(forks, {}, &Fork::behind);
    if (next == forks.end()) break;
    const Fork fork = std::move(*next);
    forks.erase(next);
    Reading reading;
    reading.tokens = fork.prefix;
    reading.log_p = fork.log_p;
    bool whole = true;
    if (fork.prefix.back() == config_.end)
      reading.tokens.pop_back();
    else
      whole = go_on(reading, network, best.log_p - config_.hopeless, forks, steps);
    if (reading.stopped) break;  // what was found so far stands
    const bool better = best.looped || reading.log_p > best.log_p;
    if (whole && better && !reading.looped) best = std::move(reading);
  }
  return best;
}

}  // namespace yyc3::worker
