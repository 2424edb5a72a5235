#include <doctest/doctest.h>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <unistd.h>

#include "engine/speech/clauses.hpp"
#include "engine/speech/grammars.hpp"
#include "engine/speech/prompt_cache.hpp"
#include "engine/speech/telephone_voice.hpp"
#include "engine/telephony/codec/wav.hpp"
#include "engine/text/understand.hpp"

using namespace yyc3;
using namespace yyc3::speech;

TEST_CASE("texts are cut into clauses a voice can be stopped between, and nothing is lost") {
  struct Case {
    const char* text;
    std::vector<std::string> clauses;
  };
  const Case cases[] = {
      {"您好，我是智能助手。请问方便吗？", {"您好，", "我是智能助手。", "请问方便吗？"}},
      {"我们想提醒您明天下午三点半有一个预约在市中心门诊部",
       {"我们想提醒您明天下午三点", "半有一个预约在市中心门诊", "部"}},
      {"Hello, this is 3.5 hours away. Fine!", {"Hello, ", "this is 3.5 hours away. ", "Fine!"}},
      {"", {}},
      {"，。", {"，", "。"}},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    const auto clauses = split_clauses(c.text);
    CHECK(std::accumulate(clauses.begin(), clauses.end(), std::string()) == c.text);
    CHECK(clauses == c.clauses);
  }
  CHECK(split_clauses("\xE6\xAC", 12).size() == 1);  // torn UTF-8 stays in one piece
}

namespace {

/// Answers when told to, with as many samples as the text has bytes.
struct ManualVoice final : Synthesizer {
  std::uint64_t speak(SpeakRequest request, Done done) override {
    jobs.emplace(++last, std::pair{std::move(request), std::move(done)});
    return last;
  }
  void cancel(std::uint64_t job) override { jobs.erase(job); }
  [[nodiscard]] bool available() const override { return true; }
  void answer(std::uint64_t job) {
    auto [request, done] = std::move(jobs.at(job));
    jobs.erase(job);
    const auto size = static_cast<std::uint32_t>(request.text.size());
    done(std::make_shared<const Sound>(
        Sound{std::vector<std::int16_t>(size, std::int16_t{7}), {{1, size / 2}, {2, size}}}));
  }
  void refuse(std::uint64_t job) {
    auto [request, done] = std::move(jobs.at(job));
    jobs.erase(job);
    done(fail(ErrorCode::kTimeout, "too late"));
  }
  std::map<std::uint64_t, std::pair<SpeakRequest, Done>> jobs;
  std::uint64_t last = 0;
};

SpeakRequest asking(std::string text) {
  SpeakRequest request;
  request.text = std::move(text);
  return request;
}

}  // namespace

TEST_CASE("no answer of the yes/no list is read as the opposite") {
  for (const Language language : {Language::kChinese, Language::kEnglish}) {
    const auto phrases = phrases_of(GrammarKind::kYesNo, language, {});
    const auto meanings = meanings_of(GrammarKind::kYesNo, language, phrases.size());
    REQUIRE(phrases.size() == meanings.size());
    std::size_t read = 0;  // the others ("speaking", 我就是, 停) are intents
    for (std::size_t i = 0; i < phrases.size() && meanings[i] < 2; ++i) {
      INFO(phrases[i]);
      const text::YesNo found = text::parse_yes_no(phrases[i]);
      CHECK(found != (meanings[i] == 0 ? text::YesNo::kNo : text::YesNo::kYes));
      read += static_cast<std::size_t>(found != text::YesNo::kUnclear);
    }
    CHECK(read >= (language == Language::kChinese ? 54U : 17U));
  }
}

