#include "product/call/conversation.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

#include "product/call/call_test_kit.hpp"

using namespace yyc3;
using namespace yyc3::call;
using namespace std::chrono_literals;
using kit::Simulation;

TEST_CASE("a caller is heard, answered and written down, each turn once and in order") {
  Simulation call;
  call.listen();
  call.say("是的我是");
  call.listen();
  CHECK(call.dialogue().node() == "remind");
  REQUIRE(call.turns.size() == 3);
  CHECK(call.turns[0].speaker == "bot");
  CHECK(call.turns[1].speaker == "customer");
  CHECK(call.turns[1].text == "是的我是");
  CHECK(call.turns[2].speaker == "bot");
  CHECK(call.turns[2].unsaid.empty());
  for (std::size_t i = 0; i < call.turns.size(); ++i)
    CHECK(call.turns[i].seq == static_cast<std::int64_t>(i) + 1);
  CHECK(call.count("disclosure") == 1);
}

TEST_CASE("the disclosure was heard when its clause was, whatever the voice could not say else") {
  struct Row {
    std::string fails_at;
    bool heard;
  };
  for (const Row& row : {Row{"", true}, Row{"王女士", true}, Row{"云杉口腔", false}}) {
    INFO(row.fails_at);
    Simulation::Setting setting;
    setting.voice_fails_at = row.fails_at;
    Simulation call(setting);
    call.listen();
    REQUIRE(call.disclosure);
    CHECK(call.disclosure->text.ends_with("智能语音助手，"));
    CHECK((call.disclosure->played >= call.disclosure->whole) == row.heard);
    CHECK((call.count("degraded speaking") == 0) == row.fails_at.empty());
  }
}

TEST_CASE("an English answer and the question behind it stand apart on record") {
  Simulation::Setting setting;
  setting.language = text::Language::kEn;
  Simulation call(setting);
  call.listen();
  call.say("yes this is me");
  call.listen();
  call.say("where are you located");
  call.listen();
  const TurnRecord& answer = call.turns.back();
  REQUIRE(answer.speaker == "bot");
  CHECK_MESSAGE(answer.text.find("station. Can you make it") != std::string::npos, answer.text);
  CHECK(answer.spoken == answer.text);
}

