#include "product/call/caller_level.hpp"

#include <doctest/doctest.h>

using namespace yyc3::call;

namespace {

struct Line {
  CallerLevel level;
  SamplePos now = 0;
  SamplePos sound(int frames, float dbov) {
    const SamplePos from = now;
    for (int i = 0; i < frames; ++i, now += 160) level.on_level(now, now + 160, dbov);
    return from;
  }
  void learn(float dbov) {
    const SamplePos from = say(dbov);
    level.learn(from, now);
  }
  /// Half a second at `dbov`, then half a second of silence.
  SamplePos say(float dbov) {
    const SamplePos from = sound(25, dbov);
    sound(25, -70);
    return from;
  }
};

}  // namespace

TEST_CASE("who is far softer than the caller is in the background") {
  Line line{CallerLevel(7)};
  CHECK_FALSE(line.level.background(line.say(-60)));  // nothing is known yet
  const SamplePos from = line.say(-18);
  line.level.learn(from, line.now);
  CHECK(line.level.background(line.say(-28)));
  CHECK_FALSE(line.level.background(line.say(-24)));
  CHECK_FALSE(line.level.background(from));  // of all since then the loudest counts
  const SamplePos rising = line.sound(5, -40);
  CHECK(line.level.background(rising));
  line.sound(5, -20);
  CHECK_FALSE(line.level.background(rising));
}

TEST_CASE("a caller who speaks more softly from now on is the caller soon") {
  Line line{CallerLevel(7)};
  line.learn(-18);
  CHECK(line.level.background(line.say(-30)));
  for (int i = 0; i < 3; ++i) line.learn(-30);
  CHECK_FALSE(line.level.background(line.say(-30)));
}

TEST_CASE("without a limit nobody is in the background, and what is forgotten is not") {
  Line line{CallerLevel(0)};
  line.learn(-18);
  CHECK_FALSE(line.level.background(line.say(-40)));
  Line kept{CallerLevel(7)};
  const SamplePos from = kept.say(-18);
  kept.sound(1'100, -70);  // 22 s
  kept.level.learn(from, from + 4'000);
  CHECK_FALSE(kept.level.background(kept.say(-40)));  // nothing was learnt
}
