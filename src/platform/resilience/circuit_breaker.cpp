#include "platform/resilience/circuit_breaker.hpp"

namespace yyc3::resilience {

CircuitBreaker::CircuitBreaker(const Clock& clock, CircuitBreakerConfig config)
    : clock_(clock), config_(config) {}

bool CircuitBreaker::allow() {
  if (state_ == State::kClosed) return true;
  if (state_ == State::kOpen) {
    if (wait() > Milliseconds(0)) return false;
    state_ = State::kHalfOpen;
    successes_ = 0;
    on_trial_ = false;
  }
  if (on_trial_) return false;
  on_trial_ = true;
  return true;
}

void CircuitBreaker::on_success() {
  on_trial_ = false;
  if (state_ == State::kOpen) return;  // a call that began before it opened: old news
  failures_ = 0;
  if (state_ == State::kHalfOpen && ++successes_ >= config_.successes_to_close)
    state_ = State::kClosed;
}

void CircuitBreaker::on_failure() {
  on_trial_ = false;
  if (state_ == State::kOpen) return;
  if (state_ == State::kHalfOpen || ++failures_ >= config_.failures_to_open) open();
}

void CircuitBreaker::on_abandoned() { on_trial_ = false; }

void CircuitBreaker::open() {
  state_ = State::kOpen;
  failures_ = 0;
  opened_ = clock_.now();
}

CircuitBreaker::State CircuitBreaker::state() const { return state_; }

Milliseconds CircuitBreaker::wait() const {
  if (state_ != State::kOpen) return Milliseconds(0);
  const auto passed = clock_.now() - opened_;
  if (passed >= config_.open_for) return Milliseconds(0);
  return std::chrono::ceil<Milliseconds>(config_.open_for - passed);
}

}  // namespace yyc3::resilience
