#include "platform/net/event_loop.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>

#include <boost/system/system_error.hpp>

#include "platform/net/mailbox.hpp"
#include "platform/net/net_test_support.hpp"

using namespace yyc3;
using namespace yyc3::net;
using namespace yyc3::net::testing;

namespace {

Task<int> after(Milliseconds delay, int value) {
  co_await sleep_for(delay);
  co_return value;
}

Task<Result<int>> refuses() { co_return fail(ErrorCode::kBusy, "busy"); }

Task<int> throws_late() {
  co_await sleep_for(1ms);
  throw std::runtime_error("late");
}

/// Counts how it ended: 1 normally, 2 by cancellation.
Task<void> long_sleep(std::atomic<int>& ended) {
  try {
    co_await sleep_for(1h);
    ended = 1;
  } catch (const boost::system::system_error&) {
    ended = 2;
    throw;
  }
}

Task<int> sum_of(Mailbox<int> mailbox) {
  int sum = 0;
  while (true) {
    const auto next = co_await mailbox.pop();
    if (!next) co_return sum;
    sum += *next;
  }
}

}  // namespace

TEST_CASE("posted functions run on the loop's thread, in order; one that throws does no harm") {
  telemetry::NullLog log;
  EventLoop loop("test", log);
  std::vector<int> seen;
  std::promise<bool> done;
  CHECK(loop.post([&] { seen.push_back(1); }));
  CHECK(loop.post([] { throw std::runtime_error("a bug"); }));
  CHECK(loop.post([&] { seen.push_back(2); }));
  CHECK(loop.post([&] { done.set_value(loop.on_thread()); }));
  CHECK(done.get_future().get());
  CHECK_FALSE(loop.on_thread());
  CHECK(seen == std::vector<int>{1, 2});
}

TEST_CASE("the post queue is bounded and counts what it refuses") {
  telemetry::NullLog log;
  EventLoop loop("test", log, 2);
  std::promise<void> gate;
  std::promise<void> busy;
  loop.post([&] {
    busy.set_value();
    gate.get_future().wait();
  });
  busy.get_future().wait();
  std::atomic<int> ran{0};
  CHECK(loop.post([&] { ++ran; }));
  CHECK(loop.post([&] { ++ran; }));
  CHECK_FALSE(loop.post([&] { ++ran; }));
  CHECK(loop.posts_waiting() == 2);
  CHECK(loop.posts_refused() == 1);
  gate.set_value();
  CHECK(eventually([&] { return ran == 2; }));
  loop.stop();
  loop.join();
  CHECK_FALSE(loop.post([&] { ++ran; }));
}

TEST_CASE("with_deadline gives the value in time, kTimeout late, and passes errors through") {
  telemetry::NullLog log;
  EventLoop loop("test", log);
  CHECK(run_on(loop, with_deadline(after(1ms, 7), 10s)).value() == 7);
  const Result<int> late = run_on(loop, with_deadline(after(1h, 7), 5ms));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::kTimeout);
  CHECK(run_on(loop, with_deadline(refuses(), 10s)).error().code == ErrorCode::kBusy);
  CHECK_THROWS_AS((void)run_on(loop, with_deadline(throws_late(), 10s)), std::runtime_error);
  std::atomic<int> ended{0};
  CHECK_FALSE(run_on(loop, with_deadline(long_sleep(ended), 5ms)));
  CHECK(ended == 2);
}

TEST_CASE("a spawned task can be cancelled from any thread, and cancelling twice is harmless") {
  telemetry::NullLog log;
  EventLoop loop("test", log);
  std::atomic<int> ended{0};
  const Spawned task = loop.spawn(long_sleep(ended), "sleeper");
  CHECK_FALSE(task.done());
  task.cancel();
  task.cancel();
  CHECK(eventually([&] { return task.done(); }));
  CHECK(ended == 2);
  task.cancel();
  CHECK(Spawned().done());
}

TEST_CASE("await_callback resumes on the loop, whichever thread answers") {
  telemetry::NullLog log;
  EventLoop loop("test", log);
  std::thread answering;
  const std::function<void(std::function<void(int)>)> start = [&](std::function<void(int)> done) {
    answering = std::thread([done = std::move(done)] { done(42); });
  };
  bool on_loop = false;
  auto work = [](EventLoop& on, std::function<void(std::function<void(int)>)> begin,
                 bool& where) -> Task<int> {
    const int value = co_await await_callback<int>(std::move(begin));
    where = on.on_thread();
    co_return value;
  };
  CHECK(run_on(loop, work(loop, start, on_loop)) == 42);
  CHECK(on_loop);
  answering.join();
}

TEST_CASE("a wait that is cancelled does not need its callback, which may still come") {
  telemetry::NullLog log;
  std::function<void(int)> kept;
  const std::function<void(std::function<void(int)>)> start = [&](std::function<void(int)> done) {
    kept = std::move(done);
  };
  {
    EventLoop loop("test", log);
    const auto late = run_on(loop, with_deadline(await_callback<int>(start), 5ms));
    REQUIRE_FALSE(late);
    CHECK(late.error().code == ErrorCode::kTimeout);
    kept(1);
    loop.spawn([](auto begin) -> Task<void> { co_await await_callback<int>(begin); }(start),
               "wait");
    run_on(loop, sleep_for(1ms));
  }
  kept(2);  // the loop is gone, and the coroutine that waited with it
}

TEST_CASE("a mailbox carries every message of several threads, is bounded, and can be closed") {
  telemetry::NullLog log;
  EventLoop loop("test", log);
  Mailbox<int> small(loop.executor(), 2);
  CHECK(small.push(1));
  CHECK(small.push(2));
  CHECK_FALSE(small.push(3));
  small.close();
  CHECK_FALSE(small.push(4));
  CHECK(run_on(loop, sum_of(small)) == 3);

  Mailbox<int> mailbox(loop.executor(), 10'000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) CHECK(mailbox.push(1));
    });
  }
  std::thread closer([&] {
    for (auto& thread : threads) thread.join();
    mailbox.close();
  });
  CHECK(run_on(loop, sum_of(mailbox)) == 3000);
  closer.join();
}
