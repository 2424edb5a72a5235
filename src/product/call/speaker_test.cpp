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
      {"nothing played of what begins with a blank", " at ", 0, 800, ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.why);
    CHECK(heard_part(c.text, c.played, c.total) == c.heard);
  }
}

TEST_CASE("by the voice's marks what was heard to its end counts as heard, and nothing else") {
  const std::vector<yyc3::speech::SpeechMark> zh{{1, 100}, {3, 500}, {5, 1'000}};  // 您 好， 请问
  const std::vector<yyc3::speech::SpeechMark> en{{6, 300}, {11, 900}};             // Hello there
  struct Case {
    const char* why;
    const char* text;
    std::uint64_t played;
    const std::vector<yyc3::speech::SpeechMark>& marks;
    const char* heard;
  };
  const Case cases[] = {
      {"nothing played", "您好，请问", 0, zh, ""},
      {"in the first", "您好，请问", 99, zh, ""},
      {"the first", "您好，请问", 100, zh, "您"},
      {"a mark belongs to what is before it", "您好，请问", 500, zh, "您好，"},
      {"in the next, longer than by weight", "您好，请问", 999, zh, "您好，"},
      {"in the silence behind all", "您好，请问", 1'000, zh, "您好，请问"},
      {"in a word", "Hello there", 299, en, ""},
      {"whole words", "Hello there", 899, en, "Hello "},
      {"marks of another text", "您", 1'000, zh, "您"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.why);
    CHECK(heard_part(c.text, c.played, 1'050, c.marks) == c.heard);
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
      done(std::make_shared<const speech::Sound>(
          speech::Sound{std::vector<std::int16_t>(16'000, std::int16_t{500})}));
  }
  std::vector<Done> waiting;
};

}  // namespace

namespace {

/// A speaker on a real stream that plays to itself.
struct Phone {
  yyc3::SystemClock clock;
  yyc3::telemetry::Registry registry;
  std::unique_ptr<yyc3::rtp::MediaEngine> engine =
      std::move(*yyc3::rtp::MediaEngine::start({}, clock, registry));
  std::unique_ptr<yyc3::rtp::MediaStream> stream = std::move(*engine->add_loop().open({}));
  TwoSeconds voice;
  yyc3::speech::PromptCache cache{{}, voice, registry, [](const std::function<void()>&) {}};
  SpeakerMetrics metrics{registry};
  std::optional<Spoken> told;
  std::vector<yyc3::rtp::MediaEvent> ledger;
  Speaker speaker{
      *stream, cache,
      {},      metrics,
      clock,   {[](std::uint64_t, yyc3::SteadyTime) {}, [this](const Spoken& s) { told = s; }}};

  Phone() {
    yyc3::rtp::RemoteMedia remote;
    remote.ip = "127.0.0.1";
    remote.port = stream->local_port();
    REQUIRE(stream->set_remote(remote));
  }
  /// Until `over`, 10 s at most.
  template <class Over>
  void run(Over over) {
    for (int i = 0; i < 1000 && !over(); ++i) {
      yyc3::rtp::MediaEvent event;
      while (stream->next_event(event)) {
        ledger.push_back(event);
        speaker.on_event(event);
      }
      speaker.feed();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  void play_to(std::uint32_t samples) {
    run([&] { return stream->progress().samples >= samples; });
  }
  [[nodiscard]] std::vector<yyc3::rtp::MediaEvent> all(yyc3::rtp::MediaEventKind kind) const {
    std::vector<yyc3::rtp::MediaEvent> found;
    std::ranges::copy_if(ledger, std::back_inserter(found),
                         [&](const auto& event) { return event.kind == kind; });
    return found;
  }
};

}  // namespace

TEST_CASE("a line that is gone closes the reply at once, with what had been played") {
  Phone line;
  line.speaker.close();  // nothing is being said: nothing to tell
  CHECK_FALSE(line.told);
  line.speaker.say({{"one two three four five six seven eight"}});
  line.voice.answer();
  line.play_to(4'000);
  CHECK_FALSE(line.told);
  line.speaker.close();
  REQUIRE(line.told);
  CHECK(line.told->interrupted);
  CHECK(line.told->samples >= 4'000);
  CHECK(line.told->samples < 16'000);
  CHECK(line.told->heard.starts_with("one "));
  CHECK_FALSE(line.told->unsaid.empty());
  CHECK(line.told->heard + line.told->unsaid == line.told->text);
  CHECK_FALSE(line.speaker.speaking());
}

TEST_CASE("an answer does not wait for the silence that its voice begins with") {
  std::vector<std::int16_t> pcm(8'000, 2);
  CHECK(lead_in(pcm) == 0);  // nothing else is in it
  std::fill(pcm.begin() + 400, pcm.end(), std::int16_t{500});
  CHECK(lead_in(pcm) == 320);  // 10 ms of it stay
  std::fill(pcm.begin(), pcm.end(), std::int16_t{500});
  CHECK(lead_in(pcm) == 0);
  CHECK(lead_in({}) == 0);
}

TEST_CASE("speech that was held goes on in the quietest moment a little before") {
  std::vector<std::int16_t> pcm(8'000, 500);
  std::fill(pcm.begin() + 3'000, pcm.begin() + 3'200, std::int16_t{3});
  struct Case {
    const char* why;
    std::size_t played, from;
  };
  const Case cases[] = {
      {"it had only begun", 1'500, 0},
      {"a quiet moment 325 ms before", 5'600, 3'040},
      {"none: 450 ms before", 7'600, 4'000},
      {"too near to be worth it", 3'300, 0},
      {"all was said, but for the pause behind it", 8'000, 8'000},
      {"in the pause behind it", 8'160, 8'160},
  };
  for (const auto& c : cases) {
    CAPTURE(c.why);
    CHECK(resume_point(pcm, c.played) == c.from);
  }
}

TEST_CASE("after a pause the reply goes on from before it and is heard to its end") {
  using enum yyc3::rtp::MediaEventKind;
  Phone line;
  line.speaker.say({{"one two three four. "}, {"five six."}});
  line.voice.answer();
  line.play_to(6'400);
  line.speaker.pause();
  line.run([i = 0]() mutable { return ++i > 20; });
  const std::uint32_t held = line.stream->progress().samples;
  line.speaker.resume();
  line.run([&] { return line.told.has_value(); });
  REQUIRE(line.told);
  CHECK_FALSE(line.told->interrupted);
  CHECK(line.told->heard == line.told->text);
  CHECK(line.told->samples == line.told->samples_whole);  // what was said twice counts once
  const auto started = line.all(kLedgerStarted);
  REQUIRE(started.size() == 3);
  CHECK(started[1].utterance == started[0].utterance);
  CHECK(started[1].offset + 8 * 450 >= held);
  CHECK(started[1].offset + 8 * 200 <= held);
  CHECK(started[2].utterance != started[0].utterance);
  CHECK(line.all(kLedgerEnded).size() == 3);
  CHECK(line.all(kUnderrun).empty());
}

TEST_CASE("a reply cut after it went on keeps what had been heard before") {
  Phone line;
  line.speaker.say({{"one two three four five six seven eight"}});
  line.voice.answer();
  line.play_to(8'000);
  line.speaker.pause();
  line.run([i = 0]() mutable { return ++i > 10; });
  line.speaker.resume();
  line.speaker.cut();
  line.run([&] { return line.told.has_value(); });
  REQUIRE(line.told);
  CHECK(line.told->interrupted);
  CHECK(line.told->samples >= 8'000);
  CHECK(line.told->samples < 16'000);
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
