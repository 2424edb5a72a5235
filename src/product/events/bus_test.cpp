#include "product/events/bus.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <thread>

#include "product/events/events.hpp"

using namespace yyc3;
using namespace yyc3::events;

TEST_CASE("an event reaches the subscribers of its type, and no others") {
  Bus bus;
  std::vector<std::string> got;
  const auto first =
      bus.subscribe<CallEnded>([&](const CallEnded& e) { got.push_back(e.outcome); });
  const auto second =
      bus.subscribe<CallEnded>([&](const CallEnded& e) { got.push_back(e.outcome + "!"); });
  const auto other = bus.subscribe<PartialHeard>([&](const PartialHeard&) { got.push_back("?"); });
  CallEnded ended;
  ended.outcome = "busy";
  bus.publish(ended);
  CHECK(got == std::vector<std::string>{"busy", "busy!"});
  bus.publish(DoNotCallAdded{});
  CHECK(got.size() == 2);
}

TEST_CASE("a cancelled subscription is not called, and may outlive the bus") {
  Subscription kept;
  int calls = 0;
  {
    Bus bus;
    kept = bus.subscribe<CallEnded>([&](const CallEnded&) { ++calls; });
    bus.publish(CallEnded{});
    CHECK(calls == 1);
    kept.cancel();
    bus.publish(CallEnded{});
    CHECK(calls == 1);
    kept = bus.subscribe<CallEnded>([&](const CallEnded&) { ++calls; });
  }
  kept = Subscription();
}

TEST_CASE("a handler may publish and subscribe") {
  Bus bus;
  int partials = 0;
  std::vector<Subscription> held;
  const auto on_partial = bus.subscribe<PartialHeard>([&](const PartialHeard&) { ++partials; });
  const auto on_end = bus.subscribe<CallEnded>([&](const CallEnded&) {
    held.push_back(bus.subscribe<PartialHeard>([&](const PartialHeard&) { ++partials; }));
    bus.publish(PartialHeard{});
  });
  bus.publish(CallEnded{});
  CHECK(partials == 2);
}

TEST_CASE(
    "after cancel returns the handler's state may be freed, with publishers on other threads") {
  Bus bus;
  std::atomic<bool> stop{false};
  std::atomic<int> sent{0};
  std::thread publisher([&] {
    while (!stop) {
      bus.publish(CallEnded{});
      ++sent;
    }
  });
  std::size_t seen = 0;
  for (int i = 0; i < 200; ++i) {
    auto state = std::make_unique<std::atomic<std::size_t>>(0);
    auto subscription = bus.subscribe<CallEnded>([raw = state.get()](const CallEnded&) { ++*raw; });
    const int from = sent;
    while (sent < from + 2) std::this_thread::yield();  // one whole publish lies in between
    subscription.cancel();
    seen += *state;
    state.reset();  // ASan and TSan speak up if the handler still runs
  }
  stop = true;
  publisher.join();
  CHECK(seen >= 200);
}