TEST_CASE("a prompt is rendered once, shared by those who wait, and kept over a restart") {
  const auto folder =
      std::filesystem::temp_directory_path() / ("prompts-" + std::to_string(getpid()));
  telemetry::Registry metrics;
  ManualVoice voice;
  const auto now = [](const std::function<void()>& f) { f(); };
  {
    PromptCache cache({folder, 1 << 20}, voice, metrics, now);
    int told = 0;
    const auto count = [&told](Result<Pcm> pcm) { told += pcm ? 1 : 0; };
    CHECK(cache.fetch(asking("您好"), true, count) != 0);
    CHECK(cache.fetch(asking("您好"), true, count) != 0);
    const auto unwanted = cache.fetch(asking("您好"), true, count);
    cache.forget(unwanted);
    CHECK(voice.jobs.size() == 1);
    voice.answer(1);
    CHECK(told == 2);
    CHECK(cache.fetch(asking("您好"), true, count) == 0);
    CHECK(told == 3);
    cache.fetch(asking("王先生"), false, count);
    voice.answer(2);
  }
  PromptCache again({folder, 1 << 20}, voice, metrics, now);
  REQUIRE(again.find(asking("您好")));
  CHECK(again.find(asking("您好"))->samples == std::vector<std::int16_t>(6, 7));
  CHECK(again.find(asking("您好"))->marks == std::vector<SpeechMark>{{1, 3}, {2, 6}});
  CHECK_FALSE(again.find(asking("王先生")));  // a customer's name is never written down
  PromptCache elsewhere({{}, 1 << 20, folder}, voice, metrics, now);
  CHECK(elsewhere.find(asking("您好")));  // carried along, read only
  for (const auto& file : std::filesystem::directory_iterator(folder))
    std::filesystem::resize_file(file, 8 + 4 + asking("您好").cache_key().size() + 4 + 15);
  CHECK_FALSE(PromptCache({folder, 1 << 20}, voice, metrics, now).find(asking("您好")));  // torn
  std::filesystem::remove_all(folder);
}

TEST_CASE("an engine's marks are brought to what is left of its sound") {
  std::vector<std::int16_t> loud(48'000, 0);  // 16 kHz: a second of silence, of sound, of silence
  for (std::size_t i = 16'000; i < 32'000; ++i) loud[i] = i % 32 < 16 ? 8'000 : -8'000;
  const auto marks = [&](const std::vector<codec::WavCue>& cues) {
    const auto sound = telephone_voice(codec::write_wav(16'000, 1, loud, cues));
    REQUIRE(sound);
    CHECK((*sound)->samples.size() == doctest::Approx(8'000 + 2 * 320).epsilon(0.05));
    return (*sound)->marks;
  };
  const auto all = marks({{1, 8'000}, {2, 24'000}, {5, 32'000}, {6, 48'000}});
  REQUIRE(all.size() == 4);
  CHECK(all[0] == SpeechMark{1, 0});  // in the silence before it
  CHECK(all[1].samples == doctest::Approx(4'000 + 320).epsilon(0.03));
  CHECK(all[2].samples == doctest::Approx(8'000 + 320).epsilon(0.03));
  CHECK(all[3].samples <= 8'000 + 2 * 320 + 160);
  CHECK(marks({{2, 16'000}, {2, 24'000}}).empty());
  CHECK(marks({{1, 24'000}, {2, 17'000}}).empty());  // they go back in time
  CHECK(marks({}).empty());
}

TEST_CASE("a rendering that comes too late does not take the voice from a caller who asked again") {
  telemetry::Registry metrics;
  ManualVoice voice;
  PromptCache cache({{}, 1 << 20}, voice, metrics, [](const std::function<void()>&) {});
  int came = 0;
  int failed = 0;
  const auto note = [&](Result<Pcm> pcm) { ++(pcm ? came : failed); };
  SpeakRequest live = asking("王女士");
  live.live = true;
  SUBCASE("the second one comes") {
    cache.fetch(asking("王女士"), false, note);
    cache.fetch(live, false, note);
    voice.refuse(1);
    CHECK(failed == 0);
    voice.answer(2);
    CHECK(came == 2);
  }
  SUBCASE("neither comes") {
    cache.fetch(asking("王女士"), false, note);
    cache.fetch(live, false, note);
    voice.refuse(1);
    voice.refuse(2);
    CHECK(failed == 2);
    cache.fetch(live, false, note);
    voice.answer(3);
    CHECK(came == 1);
  }
  SUBCASE("the first one comes, the second is refused later") {
    cache.fetch(asking("王女士"), false, note);
    cache.fetch(live, false, note);
    voice.answer(1);
    voice.refuse(2);
    CHECK(came == 2);
    CHECK(failed == 0);
  }
}

TEST_CASE("the cache forgets the oldest when its memory is full") {
  telemetry::Registry metrics;
  ManualVoice voice;
  PromptCache cache({{}, 90}, voice, metrics, [](const std::function<void()>&) {});
  for (const char* text : {"aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc"}) {
    cache.fetch(asking(text), true, [](Result<Pcm>) {});
    voice.answer(voice.last);
    CHECK(cache.find(asking("aaaaaaaaaa")) != nullptr);  // used again and again: stays
  }
  CHECK(cache.find(asking("bbbbbbbbbb")) == nullptr);
  CHECK(cache.status().bytes <= 90);
}
