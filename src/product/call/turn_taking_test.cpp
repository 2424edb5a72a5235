#include "product/call/turn_taking.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace yyc3;
using namespace yyc3::call;
using namespace std::chrono_literals;

namespace {

/// Plays a script of speech and silence into the machine in 32 ms frames and keeps what it asked
/// for.
struct Bench {
  explicit Bench(TurnConfig with = {}) : config(with) {}
  TurnConfig config;
  Completeness judged = Completeness::kComplete;
  bool interrupts = true;
  TurnTaking turns{config, [this](const std::string&) { return judged; },
                   [this](const SaidOver& heard) {
                     over = heard;
                     return interrupts;
                   }};
  SaidOver over;  ///< asked about last
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
  /// The same with the loudness of the line.
  void sound(Milliseconds time, float dbov, double probability) {
    for (SamplePos i = 0; i < static_cast<SamplePos>(time.count()) / 32; ++i) {
      for (SamplePos part = 0; part < 2; ++part)
        take(turns.on_level(now + part * 128, now + (part + 1) * 128, dbov));
      frames(32ms, probability);
    }
  }
  float noise = -70;
  void say_aloud(Milliseconds time) { sound(time, -20, 0.95); }
  void fade(Milliseconds time) { sound(time, noise, 0.8); }
  void loudness(float dbov, Milliseconds time) { sound(time, dbov, 0.02); }
  void say(Milliseconds time) { frames(time, 0.95); }
  void quiet(Milliseconds time) { frames(time, 0.02); }
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& action : seen)
      if (const T* one = std::get_if<T>(&action)) found.push_back(*one);
    return found;
  }
  std::vector<StartDecode> decodes(bool partial) const {
    auto found = all<StartDecode>();
    std::erase_if(found, [&](const StartDecode& one) { return one.partial != partial; });
    return found;
  }
  void hear(bool partial, const char* text) {
    REQUIRE_FALSE(decodes(partial).empty());
    take(turns.on_text(decodes(partial).back().job, text, 0.9, 400ms));
  }
  void answer(const char* text) { hear(false, text); }
  /// Says something and is answered, by what may be taken back.
  void ask(const char* text) {
    say(640ms);
    quiet(256ms);
    answer(text);
    quiet(1'000ms);
    REQUIRE_FALSE(all<TurnEnded>().empty());
    turns.answer_may_be_taken_back(true);
  }
  Milliseconds since_speech(const TurnEnded& end) const {
    return Milliseconds{(end.decided_at - end.speech_to) / kSamplesPerMs};
  }
};

}  // namespace

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

TEST_CASE("a node may be interrupted after so much of it was heard") {
  Bench b;
  b.turns.on_bot_began(0, 1'500ms);
  b.say(1'280ms);
  CHECK(b.all<PauseBot>().empty());
  b.say(320ms);
  CHECK(b.all<PauseBot>().size() == 1);
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