TEST_CASE("a model that hears the end of a turn has it answered sooner, or later") {
  struct Row {
    std::optional<double> p;
    Milliseconds sooner;  ///< not answered yet, and answered 100 ms later
  };
  for (const Row& row : {Row{0.9, 500ms}, Row{std::nullopt, 920ms}, Row{0.1, 1'200ms}}) {
    INFO(row.sooner.count());
    Simulation call;
    call.listen();
    call.hearing.turn_end = row.p;
    call.say("对");
    call.quiet(row.sooner);
    CHECK_FALSE(call.bot_heard());
    call.quiet(100ms);
    CHECK(call.bot_heard());
  }
}

TEST_CASE("who goes on before the answer is heard is answered once, for all that was said") {
  Simulation call;
  call.listen();
  call.say("是的我是");
  call.listen();
  call.voice.wait = 600ms;  // an answer that takes its time
  const std::size_t before = call.turns.size();
  call.say("我想问一下");
  call.quiet(1'360ms);  // the turn is over, its answer not yet to be heard
  CHECK_FALSE(call.bot_heard());
  call.say("你们的地址在哪里");
  call.listen();
  CHECK(call.count("answer_taken_back") == 1);
  CHECK(call.dialogue().node() == "remind");
  REQUIRE(call.turns.size() == before + 2);
  CHECK(call.turns[before].speaker == "customer");
  CHECK(call.turns[before].text == "我想问一下你们的地址在哪里");
  CHECK(call.turns[before + 1].text.find("青年路") != std::string::npos);
}

TEST_CASE("an answer that was heard for less than half a second is taken back, and on record") {
  Simulation call;
  call.listen();
  call.say("是的我是");
  call.listen();
  const std::size_t before = call.turns.size();
  call.say("我想问一下");
  call.until_bot(true);
  call.quiet(200ms);
  call.say("你们的地址在哪里");
  call.listen();
  CHECK(call.count("answer_taken_back") == 1);
  CHECK(call.count("barge_in") == 0);
  REQUIRE(call.turns.size() == before + 3);
  CHECK(call.turns[before].speaker == "bot");  // what of the first answer was heard
  CHECK(call.turns[before].interrupted_at_ms);
  CHECK_FALSE(call.turns[before].unsaid.empty());
  CHECK(call.turns[before + 1].text == "我想问一下你们的地址在哪里");
  CHECK(call.turns[before + 2].text.find("青年路") != std::string::npos);
}

TEST_CASE("an answer that the recogniser tells late is no silence, and is answered") {
  Simulation call;
  call.listen();
  const std::size_t before = call.turns.size();
  call.quiet(2'000ms);
  call.hearing.stalled = true;
  call.say("是的我是");
  call.quiet(3'500ms);  // 6 s after the question nobody would have said anything
  CHECK(call.turns.size() == before);
  CHECK_FALSE(call.bot_heard());
  CHECK(call.count("hearing_late") == 1);
  call.hearing.stalled = false;
  call.listen();
  REQUIRE(call.turns.size() > before);
  CHECK(call.turns[before].text == "是的我是");
  CHECK(call.dialogue().node() == "remind");
}

TEST_CASE("who speaks while the recogniser is behind is neither asked again nor cut into pieces") {
  Simulation call;
  call.listen();
  const std::size_t before = call.turns.size();
  call.hearing.lag = 2'000ms;
  call.quiet(4'500ms);
  call.say("是的我是王女士请说吧没有问题");  // 2.8 s: over the moment when silence would be told
  CHECK_FALSE(call.bot_heard());
  call.listen();
  REQUIRE(call.turns.size() > before);
  CHECK(call.turns[before].speaker == "customer");
  CHECK(call.turns[before].text == "是的我是王女士请说吧没有问题");
  CHECK(call.hearing.asked.size() < 10);
}

TEST_CASE("a recogniser that says nothing more holds up no silence for good") {
  Simulation call;
  call.listen();
  call.hearing.stalled = true;
  call.say("是的我是");
  call.quiet(4'000ms);
  CHECK_FALSE(call.bot_heard());
  call.until_bot(true);  // it asks again
}

TEST_CASE("what an answer has done is not taken back") {
  Simulation call;
  call.listen();
  call.say("别再给我打电话了");
  call.until_bot(true);
  call.quiet(100ms);
  call.say("听到没有");
  call.quiet(500ms);
  CHECK(call.count("opt_out") == 1);
  CHECK(call.count("answer_taken_back") == 0);
  REQUIRE(call.turns_of("customer").size() == 1);
  CHECK(call.turns_of("customer")[0].text == "别再给我打电话了");
}

/// A model answers questions about cleaning in its own words.
std::unique_ptr<Simulation> speaking_freely() {
  Simulation::Setting with_model;
  with_model.thinks = true;
  auto call = std::make_unique<Simulation>(with_model);
  call->model.choices["洗完牙"] = "问别的事情";
  call->model.own_words = "半小时以后再吃东西就可以。";
  call->listen();
  return call;
}

TEST_CASE("what fills a silence is not what a model reads of the call") {
  const auto made = speaking_freely();
  Simulation& call = *made;
  for (const char* said : {"是的我是", "能来", "我想知道洗完牙能马上吃饭吗"}) {
    call.say(said);
    call.listen();
  }
  const auto told = call.turns_of("bot").back().text;
  CHECK(told.starts_with("嗯，您问的这个问题，我跟您说一下，半小时以后"));
  call.say("我想知道洗完牙会敏感吗");
  call.listen();
  bool read = false;
  for (const auto& messages : call.model.read)
    for (const auto& message : messages) {
      CHECK(message.text.find("我跟您说一下") == std::string::npos);
      read = read || message.text.starts_with("半小时以后");
    }
  CHECK(read);
}

TEST_CASE("a model has read the call up to the caller's words when it is asked") {
  const auto made = speaking_freely();
  Simulation& call = *made;
  const std::string question = "我想知道洗完牙能马上吃饭吗";
  // The turn before it is not on record when the bot begins to answer it: it may be taken back.
  for (const auto& said : {"是的我是", "能来", "你们那儿好停车吗", question.c_str()}) {
    call.say(said);
    call.listen();
  }
  const auto& read = call.model.read;
  const auto asked = std::ranges::find_if(
      read, [&](const auto& messages) { return messages.back().text == question; });
  REQUIRE(asked != read.end());
  REQUIRE(asked != read.begin());
  auto messages = *asked;
  auto before = *std::prev(asked);
  messages.pop_back();
  before.pop_back();
  CHECK(messages == before);
  CHECK(std::ranges::any_of(messages, [](const auto& m) { return m.text == "你们那儿好停车吗"; }));
}

TEST_CASE("after a back-channel the bot goes on from before it, and all is heard") {
  Simulation call;
  call.listen();
  call.say("是的我是");
  call.until_bot(true);
  call.quiet(1'200ms);
  call.say("嗯", 320ms);
  CHECK_FALSE(call.bot_heard());
  call.listen();
  CHECK(call.count("barge_in") == 0);
  const auto said = call.turns_of("bot");
  REQUIRE(said.size() == 2);
  CHECK(said[1].unsaid.empty());
  CHECK_FALSE(said[1].interrupted_at_ms);
  CHECK(call.turns_of("customer").size() == 1);
}

TEST_CASE("words are shown while the caller speaks, the first within 900 ms") {
  Simulation call;
  call.listen();
  const Milliseconds begun = call.now();
  call.say("我想问一下你们的地址在哪里啊", 2'800ms);
  REQUIRE_FALSE(call.partials.empty());
  CHECK(call.partials[0].told - begun <= 900ms);
  CHECK(call.partials.size() >= 2);
  CHECK(std::string("我想问一下你们的地址在哪里啊").starts_with(call.partials[0].text));
  for (const auto& asked : call.hearing.asked)  // half a word is no answer of the list asked for
    CHECK((!asked.partial || asked.grammar == speech::GrammarKind::kFree));
  call.listen();
  REQUIRE(call.turns_of("customer").size() == 1);
  for (const auto& partial : call.partials)  // so that the turn replaces it on the page
    CHECK(partial.spoken.count() <= call.turns_of("customer")[0].ended_ms);
}

TEST_CASE("partial decodes that find no decoder cost nothing") {
  Simulation call;
  call.hearing.busy = true;
  call.listen();
  call.say("是的我是王女士本人您请说吧");
  call.listen();
  CHECK(call.count("degraded hearing") == 0);
  CHECK(call.partials.size() == 1);  // the last decode
  CHECK(call.turns_of("customer").size() == 1);
}

TEST_CASE("the bot's own voice, back over the line, neither stops it nor is taken for an answer") {
  Simulation::Setting line;
  line.echo_gain = 0.18;  // -15 dB
  Simulation call(line);
  call.listen();
  call.say("是的我是");
  call.listen();
  CHECK(call.dialogue().node() == "remind");
  CHECK(call.count("barge_in") == 0);
  CHECK(call.turns_of("customer").size() == 1);
  for (const TurnRecord& turn : call.turns_of("bot")) CHECK_FALSE(turn.interrupted_at_ms);
}

TEST_CASE("over an echo the caller still interrupts") {
  Simulation::Setting line;
  line.echo_gain = 0.1;  // -20 dB
  Simulation call(line);
  call.listen();
  call.say("是的我是");
  call.until_bot(true);
  call.quiet(1'500ms);
  call.say("等一下你说多少钱");
  CHECK_FALSE(call.bot_heard());
  call.listen();
  CHECK(call.count("barge_in") == 1);
  CHECK(call.turns_of("customer").size() == 2);
}
