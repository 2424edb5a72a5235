// What every adapter of the Recognizer port promises: the same cases for both.

#include "engine/speech/engine_test_doubles.hpp"

namespace yyc3::speech::testing {
namespace {

using Mode = EngineDouble::Mode;

template <class Double>
void hears_the_window(Rig<Double>& rig) {
  rig.say(8000, 50, 5000);
  const JobNumber first = rig.decode(8000, 12'000);
  const JobNumber second = rig.decode(9000, 99'000);  // cut to what is known
  REQUIRE(rig.eventually([&] { return rig.notes.texts.size() == 2; }));
  CHECK(first != second);
  for (const auto& [job, heard] : rig.notes.texts) CHECK(heard.text == "还款");
  CHECK(rig.engine->windows == std::vector<std::size_t>{4000, 7000});
  CHECK(rig.notes.failures.empty());
}

template <class Double>
void tells_speech_from_silence(Rig<Double>& rig) {
  rig.say(0, 25, 10);
  rig.say(4000, 25, 8000);
  const auto& told = rig.notes.probabilities;
  REQUIRE(rig.eventually([&] { return !told.empty() && told.back().first >= 8000; }));
  const auto at = [&](std::uint64_t sample) {
    const auto found = std::ranges::find_if(told, [&](const auto& p) { return p.first >= sample; });
    return found->second;
  };
  CHECK(at(2000) < 0.35);
  CHECK(at(6000) > 0.5);
}

template <class Double>
void drops_what_is_cancelled(Rig<Double>& rig) {
  rig.set(Mode::kHold);
  rig.say(0, 50, 5000);
  const JobNumber unwanted = rig.decode(0, 4000);
  REQUIRE(rig.eventually([&] { return rig.engine->windows.size() == 1; }));
  rig.calling([&] { rig.port->cancel(unwanted); });
  REQUIRE(rig.eventually([&] { return rig.engine->dropped == 1; }));
  rig.set(Mode::kAnswer);
  const JobNumber wanted = rig.decode(0, 4000);
  REQUIRE(rig.eventually([&] { return !rig.notes.texts.empty(); }));
  CHECK(rig.notes.texts.front().first == wanted);
  CHECK(rig.notes.failures.empty());
}

template <class Double>
void gives_up_at_the_deadline(Rig<Double>& rig) {
  rig.set(Mode::kHold);
  rig.say(0, 50, 5000);
  const JobNumber job = rig.decode(0, 4000, Milliseconds{50});
  REQUIRE(rig.eventually([&] { return rig.engine->dropped == 1; }));
  REQUIRE(rig.eventually([&] { return !rig.notes.failures.empty(); }));
  CHECK(rig.notes.failures.size() == 1);
  CHECK(rig.notes.failures.front().first == job);
  CHECK(rig.notes.failures.front().second.code == ErrorCode::kTimeout);
}

template <class Double>
void passes_a_failure_on(Rig<Double>& rig) {
  rig.set(Mode::kFail);
  rig.say(0, 50, 5000);
  const JobNumber job = rig.decode(0, 4000);
  REQUIRE(rig.eventually([&] { return !rig.notes.failures.empty(); }));
  CHECK(rig.notes.failures.front().first == job);
  CHECK(rig.notes.failures.front().second.code == ErrorCode::kUnavailable);
  CHECK(rig.notes.texts.empty());
}

template <class Double>
void refuses_a_window_without_audio(Rig<Double>& rig) {
  rig.say(0, 50, 5000);
  const JobNumber job = rig.decode(90'000, 95'000);
  REQUIRE(rig.eventually([&] { return !rig.notes.failures.empty(); }));
  CHECK(rig.notes.failures.front().first == job);
  CHECK(rig.notes.failures.front().second.code == ErrorCode::kNotFound);
}

template <class Double>
void forgets_a_closed_stream(Rig<Double>& rig) {
  rig.set(Mode::kHold);
  rig.say(0, 50, 5000);
  rig.decode(0, 4000);
  REQUIRE(rig.eventually([&] { return rig.engine->windows.size() == 1; }));
  rig.calling([&] { rig.port->close(rig.stream); });
  std::size_t told = 0;
  rig.ground.on_loop([&] { told = rig.notes.probabilities.size(); });
  rig.set(Mode::kAnswer);
  NoteTaker other;
  rig.calling([&] { rig.stream = rig.port->open(Language::kChinese, other); });
  rig.say(0, 50, 5000);
  rig.decode(0, 4000);
  REQUIRE(rig.eventually([&] { return other.texts.size() == 1; }));
  CHECK(rig.notes.texts.empty());
  CHECK(rig.notes.failures.empty());
  CHECK(rig.notes.probabilities.size() == told);
  rig.calling([&] { rig.port->close(rig.stream); });
}

template <class Double>
void says_that_the_engine_is_away(Rig<Double>& rig) {
  rig.say(0, 50, 5000);
  rig.ground.on_loop([&] { rig.engine->stop(); });
  for (std::size_t i = 1; i <= 6; ++i) {  // six: beyond what opens a breaker
    rig.decode(0, 4000);
    REQUIRE(rig.eventually([&] { return rig.notes.failures.size() == i; }));
    CHECK(rig.notes.failures.back().second.code == ErrorCode::kUnavailable);
  }
  const auto& told = rig.notes.availability;
  REQUIRE(rig.eventually([&] { return !told.empty() && !told.back(); }));
  CHECK_FALSE(rig.port->available());
  CHECK_FALSE(rig.port->detects_speech());
}

template <class Double>
void keep_the_contract() {
  struct Case {
    std::string name;
    void (*run)(Rig<Double>&);
  };
  const Case cases[] = {
      {"the window asked for is what is recognised", hears_the_window<Double>},
      {"speech is told from silence, in order", tells_speech_from_silence<Double>},
      {"a cancelled decode ends at the engine and is never answered",
       drops_what_is_cancelled<Double>},
      {"a decode past its deadline fails, once", gives_up_at_the_deadline<Double>},
      {"what the engine cannot do fails", passes_a_failure_on<Double>},
      {"a window without audio is refused", refuses_a_window_without_audio<Double>},
      {"a closed stream hears nothing more", forgets_a_closed_stream<Double>},
      {"an engine that is away is told", says_that_the_engine_is_away<Double>},
  };
  for (const Case& one : cases) {
    INFO(one.name);
    Rig<Double> rig;
    rig.open();
    one.run(rig);
  }
}

TEST_CASE("the hear protocol keeps the recognizer's contract") { keep_the_contract<HearDouble>(); }
TEST_CASE("a hear worker without a voice activity model says so") {
  Rig<HearDouble> rig;
  rig.ground.on_loop([&] { rig.engine->models = {"whisper"}; });
  rig.open();
  CHECK_FALSE(rig.port->detects_speech());
  rig.say(0, 50, 5000);
  const JobNumber job = rig.decode(0, 4000);
  REQUIRE(
      rig.eventually([&] { return !rig.notes.texts.empty(); }));  // words are heard all the same
  CHECK(rig.notes.texts.back().first == job);
}

TEST_CASE("a transcription API keeps the recognizer's contract") {
  keep_the_contract<HttpDouble>();
}

}  // namespace
}  // namespace yyc3::speech::testing
