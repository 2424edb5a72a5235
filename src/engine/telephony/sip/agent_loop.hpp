#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "engine/telephony/sip/sip_agent.hpp"

namespace yyc3::sip {

struct Dial {
  DialRequest request;
};
struct HangUp {
  CallId call;
  HangUpReason reason;
};
struct Reoffer {
  CallId call;
  bool hold;
};
struct Orphan {
  CallId call;
  DialogState dialog;
  std::optional<Trunk> trunk;
};
using Command = std::variant<Dial, HangUp, Reoffer, Orphan>;

class SofiaStack;

/// The signalling thread: commands in, Sofia's loop, events out. Used by SipAgent alone.
/// Threads: run() is the thread; post, request_stop, live_calls, wait_started any.
class AgentLoop {
 public:
  AgentLoop(SipConfig config, const Clock& clock, telemetry::Log& log, SipAgent::Sink sink,
            SipAgent::MessageHook hook);
  ~AgentLoop();
  AgentLoop(const AgentLoop&) = delete;
  AgentLoop& operator=(const AgentLoop&) = delete;

  void run();
  bool wait_started();
  Result<void> post(Command command);
  void request_stop();
  [[nodiscard]] std::size_t live_calls() const { return live_.load(); }
  [[nodiscard]] const SipConfig& config() const { return config_; }

 private:
  friend class SofiaStack;
  void run_stack();
  std::deque<Command> take_commands();
  bool stop_asked();

  SipConfig config_;
  const Clock& clock_;
  telemetry::Log& log_;
  SipAgent::Sink sink_;
  SipAgent::MessageHook hook_;
  int wake_fd_;
  std::atomic<std::size_t> live_{0};  ///< accepted by post() or known to the stack

  std::mutex lock_;  // between callers and the thread; held for a push or a swap
  std::condition_variable started_;
  std::deque<Command> commands_;
  enum class Phase { kStarting, kRunning, kFailed, kStopping } phase_ = Phase::kStarting;
};

}  // namespace yyc3::sip
