#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "platform/resilience/circuit_breaker.hpp"
#include "platform/resilience/retry.hpp"
#include "platform/resilience/token_bucket.hpp"

using namespace yyc3;
using namespace yyc3::resilience;

// RC_PARAMS="seed=..." replays a failure.
TEST_CASE("token bucket never gives more than burst + rate × time, nor less when asked often") {
  CHECK(rc::check("bounds", [] {
    const auto rate = *rc::gen::inRange<std::int64_t>(1, 2000);
    const auto burst = *rc::gen::inRange<std::int64_t>(1, 50);
    const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 400));
    ManualClock clock;
    TokenBucket bucket(clock, rate, burst);
    std::int64_t given = 0;
    std::int64_t elapsed_ms = 0;
    for (const int step : steps) {
      clock.advance(Milliseconds(step));
      elapsed_ms += step;
      while (bucket.take()) ++given;
      RC_ASSERT(bucket.wait() > Milliseconds(0));
      RC_ASSERT(given <= burst + elapsed_ms * rate / 1000);
    }
    clock.advance(bucket.wait());
    RC_ASSERT(bucket.take());  // wait() told the truth
  }));
}

TEST_CASE("retry delays stay within their bounds for any randomness") {
  CHECK(rc::check("bounds", [](std::uint64_t random) {
    RetryConfig config;
    config.attempts_max = *rc::gen::inRange(1, 30);
    config.first_delay = Milliseconds(*rc::gen::inRange(0, 1000));
    config.delay_max = Milliseconds(*rc::gen::inRange(0, 5000));
    RetrySchedule retry(config, SteadyTime{});
    SteadyTime now{};
    int attempts = 1;
    while (const auto delay = retry.on_failure(now, random)) {
      RC_ASSERT(*delay >= Milliseconds(0));
      RC_ASSERT(*delay <= config.delay_max);
      now += *delay;
      RC_ASSERT(now - SteadyTime{} <= config.total_max);
      ++attempts;
    }
    RC_ASSERT(attempts <= config.attempts_max);
  }));
}

TEST_CASE("an open breaker always lets a trial through in the end, and never two") {
  CHECK(rc::check("progress", [](std::vector<std::uint8_t> events) {
    ManualClock clock;
    CircuitBreaker breaker(clock);
    for (const std::uint8_t event : events) {
      clock.advance(Milliseconds(event * 200));
      if (!breaker.allow()) continue;
      if (breaker.state() == CircuitBreaker::State::kHalfOpen) RC_ASSERT(!breaker.allow());
      if (event % 3 == 0) breaker.on_success();
      if (event % 3 == 1) breaker.on_failure();
      if (event % 3 == 2) breaker.on_abandoned();
    }
    clock.advance(breaker.wait());
    RC_ASSERT(breaker.allow());
  }));
}
