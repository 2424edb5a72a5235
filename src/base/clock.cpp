#include "base/clock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace yyc3 {

SteadyTime SystemClock::now() const { return std::chrono::steady_clock::now(); }

UtcTime SystemClock::utc() const {
  return std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
}

std::string to_rfc3339(UtcTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto millis = (time - seconds).count();
  const std::time_t whole = std::chrono::system_clock::to_time_t(seconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(whole), millis);
}

}  // namespace yyc3
