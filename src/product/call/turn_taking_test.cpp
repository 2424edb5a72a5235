#include <doctest/doctest.h>

#include "product/call/turn_taking_test_kit.hpp"

using namespace yyc3;
using namespace yyc3::call;
using namespace std::chrono_literals;
using kit::Bench;

TEST_CASE("how it sounds sets the wait for what is whole or unclear") {
  struct Row {
    Completeness judged;
    double p;
    Milliseconds wait;
  };
  for (const Row& row : {Row{Completeness::kComplete, 0.9, 500ms},
                         {Completeness::kUnclear, 0.9, 500ms},
                         {Completeness::kComplete, 0.1, 1'200ms},
                         {Completeness::kSatisfied, 0.1, 300ms},
                         {Completeness::kUnfinished, 0.9, 1'200ms}}) {
    INFO(name_of(row.judged), " ", row.p);
    Bench b;
    b.judged = row.judged;
    b.say(960ms);
    b.quiet(192ms);
    REQUIRE_FALSE(b.decodes(false).empty());
    b.take(b.turns.on_turn_end(b.decodes(false).back().to, row.p));
    b.answer("下午四点");
    b.quiet(1'600ms);
    REQUIRE(b.all<TurnEnded>().size() == 1);
    CHECK(b.since_speech(b.all<TurnEnded>()[0]) >= row.wait);
    CHECK(b.since_speech(b.all<TurnEnded>()[0]) < row.wait + 64ms);
  }
}

TEST_CASE("how a pause sounded says nothing of what is said after it") {
  Bench b;
  b.say(640ms);
  b.quiet(192ms);
  const SamplePos pause = b.decodes(false).back().to;
  b.take(b.turns.on_turn_end(pause, 0.9));
  b.say(640ms);
  b.take(b.turns.on_turn_end(pause, 0.9));  // late
  b.quiet(192ms);
  b.take(b.turns.on_turn_end(pause, 0.9));  // later still
  b.answer("下午四点");
  b.quiet(1'600ms);
  REQUIRE(b.all<TurnEnded>().size() == 1);
  CHECK(b.since_speech(b.all<TurnEnded>()[0]) >= b.config.complete);
}

TEST_CASE("decoding starts within the first 200 ms of silence and covers the utterance") {
  Bench b;
  b.quiet(500ms);
  b.say(960ms);
  b.quiet(192ms);
  const auto decodes = b.decodes(false);
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
                        {Completeness::kComplete, 920ms, 960ms},
                        {Completeness::kUnclear, 950ms, 990ms},
                        {Completeness::kUnfinished, 1200ms, 1240ms}};
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

TEST_CASE("quiet ends speech before its probability falls, and is decoded with what faded in it") {
  Bench b;
  b.loudness(-70, 320ms);
  b.say_aloud(640ms);
  const SamplePos said_to = b.now;
  b.fade(128ms);  // silent, but Silero still calls it speech
  const auto decodes = b.decodes(false);
  REQUIRE(decodes.size() == 1);
  CHECK(decodes[0].to >= said_to + 60 * kSamplesPerMs);
  CHECK(decodes[0].to <= said_to + 100 * kSamplesPerMs);
  b.loudness(-70, 128ms);
  b.answer("确认");
  b.loudness(-70, 1'000ms);
  const auto ends = b.all<TurnEnded>();
  REQUIRE(ends.size() == 1);
  CHECK(ends[0].speech_to == said_to);
  CHECK(b.since_speech(ends[0]) <= 960ms);
}

TEST_CASE("what stays speech for longer than a probability lags is soft speech") {
  Bench b;
  b.say_aloud(640ms);
  b.fade(640ms);
  b.loudness(-70, 160ms);
  const auto decodes = b.decodes(false);
  REQUIRE(decodes.size() == 2);
  CHECK(std::ranges::count(b.all<CancelDecode>(), decodes[0].job, &CancelDecode::job) == 1);
  CHECK(decodes[1].from == decodes[0].from);
  CHECK(decodes[1].to >= 1'280 * kSamplesPerMs);
}

TEST_CASE("probabilities that come after the quiet neither resume nor lengthen what was said") {
  Bench b;
  b.turns.on_bot_began(0, 0ms);
  for (SamplePos at = 0; at < 800 * kSamplesPerMs;
       at += 160) {  // levels at once, for 300 ms of sound
    b.take(b.turns.on_level(at, at + 160, at < 300 * kSamplesPerMs ? -20 : -70));
    if (at < 120 * kSamplesPerMs || at % 320 != 0) continue;  // probabilities 120 ms later
    b.now = at - 120 * kSamplesPerMs;
    b.take(b.turns.on_speech(b.now, b.now <= 300 * kSamplesPerMs ? 0.95 : 0.02));
    b.take(b.turns.on_clock(at));
  }
  CHECK(b.all<PauseBot>().size() == 1);
  CHECK(b.decodes(false).size() == 1);
  CHECK(b.all<CancelDecode>().empty());
}

TEST_CASE("who makes a sound when the wait is over is not answered, unless it is no speech") {
  for (const bool speech : {true, false}) {
    CAPTURE(speech);
    Bench b;
    b.loudness(-70, 320ms);
    b.say_aloud(640ms);
    b.loudness(-70, 256ms);
    b.answer("是的");
    b.loudness(-70, 608ms);
    b.sound(64ms, -20, 0.3);  // begun, and not yet likely enough
    CHECK(b.all<TurnEnded>().empty());
    if (speech) b.say_aloud(320ms);
    if (!speech) b.sound(320ms, -20, 0.1);
    b.loudness(-70, 64ms);
    CHECK(b.all<TurnEnded>().size() == (speech ? 0 : 1));
  }
}

TEST_CASE("a line that falls dumb in the middle of a sound ends the turn all the same") {
  Bench b;
  b.say_aloud(640ms);
  b.loudness(-70, 256ms);
  b.answer("是的");
  b.loudness(-70, 608ms);
  b.sound(64ms, -20, 0.1);
  CHECK(b.all<TurnEnded>().empty());
  for (int i = 0; i < 15; ++i) b.take(b.turns.on_clock(b.now += 160));
  CHECK(b.all<TurnEnded>().size() == 1);
}

TEST_CASE("on a noisy line the probability alone ends speech") {
  Bench b;
  b.noise = -45;
  b.say_aloud(640ms);
  b.fade(96ms);
  CHECK(b.decodes(false).empty());
  b.loudness(b.noise, 64ms);
  REQUIRE(b.decodes(false).size() == 1);
  CHECK(b.decodes(false)[0].to == (640 + 96 + 32) * kSamplesPerMs);
}

TEST_CASE("frames that lag behind the clock are speech all the same") {
  Bench b;
  for (int i = 1; i <= 40; ++i) {
    b.now += 256;
    b.take(b.turns.on_clock(b.now + 80 * kSamplesPerMs));
    b.take(b.turns.on_speech(b.now, i <= 20 ? 0.9 : 0.05));
  }
  REQUIRE(b.decodes(false).size() == 1);
  CHECK(b.all<CancelDecode>().size() == 1);  // the partial one
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
  REQUIRE(b.decodes(false).size() == 1);
  CHECK(std::ranges::any_of(b.all<CancelDecode>(), [&](const CancelDecode& cancelled) {
    return cancelled.job == b.decodes(false)[0].job;
  }));
  b.quiet(256ms);
  b.answer("我想改到，明天下午");
  b.quiet(1000ms);
  const auto ends = b.all<TurnEnded>();
  REQUIRE(ends.size() == 1);
  CHECK(b.decodes(false)[1].from == b.decodes(false)[0].from);
}

TEST_CASE("a result of a cancelled decode is ignored") {
  Bench b;
  b.say(640ms);
  b.quiet(256ms);
  const auto first = b.decodes(false)[0].job;
  b.say(320ms);
  b.take(b.turns.on_text(first, "旧", 0.9, 400ms));
  b.quiet(2000ms);
  CHECK(b.all<TurnEnded>().empty());  // the second decode has not answered
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
  b.take(b.turns.on_decode_failed(b.decodes(false).back().job));
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
  b.turns.on_bot_began(b.now, 0ms);
  b.turns.on_bot_ended(b.now);
  b.quiet(7000ms);
  CHECK(b.all<CallerSilent>().size() == 2);
  b.turns.listen(false);
  b.turns.on_bot_ended(b.now);
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

TEST_CASE("speech of 450 ms is decoded in part, and again every 800 ms of it, up to 8 s") {
  Bench b;
  b.say(448ms);
  CHECK(b.decodes(true).empty());
  b.say(32ms);
  REQUIRE(b.decodes(true).size() == 1);
  b.say(2'000ms);
  CHECK(b.decodes(true).size() == 1);  // one at a time
  b.hear(true, "我想问一下");
  b.say(32ms);
  REQUIRE(b.decodes(true).size() == 2);
  CHECK(b.decodes(true)[1].from == b.decodes(true)[0].from);
  b.hear(true, "我想问一下你们的地址");
  b.say(736ms);
  CHECK(b.decodes(true).size() == 2);
  b.say(64ms);
  CHECK(b.decodes(true).size() == 3);
  for (int i = 0; i < 20; ++i) {
    b.hear(true, "还在说");
    b.say(800ms);
  }
  CHECK(b.decodes(true).back().to <= (8'000 + 32) * kSamplesPerMs);
  CHECK(b.all<TurnEnded>().empty());
}

TEST_CASE("a partial decode makes way when the caller falls silent, and its failure is nothing") {
  Bench b;
  b.say(640ms);
  REQUIRE(b.decodes(true).size() == 1);
  b.quiet(32ms);
  REQUIRE(b.all<CancelDecode>().size() == 1);
  CHECK(b.all<CancelDecode>()[0].job == b.decodes(true)[0].job);
  b.quiet(96ms);
  CHECK(b.decodes(false).size() == 1);
  b.say(640ms);
  REQUIRE(b.decodes(true).size() == 2);
  b.take(b.turns.on_decode_failed(b.decodes(true)[1].job));
  b.quiet(224ms);
  b.answer("我想问一下");
  b.quiet(1000ms);
  REQUIRE(b.all<TurnEnded>().size() == 1);
  CHECK_FALSE(b.all<TurnEnded>()[0].failed);
}

TEST_CASE("who goes on before the answer is heard takes it back, and both are one turn") {
  Bench b;
  b.quiet(320ms);
  const SamplePos begun = b.now;
  b.ask("我想问一下");
  b.say(96ms);
  REQUIRE(b.all<TakeBack>().size() == 1);
  CHECK(b.all<TakeBack>()[0].speech_from == b.now - 96 * kSamplesPerMs);
  b.say(544ms);
  b.quiet(256ms);
  b.answer("我想问一下多少钱");
  b.quiet(1'000ms);
  REQUIRE(b.all<TurnEnded>().size() == 2);
  CHECK(b.all<TurnEnded>()[1].speech_from == begun);
  CHECK(b.decodes(false).back().from == b.decodes(false).front().from);
  CHECK(b.all<StopBot>().empty());
}

TEST_CASE("half a second of the answer is heard too little to be an interruption of it") {
  struct Case {
    const char* why;
    Milliseconds heard;
    bool taken_back;
  };
  const Case cases[] = {{"at its first word", 64ms, true},
                        {"within half a second", 448ms, true},
                        {"later it is an interruption", 640ms, false}};
  for (const auto& c : cases) {
    CAPTURE(c.why);
    Bench b;
    b.ask("我想问一下");
    b.turns.on_bot_began(b.now, 0ms);
    b.quiet(c.heard);
    b.say(128ms);
    CHECK(b.all<TakeBack>().empty());  // it may still be a click
    b.say(64ms);
    CHECK(b.all<TakeBack>().size() == (c.taken_back ? 1 : 0));
    CHECK(b.all<PauseBot>().size() == (c.taken_back ? 0 : 1));
    if (!c.taken_back) continue;
    b.turns.on_bot_ended(b.now);
    b.quiet(256ms);
    b.answer("我想问一下多少钱");
    b.quiet(1'000ms);
    CHECK(b.all<TurnEnded>().size() == 2);
  }
}

TEST_CASE("an answer is taken back three times at most, and not when it may not be") {
  Bench b;
  b.ask("那个");
  b.turns.answer_may_be_taken_back(false);
  b.say(320ms);
  CHECK(b.all<TakeBack>().empty());
  Bench often;
  often.ask("那个");
  for (int i = 0; i < 5; ++i) often.ask("那个那个");
  CHECK(often.all<TakeBack>().size() == 3);
}

TEST_CASE("a noise that takes an answer back is a turn even when nothing is understood") {
  Bench b;
  b.ask("是的");
  b.say(160ms);
  b.quiet(256ms);
  b.answer("");
  b.quiet(1'500ms);
  CHECK(b.all<TurnEnded>().size() == 2);  // or the bot would wait for a caller who waits for it
}

TEST_CASE("who pauses for long is waited for longer, but not after a plain answer") {
  for (const Milliseconds longest : {2'000ms, 940ms}) {
    CAPTURE(longest.count());
    TurnConfig config;
    config.longest = longest;
    Bench b{config};
    for (int i = 0; i < 15; ++i) {
      b.say(480ms);
      b.quiet(896ms);
    }
    b.answer("我那天，可能来不了");
    b.quiet(3'000ms);
    REQUIRE(b.all<TurnEnded>().size() == 1);
    const Milliseconds waited = b.since_speech(b.all<TurnEnded>()[0]);
    CHECK(waited >= std::min(longest, 960ms));
    CHECK(waited <= std::min(longest + 32ms, 1'020ms));
    b.judged = Completeness::kSatisfied;
    b.say(480ms);
    b.quiet(256ms);
    b.answer("是的");
    b.quiet(1'000ms);
    CHECK(b.since_speech(b.all<TurnEnded>()[1]) < 340ms);
  }
}

TEST_CASE("a caller's pace is a mean that few pauses move little") {
  Pace pace;
  CHECK(pace.waits() == 500ms);
  pace.on_pause(1'400ms);
  CHECK(pace.waits() == 625ms);
}
