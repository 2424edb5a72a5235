#include "language/decode_threads.hpp"

#include <doctest/doctest.h>

namespace yyc3::language {
namespace {

constexpr SteadyTime kBegan{std::chrono::seconds{100}};
constexpr Milliseconds kStep{80};

TEST_CASE("a step that got its processors is followed by one on all of them") {
  DecodeThreads threads(2);
  CHECK(threads.next(kBegan) == 2);
  threads.ran(2, kBegan, kBegan + kStep, kStep * 2);
  CHECK(threads.next(kBegan + kStep) == 2);
  threads.ran(2, kBegan, kBegan + kStep, kStep * 2 - Milliseconds{10});  // the line's own thread
  CHECK(threads.next(kBegan + kStep) == 2);
}

TEST_CASE("somebody else wants a processor: one thread for a while, then all again") {
  DecodeThreads threads(2);
  threads.ran(2, kBegan, kBegan + kStep, kStep * 3 / 2);
  const SteadyTime ended = kBegan + kStep;
  CHECK(threads.next(ended) == 1);
  threads.ran(1, ended, ended + kStep, kStep / 2);  // says nothing of two
  CHECK(threads.next(ended + DecodeThreads::kAlone - Milliseconds{1}) == 1);
  CHECK(threads.next(ended + DecodeThreads::kAlone) == 2);
}

TEST_CASE("of one thread there is never less") {
  DecodeThreads threads(1);
  threads.ran(1, kBegan, kBegan + kStep, kStep / 2);
  CHECK(threads.next(kBegan + kStep) == 1);
}

}  // namespace
}  // namespace yyc3::language
