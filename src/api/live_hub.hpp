#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/router.hpp"
#include "base/json.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/telemetry/metrics.hpp"
#include "product/call/call_store.hpp"
#include "product/events/bus.hpp"
#include "product/events/events.hpp"

namespace yyc3::api {

/// WebSocket /api/v1/live: every event of the bus to every console that listens; `level` only to
/// those that asked to watch that call, and it is measured only while there is one (CallWatched).
/// Bounds: 64 listeners; each has the socket's queue (256 messages), and one that does not read is
/// dropped with 1013. Threads: handlers of the bus run on the publisher's thread and only post to
/// the hub's loop; everything else lives on that loop. The hub must not outlive its loop.
class LiveHub {
 public:
  LiveHub(net::EventLoop& loop, events::Bus& bus, call::CallStore& store,
          telemetry::Registry& metrics);
  ~LiveHub();
  void add_to(Router& router);

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::vector<events::Subscription> subscriptions_;
};

}  // namespace yyc3::api
