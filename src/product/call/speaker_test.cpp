#include "product/call/speaker.hpp"

#include <algorithm>
#include <chrono>
#include <doctest/doctest.h>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "engine/telephony/rtp/media_engine.hpp"
#include "product/call/call_state.hpp"

using namespace yyc3::call;

TEST_CASE("what was heard is cut at a character and never past what was played") {
  struct Case {
    const char* why;
    const char* text;
    std::uint64_t played, total;
    const char* heard;
  };
  const Case cases[] = {
      {"nothing played", "您好，请问", 0, 800, ""},
      {"all played", "您好，请问", 800, 800, "您好，请问"},
      {"more than all", "您好，请问", 900, 800, "您好，请问"},
      {"half: 4.5 units, 2.25 of them", "您好，请问", 400, 800, "您好"},
      {"mark counts half", "您好，请问", 500, 800, "您好，"},
      {"English letters count a quarter, a blank nothing", "Hello there", 400, 800, "Hello "},
      {"no audio", "您好", 5, 0, "您好"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.why);
    CHECK(heard_part(c.text, c.played, c.total) == c.heard);
  }
}

TEST_CASE("the bot's level is that of the 200 ms before the playing position") {
  std::vector<std::int16_t> pcm(8'000, 0);                                   // 1 s of silence …
  std::fill(pcm.begin() + 1'600, pcm.begin() + 3'200, std::int16_t{3'277});  // … 200 ms at -20 dBov
  const auto near = [](float wanted) { return doctest::Approx(wanted).epsilon(0.01); };
  CHECK(level_before(pcm, 0) == -96);
  CHECK(level_before(pcm, 1'600) == -96);
  CHECK(level_before(pcm, 3'200) == near(-20));
  CHECK(level_before(pcm, 2'400) == near(-23));  // half of the window
  CHECK(level_before(pcm, 4'800) == -96);
  CHECK(level_before(pcm, 9'000) == -96);  // the pause behind the piece is silence
  pcm.resize(3'200);
  CHECK(level_before(pcm, 4'000) == near(-20));  // half of the window is behind the end
  CHECK(level_before(pcm, 4'800) == -96);
}

namespace {

/// Two seconds of voice for whatever is asked, when told to answer.
struct TwoSeconds final : yyc3::speech::Synthesizer {
  std::uint64_t speak(yyc3::speech::SpeakRequest, Done done) override {
    waiting.push_back(std::move(done));
    return waiting.size();
  }
  void cancel(std::uint64_t) override {}
  [[nodiscard]] bool available() const override { return true; }
  void answer() {
    for (auto& done : std::exchange(waiting, {}))
      done(std::make_shared<const std::vector<std::int16_t>>(16'000, std::int16_t{500}));
  }
  std::vector<Done> waiting;
};

}  // namespace

TEST_CASE("a line that is gone closes the reply at once, with what had been played") {
  yyc3::SystemClock clock;
  yyc3::telemetry::Registry registry;
  auto engine = std::move(*yyc3::rtp::MediaEngine::start({}, clock, registry));
  auto stream = std::move(*engine->add_loop().open({}));
  yyc3::rtp::RemoteMedia remote;
  remote.ip = "127.0.0.1";
  remote.port = stream->local_port();
  REQUIRE(stream->set_remote(remote));
  TwoSeconds voice;
  yyc3::speech::PromptCache cache({}, voice, registry, [](const std::function<void()>&) {});
  SpeakerMetrics metrics(registry);
  std::optional<Spoken> told;
  Speaker speaker(*stream, cache, {}, metrics, clock,
                  {[](std::uint64_t, yyc3::SteadyTime) {}, [&](const Spoken& s) { told = s; }});
  speaker.close();  // nothing is being said: nothing to tell
  CHECK_FALSE(told);
  speaker.say({{"one two three four five six seven eight"}});
  voice.answer();
  for (int i = 0; i < 1000 && stream->progress().samples < 4'000; ++i) {
    yyc3::rtp::MediaEvent event;
    while (stream->next_event(event)) speaker.on_event(event);
    speaker.feed();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK_FALSE(told);
  speaker.close();
  REQUIRE(told);
  CHECK(told->interrupted);
  CHECK(told->samples >= 4'000);
  CHECK(told->samples < 16'000);
  CHECK(told->heard.starts_with("one "));
  CHECK_FALSE(told->unsaid.empty());
  CHECK(told->heard + told->unsaid == told->text);
  CHECK_FALSE(speaker.speaking());
}

TEST_CASE("the state table allows what A10 names and nothing out of a final state") {
  using enum CallState;
  CHECK(may_follow(kDialing, kRinging));
  CHECK(may_follow(kDialing, kAnswered));
  CHECK(may_follow(kTalking, kEscalated));
  CHECK_FALSE(may_follow(kRinging, kTalking));
  for (const auto from : {kCompleted, kFailed})
    for (int to = 0; to <= static_cast<int>(kFailed); ++to)
      CHECK_FALSE(may_follow(from, static_cast<CallState>(to)));
  for (int i = 0; i <= static_cast<int>(kFailed); ++i) {
    const auto state = static_cast<CallState>(i);
    CHECK(call_state_of(name_of(state)) == state);
  }
}
