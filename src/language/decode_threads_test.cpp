#include "language/decode_threads.hpp"

#include <doctest/doctest.h>
#include <thread>

#include "language/idle_time.hpp"

namespace yyc3::language {
namespace {

constexpr SteadyTime kBegan{std::chrono::seconds{100}};
constexpr Milliseconds kStep{80};

DecodeThreads::Step step(int threads, SteadyTime began, std::chrono::nanoseconds used) {
  return {threads, began, began + kStep, used, std::nullopt};
}

TEST_CASE("a step that got its processors is followed by one on all of them") {
  DecodeThreads threads(2);
  CHECK(threads.next(kBegan) == 2);
  threads.ran(step(2, kBegan, kStep * 2));
  CHECK(threads.next(kBegan + kStep) == 2);
  threads.ran(step(2, kBegan, kStep * 2 - Milliseconds{10}));  // the line's own thread
  CHECK(threads.next(kBegan + kStep) == 2);
}

TEST_CASE("somebody else wants a processor: one thread for a while, then all again") {
  DecodeThreads threads(2);
  threads.ran(step(2, kBegan, kStep * 3 / 2));
  const SteadyTime ended = kBegan + kStep;
  CHECK(threads.next(ended) == 1);
  threads.ran(step(1, ended, kStep / 2));  // says nothing of two
  CHECK(threads.next(ended + DecodeThreads::kAlone - Milliseconds{1}) == 1);
  CHECK(threads.next(ended + DecodeThreads::kAlone) == 2);
}

TEST_CASE("where idle time is known: one thread until the others have nothing to do") {
  DecodeThreads threads(2);
  auto contended = step(2, kBegan, kStep * 3 / 2);
  contended.idle = Milliseconds{0};
  threads.ran(contended);
  const SteadyTime later = kBegan + DecodeThreads::kAlone;
  CHECK(threads.next(later) == 1);
  auto alone = step(1, later, kStep);
  alone.idle = kStep / 2;  // somebody still needs half of it
  threads.ran(alone);
  CHECK(threads.next(later + DecodeThreads::kAlone) == 1);
  alone.idle = kStep * 3 / 4;
  threads.ran(alone);
  CHECK(threads.next(later + kStep) == 2);
  threads.ran(contended);
  CHECK(threads.next(kBegan + 2 * kStep + DecodeThreads::kAlone) == 2);  // long ago
}

TEST_CASE("of one thread there is never less") {
  DecodeThreads threads(1);
  threads.ran(step(1, kBegan, kStep / 2));
  CHECK(threads.next(kBegan + kStep) == 1);
}

TEST_CASE("the machine's idle time is read, and never runs back") {
  const IdleTime idle;
  const auto first = idle.read();
  REQUIRE(first);
  CHECK(first->count() > 0);
  std::this_thread::sleep_for(Milliseconds{30});
  CHECK(idle.read() >= first);
}

}  // namespace
}  // namespace yyc3::language
