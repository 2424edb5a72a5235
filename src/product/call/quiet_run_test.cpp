#include "product/call/quiet_run.hpp"

#include <doctest/doctest.h>
#include <initializer_list>

using namespace yyc3::call;

namespace {

struct HeardLevels {
  QuietRun quiet;
  SamplePos now = 0;
  void hear(std::initializer_list<float> levels) {
    for (const float level : levels) {
      quiet.on_level(now, now + 160, level);
      now += 160;
    }
  }
};

}  // namespace

TEST_CASE("quiet begins where the voice falls by 35 dB") {
  HeardLevels line;
  line.hear({-18, -18, -18, -18, -50});
  CHECK(line.quiet.now().length() == 0);
  line.hear({-54, -60});
  CHECK(line.quiet.now().from == 5 * 160);
  CHECK(line.quiet.last().length() == 0);  // 40 ms may be the closure of a plosive
  line.hear({-60});
  CHECK(line.quiet.last().from == 5 * 160);
  CHECK(line.quiet.last().to == 8 * 160);
  line.hear({-20});
  CHECK(line.quiet.now().length() == 0);
  CHECK(line.quiet.last().to == 8 * 160);  // it is remembered: probabilities come later
}

TEST_CASE("a click is no loud voice beside which soft speech were quiet") {
  HeardLevels line;
  line.hear({-30, -30, -30, -2, -3, -30, -42, -42, -42, -42, -42});
  CHECK(line.quiet.last().length() == 0);
}

TEST_CASE("beside a voice gone soft, what was quiet is not") {
  HeardLevels line;
  line.hear({-5, -5, -5, -42, -42, -42, -42});
  CHECK(line.quiet.now().length() == 4 * 160);
  for (int i = 0; i < 20; ++i) line.hear({-42});
  CHECK(line.quiet.now().length() == 0);  // 10 dB a second
}

TEST_CASE("silence before any voice is nothing's end") {
  HeardLevels line;
  line.hear({-60, -60, -60, -60, -60});
  CHECK(line.quiet.last().length() == 0);
}
