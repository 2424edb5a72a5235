#include <doctest/doctest.h>

#include "platform/resilience/circuit_breaker.hpp"
#include "platform/resilience/retry.hpp"
#include "platform/resilience/token_bucket.hpp"

using namespace std::chrono_literals;
using namespace yyc3;
using namespace yyc3::resilience;

TEST_CASE("token bucket spends its burst, then refills with time") {
  ManualClock clock;
  TokenBucket calls(clock, /*per_second=*/2, /*burst=*/1);
  CHECK(calls.wait() == 0ms);
  CHECK(calls.take());
  CHECK_FALSE(calls.take());
  CHECK(calls.wait() == 500ms);
  clock.advance(499ms);
  CHECK_FALSE(calls.take());
  CHECK(calls.wait() == 1ms);
  clock.advance(1ms);  // 500 ms at 2 per second is exactly one call
  CHECK(calls.take());
}

TEST_CASE("a bucket left alone for years is full, not overflown") {
  ManualClock clock;
  TokenBucket calls(clock, 1'000'000, 3);
  clock.advance(std::chrono::hours(24 * 365 * 50));
  for (int i = 0; i < 3; ++i) CHECK(calls.take());
  CHECK_FALSE(calls.take());
}

TEST_CASE("breaker: five failures in a row open it; two trials that succeed close it") {
  ManualClock clock;
  CircuitBreaker breaker(clock);
  const auto call = [&](bool ok) {
    REQUIRE(breaker.allow());
    ok ? breaker.on_success() : breaker.on_failure();
  };
  for (int i = 0; i < 4; ++i) call(false);
  call(true);  // the row is broken
  for (int i = 0; i < 4; ++i) call(false);
  CHECK(breaker.state() == CircuitBreaker::State::kClosed);
  call(false);
  CHECK(breaker.state() == CircuitBreaker::State::kOpen);
  CHECK_FALSE(breaker.allow());
  CHECK(breaker.wait() == 30s);
  clock.advance(29'999ms);
  CHECK_FALSE(breaker.allow());
  clock.advance(1ms);
  CHECK(breaker.allow());
  CHECK(breaker.state() == CircuitBreaker::State::kHalfOpen);
  CHECK_FALSE(breaker.allow());  // one trial at a time
  breaker.on_success();
  CHECK(breaker.state() == CircuitBreaker::State::kHalfOpen);
  call(true);
  CHECK(breaker.state() == CircuitBreaker::State::kClosed);
}

TEST_CASE("breaker: a trial that fails opens it again; one abandoned decides nothing") {
  ManualClock clock;
  CircuitBreaker breaker(clock);
  for (int i = 0; i < 5; ++i) {
    REQUIRE(breaker.allow());
    breaker.on_failure();
  }
  breaker.on_success();  // late news of a call begun before
  CHECK(breaker.state() == CircuitBreaker::State::kOpen);
  clock.advance(30s);
  REQUIRE(breaker.allow());
  breaker.on_abandoned();
  REQUIRE(breaker.allow());
  breaker.on_failure();
  CHECK(breaker.state() == CircuitBreaker::State::kOpen);
  CHECK(breaker.wait() == 30s);
}

TEST_CASE("retry: attempts, total time and the server's wish are kept") {
  const SteadyTime start{};
  RetrySchedule retry({}, start);
  CHECK(retry.on_failure(start, 0) == 100ms);
  CHECK(retry.on_failure(start, 0) == 200ms);
  CHECK_FALSE(retry.on_failure(start, 0));
  RetrySchedule late({}, start);
  CHECK_FALSE(late.on_failure(start + 29'950ms, 0));
  RetrySchedule asked({}, start);
  CHECK(asked.on_failure(start, 0, 7s) == 7s);
  RetrySchedule asked_too_much({}, start);
  CHECK_FALSE(asked_too_much.on_failure(start, 0, 31s));
}

TEST_CASE("retry budget: a tenth of the first tries, with a little saved up") {
  RetryBudget budget;
  int retries = 0;
  for (int i = 0; i < 1000; ++i) {
    budget.on_first_try();
    retries += budget.take_retry() ? 1 : 0;
  }
  CHECK(retries >= 100);
  CHECK(retries <= 100 + RetryBudget::kSavedMax);
}
