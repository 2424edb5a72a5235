#include "product/call/prompt_rendering.hpp"

#include <deque>
#include <doctest/doctest.h>
#include <memory>

using namespace yyc3;
using namespace yyc3::call;

namespace {

/// Renders when the test says so.
struct ManualVoice final : speech::Synthesizer {
  std::uint64_t speak(speech::SpeakRequest request, Done done) override {
    said.push_back(request.text);
    waiting.push_back(std::move(done));
    return said.size();
  }
  void cancel(std::uint64_t) override {}
  [[nodiscard]] bool available() const override { return true; }
  void answer() {
    REQUIRE_FALSE(waiting.empty());
    const Done done = std::move(waiting.front());
    waiting.pop_front();
    done(std::make_shared<speech::Sound>(
        speech::Sound{std::vector<std::int16_t>(8, std::int16_t{1})}));
  }
  std::vector<std::string> said;
  std::deque<Done> waiting;
};

std::vector<dialogue::Segment> segments(std::initializer_list<const char*> texts) {
  std::vector<dialogue::Segment> out;
  for (const char* text : texts) out.push_back({"id", text, true, false});
  return out;
}

struct Fixture {
  explicit Fixture(std::size_t at_once = 1)
      : rendering(std::make_shared<PromptRendering>(cache, at_once)) {
    rendering->add("f", zh, segments({"一", "二"}), segments({"三"}));
    rendering->add("f", en, segments({"one"}), segments({}));
  }
  telemetry::Registry metrics;
  ManualVoice voice;
  speech::PromptCache cache{{}, voice, metrics, [](const std::function<void()>& work) { work(); }};
  Voice zh{speech::Language::kChinese, "a", 1.0};
  Voice en{speech::Language::kEnglish, "b", 1.0};
  std::shared_ptr<PromptRendering> rendering;
};

}  // namespace

TEST_CASE("sentences of every language come before fragments, one at a time, and are counted") {
  Fixture f;
  CHECK(f.voice.said.empty());
  f.rendering->start();
  CHECK(f.voice.said == std::vector<std::string>{"一"});
  f.voice.answer();
  f.voice.answer();
  CHECK(f.rendering->left()[0].sentences == 0);
  CHECK(f.rendering->left()[0].fragments == 1);
  CHECK(f.rendering->left()[1].sentences == 1);
  CHECK(f.rendering->left()[1].language == speech::Language::kEnglish);
  f.voice.answer();
  f.voice.answer();
  CHECK(f.voice.said == std::vector<std::string>{"一", "二", "one", "三"});
  for (const auto& left : f.rendering->left()) CHECK(left.sentences + left.fragments == 0);
}

TEST_CASE("nothing is begun while a call is under way; what is there already is not rendered") {
  Fixture f;
  f.rendering->hold(true);
  f.rendering->start();
  CHECK(f.voice.said.empty());
  f.cache.fetch(f.zh.request("二", true), true, [](const Result<speech::Pcm>&) {});
  f.voice.answer();  // the call said it itself
  f.rendering->hold(false);
  CHECK(f.voice.said == std::vector<std::string>{"二", "一"});
  f.rendering->hold(true);
  f.voice.answer();  // finished, and no other begun
  CHECK(f.voice.said.size() == 2);
  CHECK(f.rendering->left()[0].sentences == 1);
  f.rendering->hold(false);
  CHECK(f.voice.said.back() == "one");
  CHECK(f.rendering->left()[0].sentences == 0);
}

TEST_CASE("as many are rendered at once as the voice takes, and none is begun while held") {
  Fixture f(2);
  f.rendering->start();
  CHECK(f.voice.said == std::vector<std::string>{"一", "二"});
  f.voice.answer();
  CHECK(f.voice.said.back() == "one");
  f.rendering->hold(true);
  f.voice.answer();
  f.voice.answer();
  CHECK(f.voice.said.size() == 3);
  f.rendering->hold(false);
  f.voice.answer();
  CHECK(f.voice.said == std::vector<std::string>{"一", "二", "one", "三"});
  for (const auto& left : f.rendering->left()) CHECK(left.sentences + left.fragments == 0);
}
