#include "product/call/turn_taking.hpp"

#include <doctest/doctest.h>

using namespace yyc3;
using namespace yyc3::call;
using namespace std::chrono_literals;

namespace {

/// Plays a script of speech and silence into the machine in 32 ms frames and keeps what it asked
/// for.
struct Bench {
  TurnConfig config;
  Completeness judged = Completeness::kComplete;
  bool interrupts = true;
  TurnTaking turns{config, [this](const std::string&) { return judged; },
                   [this](const std::string&, double) { return interrupts; }};
  SamplePos now = 0;
  TurnActions seen;

  void take(TurnActions actions) {
    for (auto& action : actions) seen.push_back(std::move(action));
  }
  void frames(Milliseconds time, double probability) {
    for (SamplePos i = 0; i < static_cast<SamplePos>(time.count()) / 32; ++i) {
      now += 256;
      take(turns.on_speech(now, probability));
      take(turns.on_clock(now));
    }
  }
  void say(Milliseconds time) { frames(time, 0.95); }
  void quiet(Milliseconds time) { frames(time, 0.02); }
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& action : seen)
      if (const T* one = std::get_if<T>(&action)) found.push_back(*one);
    return found;
  }
  void answer(const char* text) {
    REQUIRE_FALSE(all<StartDecode>().empty());
    take(turns.on_text(all<StartDecode>().back().job, text, 0.9, 400ms));
  }
  Milliseconds since_speech(const TurnEnded& end) const {
    return Milliseconds{(end.decided_at - end.speech_to) / kSamplesPerMs};
  }
};

}  // namespace

TEST_CASE("decoding starts within the first 200 ms of silence and covers the utterance") {
  Bench b;
  b.quiet(500ms);
  b.say(960ms);
  b.quiet(192ms);
  const auto decodes = b.all<StartDecode>();
  REQUIRE(decodes.size() == 1);
  CHECK(decodes[0].from <= 480 * kSamplesPerMs - 240 * kSamplesPerMs);
  CHECK(decodes[0].to >= b.now - 192 * kSamplesPerMs);
  CHECK_FALSE(decodes[0].barge_in);
}

TEST_CASE("patience follows how finished the words sound") {
  struct Case {
    Completeness judged;
    Milliseconds at_least, at_most;
  };
  const Case cases[] = {{Completeness::kSatisfied, 300ms, 340ms},
                        {Completeness::kComplete, 800ms, 840ms},
                        {Completeness::kUnclear, 950ms, 990ms},
                        {Completeness::kUnfinished, 1050ms, 1090ms}};
  for (const auto& c : cases) {
    CAPTURE(name_of(c.judged));
    Bench b;
    b.judged = c.judged;
    b.say(640ms);
    b.quiet(256ms);
    b.answer("确认");
    b.quiet(2000ms);
    const auto ends = b.all<TurnEnded>();
    REQUIRE(ends.size() == 1);
    CHECK(b.since_speech(ends[0]) >= c.at_least);
    CHECK(b.since_speech(ends[0]) <= c.at_most);
  }
}

TEST_CASE("frames that lag behind the clock are speech all the same") {
  Bench b;
  for (int i = 1; i <= 40; ++i) {
    b.now += 256;
    b.take(b.turns.on_clock(b.now + 80 * kSamplesPerMs));
    b.take(b.turns.on_speech(b.now, i <= 20 ? 0.9 : 0.05));
  }
  REQUIRE(b.all<StartDecode>().size() == 1);
  CHECK(b.all<CancelDecode>().empty());
}

TEST_CASE("a late result ends the turn at once when patience is already over") {
  Bench b;
  b.say(640ms);
  b.quiet(960ms);
  CHECK(b.all<TurnEnded>().empty());
  b.answer("我想改时间");
  REQUIRE(b.all<TurnEnded>().size() == 1);
  CHECK(b.all<TurnEnded>()[0].text == "我想改时间");
}

TEST_CASE("a pause inside a sentence cancels the speculation and keeps one utterance") {
  Bench b;
  b.say(640ms);
  b.quiet(384ms);
  b.say(640ms);
  CHECK(b.all<CancelDecode>().size() == 1);
  b.quiet(256ms);
  b.answer("我想改到，明天下午");
  b.quiet(1000ms);
  const auto ends = b.all<TurnEnded>();
  REQUIRE(ends.size() == 1);
  CHECK(b.all<StartDecode>()[1].from == b.all<StartDecode>()[0].from);
}

