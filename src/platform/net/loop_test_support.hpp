#pragma once

// For the tests of this room and of rooms above: asking about what lives on a loop.

#include <chrono>
#include <doctest/doctest.h>
#include <functional>
#include <future>
#include <unistd.h>

#include "platform/net/event_loop.hpp"

namespace yyc3::net::testing {

/// Runs `f` on the loop and waits for it.
inline void on_loop(EventLoop& loop, const std::function<void()>& f) {
  std::promise<void> done;
  REQUIRE(loop.post([&] {
    f();
    done.set_value();
  }));
  // far beyond what any step needs, so that none hangs
  REQUIRE(done.get_future().wait_for(std::chrono::seconds{20}) == std::future_status::ready);
}

/// True once `done`, asked on the loop, says so; false after 20 s.
inline bool eventually_on(EventLoop& loop, const std::function<bool()>& done) {
  for (int i = 0; i < 4'000; ++i) {
    bool yes = false;
    on_loop(loop, [&] { yes = done(); });
    if (yes) return true;
    ::usleep(5'000);
  }
  return false;
}

}  // namespace yyc3::net::testing
