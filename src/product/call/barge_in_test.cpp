#include <doctest/doctest.h>

#include "product/call/turn_taking_test_kit.hpp"

using namespace yyc3;
using namespace yyc3::call;
using namespace std::chrono_literals;
using kit::Bench;

TEST_CASE("speech over the bot pauses it within 300 ms, words stop it, and the turn follows") {
  Bench b;
  b.turns.on_bot_began(0, 0ms);
  b.quiet(320ms);
  const SamplePos onset = b.now;
  b.say(288ms);
  REQUIRE(b.all<PauseBot>().size() == 1);
  CHECK(b.all<PauseBot>()[0].speech_from == onset);
  b.say(320ms);
  b.quiet(256ms);
  b.answer("等一下我有问题");
  CHECK(b.all<StopBot>().size() == 1);
  b.turns.on_bot_ended(b.now);
  b.quiet(1000ms);
  CHECK(b.all<TurnEnded>().size() == 1);
}

TEST_CASE("a back-channel pauses the bot but does not stop it, and is no turn") {
  Bench b;
  b.interrupts = false;
  b.turns.on_bot_began(0, 0ms);
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

TEST_CASE("a pause that nothing has decided ends within 2 s") {
  Bench b;
  b.turns.on_bot_began(0, 0ms);
  b.quiet(320ms);
  b.say(256ms);
  REQUIRE(b.all<PauseBot>().size() == 1);
  b.quiet(1'888ms);
  CHECK(b.all<ResumeBot>().empty());
  b.quiet(96ms);
  CHECK(b.all<ResumeBot>().size() == 1);  // no decode has answered
  b.answer("我有问题");
  CHECK(b.all<StopBot>().size() == 1);  // it was an interruption after all
  CHECK(b.all<ResumeBot>().size() == 1);
}

TEST_CASE("talking on over the bot stops it without waiting for words") {
  Bench b;
  b.interrupts = false;
  b.turns.on_bot_began(0, 0ms);
  b.say(1400ms);
  CHECK(b.all<StopBot>().size() == 1);
}

TEST_CASE(
    "voices in the background neither stop the bot nor are a turn, but for what must be heard") {
  Bench b;
  b.say_aloud(640ms);  // the caller
  b.sound(256ms, -70, 0.02);
  b.answer("是我");
  b.sound(1'000ms, -70, 0.02);
  REQUIRE(b.all<TurnEnded>().size() == 1);
  b.turns.on_bot_began(b.now, 0ms);
  b.sound(640ms, -70, 0.02);
  SUBCASE("as loud as the caller") {
    b.sound(320ms, -24, 0.95);
    CHECK(b.all<PauseBot>().size() == 1);
  }
  SUBCASE("10 dB softer, for two seconds") {
    b.interrupts = false;
    b.sound(1'984ms, -30, 0.95);
    b.hear(true, "一家人一年");
    CHECK(b.over.background);
    CHECK(b.over.spoken >= 400ms);
    b.sound(256ms, -70, 0.02);
    b.answer("一家人是一年花的");
    SUBCASE("and the bot goes on speaking") { b.sound(2'000ms, -70, 0.02); }
    SUBCASE("and the bot has finished") {
      b.turns.on_bot_ended(b.now);
      b.judged = Completeness::kUnclear;
      b.turns.on_understood();
      b.sound(2'000ms, -70, 0.02);
    }
    CHECK(b.all<PauseBot>().empty());
    CHECK(b.all<TurnEnded>().size() == 1);
  }
  SUBCASE("then the caller joins in") {
    b.sound(640ms, -30, 0.95);
    CHECK(b.all<PauseBot>().empty());
    b.sound(256ms, -20, 0.95);
    CHECK(b.all<PauseBot>().size() == 1);
  }
  SUBCASE("while the bot thinks they take no answer back, and the caller does") {
    b.turns.on_bot_ended(b.now);
    b.turns.answer_may_be_taken_back(true);
    b.sound(640ms, -30, 0.95);
    CHECK(b.all<TakeBack>().empty());
    SUBCASE("who goes on") {
      b.sound(96ms, -20, 0.95);
      CHECK(b.all<TakeBack>().size() == 1);
    }
    SUBCASE("and are no turn by themselves") {
      b.judged = Completeness::kUnclear;
      b.sound(256ms, -70, 0.02);
      b.answer("一家人");
      b.sound(2'000ms, -70, 0.02);
      CHECK(b.all<TurnEnded>().size() == 1);
    }
  }
  SUBCASE("a caller who has put the phone down is the caller after two turns") {
    b.turns.on_bot_ended(b.now);
    for (int turn = 0; turn < 2; ++turn) {
      b.sound(640ms, -32, 0.95);
      b.sound(256ms, -70, 0.02);
      b.answer("我想改时间");
      b.sound(1'000ms, -70, 0.02);
    }
    REQUIRE(b.all<TurnEnded>().size() == 3);
    b.turns.on_bot_began(b.now, 0ms);
    b.sound(320ms, -32, 0.95);
    CHECK(b.all<PauseBot>().size() == 1);
  }
  SUBCASE("what the dialogue lets through") {
    b.sound(640ms, -30, 0.95);
    b.hear(true, "别再打了");
    CHECK(b.over.background);
    CHECK(b.all<StopBot>().size() == 1);
  }
}

TEST_CASE("a node that may not be interrupted is not") {
  Bench b;
  b.turns.on_bot_began(0, TurnTaking::kNever);
  b.say(1400ms);
  CHECK(b.all<PauseBot>().empty());
  CHECK(b.all<StopBot>().empty());
}

TEST_CASE("a node may be interrupted after so much of it was heard") {
  Bench b;
  b.turns.on_bot_began(0, 1'500ms);
  b.say(1'280ms);
  CHECK(b.all<PauseBot>().empty());
  b.say(320ms);
  CHECK(b.all<PauseBot>().size() == 1);
}

TEST_CASE("words of a partial decode stop the bot; words that mean nothing yet do not resume it") {
  for (const bool interrupts : {true, false}) {
    CAPTURE(interrupts);
    Bench b;
    b.interrupts = interrupts;
    b.turns.on_bot_began(0, 0ms);
    b.quiet(640ms);
    b.say(512ms);
    REQUIRE(b.all<PauseBot>().size() == 1);
    REQUIRE(b.decodes(true).size() == 1);
    CHECK(b.decodes(true)[0].barge_in);
    b.hear(true, "等一下");
    CHECK(b.all<StopBot>().size() == (interrupts ? 1 : 0));
    CHECK(b.all<ResumeBot>().empty());
  }
}