TEST_CASE("a result of a cancelled decode is ignored") {
  Bench b;
  b.say(640ms);
  b.quiet(256ms);
  const auto first = b.all<StartDecode>()[0].job;
  b.say(320ms);
  b.take(b.turns.on_text(first, "旧", 0.9, 400ms));
  b.quiet(2000ms);
  CHECK(b.all<TurnEnded>().empty());  // the second decode has not answered
}

TEST_CASE("speech over the bot pauses it within 300 ms, words stop it, and the turn follows") {
  Bench b;
  b.take(b.turns.on_bot_speaking(0, true, true));
  b.quiet(320ms);
  const SamplePos onset = b.now;
  b.say(288ms);
  REQUIRE(b.all<PauseBot>().size() == 1);
  CHECK(b.all<PauseBot>()[0].speech_from == onset);
  b.say(320ms);
  b.quiet(256ms);
  b.answer("等一下我有问题");
  CHECK(b.all<StopBot>().size() == 1);
  b.take(b.turns.on_bot_speaking(b.now, false, true));
  b.quiet(1000ms);
  CHECK(b.all<TurnEnded>().size() == 1);
}

TEST_CASE("a back-channel pauses the bot but does not stop it, and is no turn") {
  Bench b;
  b.interrupts = false;
  b.take(b.turns.on_bot_speaking(0, true, true));
  b.quiet(320ms);
  b.say(320ms);
  b.quiet(256ms);
  b.answer("嗯");
  b.quiet(1500ms);
  CHECK(b.all<PauseBot>().size() == 1);
  CHECK(b.all<ResumeBot>().size() == 1);
  CHECK(b.all<StopBot>().empty());
  CHECK(b.all<TurnEnded>().empty());
}

TEST_CASE("talking on over the bot stops it without waiting for words") {
  Bench b;
  b.interrupts = false;
  b.take(b.turns.on_bot_speaking(0, true, true));
  b.say(1400ms);
  CHECK(b.all<StopBot>().size() == 1);
}

TEST_CASE("a node that may not be interrupted is not") {
  Bench b;
  b.take(b.turns.on_bot_speaking(0, true, false));
  b.say(1400ms);
  CHECK(b.all<PauseBot>().empty());
  CHECK(b.all<StopBot>().empty());
}

TEST_CASE("a click opens nothing") {
  Bench b;
  b.quiet(320ms);
  b.say(64ms);
  b.quiet(2000ms);
  CHECK(b.all<StartDecode>().empty());
}

TEST_CASE("a noise without words is no turn") {
  Bench b;
  b.say(320ms);
  b.quiet(256ms);
  b.answer("");
  b.quiet(2000ms);
  CHECK(b.all<TurnEnded>().empty());
}

TEST_CASE("a failed recogniser ends the turn as failed, so that the keypad can be offered") {
  Bench b;
  b.say(640ms);
  b.quiet(256ms);
  b.take(b.turns.on_decode_failed(b.all<StartDecode>().back().job));
  b.quiet(1000ms);
  REQUIRE(b.all<TurnEnded>().size() == 1);
  CHECK(b.all<TurnEnded>()[0].failed);
}

TEST_CASE("silence after the question is told once, and again only after the bot spoke") {
  Bench b;
  b.quiet(7000ms);
  CHECK(b.all<CallerSilent>().size() == 1);
  b.quiet(9000ms);
  CHECK(b.all<CallerSilent>().size() == 1);
  b.take(b.turns.on_bot_speaking(b.now, true, true));
  b.take(b.turns.on_bot_speaking(b.now, false, true));
  b.quiet(7000ms);
  CHECK(b.all<CallerSilent>().size() == 2);
  b.turns.listen(false);
  b.take(b.turns.on_bot_speaking(b.now, false, true));
  b.quiet(9000ms);
  CHECK(b.all<CallerSilent>().size() == 2);
}

TEST_CASE("a caller who never stops is decoded and answered all the same") {
  Bench b;
  b.say(21'000ms);
  b.answer("说个不停");
  b.say(320ms);
  CHECK(b.all<TurnEnded>().size() == 1);
}

TEST_CASE("the stream may fall silent without frames: the clock alone ends the turn") {
  Bench b;
  b.say(640ms);
  for (int i = 0; i < 60; ++i) {
    b.now += 160;
    b.take(b.turns.on_clock(b.now));
    if (i == 20) b.answer("好的");
  }
  CHECK(b.all<TurnEnded>().size() == 1);
}
