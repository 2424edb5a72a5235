#include "engine/telephony/sip/agent_loop.hpp"

#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "engine/telephony/sip/message_log.hpp"
#include "engine/telephony/sip/sofia_stack.hpp"

namespace yyc3::sip {

AgentLoop::AgentLoop(SipConfig config, const Clock& clock, telemetry::Log& log, SipAgent::Sink sink,
                     SipAgent::MessageHook hook)
    : config_(std::move(config)),
      clock_(clock),
      log_(log),
      sink_(std::move(sink)),
      hook_(std::move(hook)),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

AgentLoop::~AgentLoop() { close(wake_fd_); }

void AgentLoop::run() {
  MessageLog messages(hook_);
  print_to(&messages);
  run_stack();
  print_to(nullptr);
}

void AgentLoop::run_stack() {
  SofiaStack stack(*this);
  {
    const std::lock_guard hold(lock_);
    phase_ = stack.good() ? Phase::kRunning : Phase::kFailed;
  }
  started_.notify_all();
  if (stack.good()) stack.run();
}

bool AgentLoop::wait_started() {
  std::unique_lock hold(lock_);
  started_.wait(hold, [this] { return phase_ != Phase::kStarting; });
  return phase_ == Phase::kRunning;
}

Result<void> AgentLoop::post(Command command) {
  {
    const std::lock_guard hold(lock_);
    if (phase_ != Phase::kRunning) return fail(ErrorCode::kUnavailable, "SIP is stopped");
    if (commands_.size() >= config_.command_limit)
      return fail(ErrorCode::kBusy, "too many SIP commands wait");
    if (std::holds_alternative<Dial>(command)) {
      if (live_ >= config_.max_calls) return fail(ErrorCode::kBusy, "every SIP dialog is in use");
      ++live_;
    }
    commands_.push_back(std::move(command));
  }
  eventfd_write(wake_fd_, 1);
  return {};
}

void AgentLoop::request_stop() {
  {
    const std::lock_guard hold(lock_);
    if (phase_ == Phase::kRunning) phase_ = Phase::kStopping;
  }
  eventfd_write(wake_fd_, 1);
}

bool AgentLoop::stop_asked() {
  const std::lock_guard hold(lock_);
  return phase_ == Phase::kStopping;
}

std::deque<Command> AgentLoop::take_commands() {
  const std::lock_guard hold(lock_);
  return std::exchange(commands_, {});
}

}  // namespace yyc3::sip
