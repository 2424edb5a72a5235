#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <unistd.h>

#include "app/commands/stop_signals.hpp"
#include "app/config.hpp"
#include "app/workers.hpp"
#include "base/clock.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"
#include "product/events/bus.hpp"

namespace yyc3::app {

/// One of the product's own workers, without a store, a line or a web server. SIGINT and SIGTERM
/// stop the worker, remove its folder and end the program, whatever it waits for.
struct LocalWorker {
  StopSignals signals;  // before any thread is
  SystemClock clock;
  telemetry::Log log{clock};
  telemetry::Registry registry;
  events::Bus bus;
  Workers workers;
  net::EventLoop loop{"worker", log};

  Result<void> start(const Config& config, std::string_view role) {
    auto started = workers.start(config, log, clock, bus, role);
    loop.spawn(end_on_signal(), "stop signals");
    return started;
  }
  ~LocalWorker() {
    loop.stop();
    loop.join();
    workers.stop();
  }
  /// False when `name` is not up within a minute.
  [[nodiscard]] bool wait_for(const std::string& name) const {
    for (int i = 0; i < 600; ++i) {
      for (const auto& engine : workers.status())
        if (engine.name == name && engine.state == "up") return true;
      usleep(100'000);
    }
    return false;
  }

 private:
  net::Task<void> end_on_signal() {
    int signal = 0;
    while ((signal = signals.within(Milliseconds(0))) == 0)
      co_await net::sleep_for(Milliseconds(100));
    workers.stop();
    std::_Exit(128 + signal);
  }
};

}  // namespace yyc3::app
