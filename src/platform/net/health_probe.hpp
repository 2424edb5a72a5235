#pragma once

#include <functional>
#include <memory>

#include "platform/net/event_loop.hpp"
#include "platform/net/http_client.hpp"

namespace yyc3::net {

struct HealthProbeConfig {
  Milliseconds every{200};
  /// Two probes in a row unanswered for so long each, or answered 503 (the process says of itself
  /// that it is stuck): it hangs.
  Milliseconds timeout{500};
  std::function<void(bool up)> on_change = {};  ///< the first time when it is up
  std::function<void()> on_hang = {};           ///< to be killed
};

/// Asks a process of ours for `GET /healthz` for as long as it lives. One that is not there is
/// being restarted; one that accepts and never answers hangs.
/// Threads: the loop given; callbacks on it.
class HealthProbe {
 public:
  HealthProbe(EventLoop& loop, Endpoint endpoint, HealthProbeConfig config);
  ~HealthProbe();
  HealthProbe(const HealthProbe&) = delete;
  HealthProbe& operator=(const HealthProbe&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace yyc3::net
