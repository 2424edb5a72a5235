#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.hpp"
#include "base/clock.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/net/http_client.hpp"
#include "platform/telemetry/log.hpp"
#include "product/call/call_service.hpp"
#include "product/events/bus.hpp"

namespace yyc3::app {

/// How many texts our voice renders ahead at once: one a core, two at most.
std::size_t texts_at_once();

/// The model workers of this program: started, watched and restarted here. An engine named by a URL
/// in the configuration is somebody else's and is not started.
/// Threads: start and stop from one; the rest from any.
class Workers {
 public:
  Workers();
  ~Workers();

  /// @param only the one role that is needed, "hear", "speak" or "language"; empty: all. A language
  /// worker without its model or program, or on a machine of less than 4 GB, is left out.
  /// Errors: kNotFound the worker program is not there; kUnavailable no folder for its sockets;
  /// kInvalid a URL of the configuration.
  Result<void> start(const Config& config, telemetry::Log& log, const Clock& clock,
                     events::Bus& bus, std::string_view only = {});
  void stop();
  /// A worker that hangs: killed, and started again by the supervisor.
  void kill(std::string_view name);

  [[nodiscard]] const net::Endpoint& hear_endpoint() const;
  [[nodiscard]] const net::Endpoint& speak_endpoint() const;
  /// nullopt: there is no language model.
  [[nodiscard]] const std::optional<net::Endpoint>& language_endpoint() const;
  /// "hear", "speak" and where there is one "language": starting, up, down, degraded.
  [[nodiscard]] std::vector<call::EngineStatus> status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace yyc3::app
