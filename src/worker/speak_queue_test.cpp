#include "worker/speak_queue.hpp"

#include <algorithm>
#include <condition_variable>
#include <doctest/doctest.h>
#include <future>
#include <map>
#include <mutex>
#include <thread>

namespace yyc3::worker {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);  // far beyond what any step needs

/// Speaks each text until it is told how that ends.
class ToldVoice final : public Voice {
 public:
  Result<Speech> speak(std::string_view text, std::string_view, double,
                       const OrtCancel&) const override {
    std::unique_lock hold(lock_);
    const std::string mine(text);
    begun_.push_back(mine);
    changed_.notify_all();
    changed_.wait_for(hold, kPatience, [&] { return ends_.contains(mine); });
    const bool whole = ends_[mine];
    ends_.erase(mine);
    if (!whole) return fail(ErrorCode::kCancelled, "pushed aside");
    return Speech{8000, {1, 2, 3}};
  }
  [[nodiscard]] std::vector<std::string> voices() const override { return {"told"}; }

  void end(const std::string& text, bool whole) {
    const std::lock_guard hold(lock_);
    ends_[text] = whole;
    changed_.notify_all();
  }
  /// What was begun so far, once it is `count` texts.
  std::vector<std::string> begun(std::size_t count) {
    std::unique_lock hold(lock_);
    changed_.wait_for(hold, kPatience, [&] { return begun_.size() >= count; });
    return begun_;
  }

 private:
  mutable std::mutex lock_;  // between the test and the voice threads
  mutable std::condition_variable changed_;
  mutable std::map<std::string, bool> ends_;
  mutable std::vector<std::string> begun_;
};

TEST_CASE("prompts are spoken on every thread; a caller's text is alone and pushes them aside") {
  SystemClock clock;
  telemetry::NullLog log;
  net::EventLoop home("home", log);
  ToldVoice voice;
  auto queue = std::make_unique<SpeakQueue>(home, log, clock, 2);
  std::vector<std::string> answered;  // home loop
  const auto on_home = [&](const std::function<void()>& work) {
    std::promise<void> done;
    REQUIRE(home.post([&] {
      work();
      done.set_value();
    }));
    REQUIRE(done.get_future().wait_for(kPatience) == std::future_status::ready);
  };
  const auto add = [&](const std::string& text, bool live) {
    const auto job = std::make_shared<SpeakQueue::Job>();
    job->voice = &voice;
    job->text = text;
    job->live = live;
    job->answer = [&answered, text](const Result<Speech>& speech) {
      answered.push_back(speech ? text : text + " failed");
    };
    on_home([&] { CHECK(queue->add(job)); });
  };
  const auto all_answered = [&](std::size_t count) {
    std::vector<std::string> seen;
    for (int i = 0; i < 6'000 && seen.size() < count; ++i) {
      on_home([&] { seen = answered; });
      std::this_thread::sleep_for(Milliseconds{10});
    }
    return seen;
  };
  for (const char* prompt : {"a", "b", "c"}) add(prompt, false);
  CHECK(voice.begun(2).size() == 2);
  add("caller", true);
  voice.end("a", false);
  CHECK(voice.begun(3).back() == "caller");
  voice.end("b", false);
  add("second caller", true);
  voice.end("caller", true);
  CHECK(voice.begun(4).back() == "second caller");  // one at a time, before any prompt
  CHECK(all_answered(1) == std::vector<std::string>{"caller"});
  voice.end("second caller", true);
  const auto begun = voice.begun(6);
  CHECK(begun.size() == 6);
  CHECK(std::ranges::count(begun, "a") == 2);  // again, before those that had not begun
  CHECK(std::ranges::count(begun, "b") == 2);
  for (const char* prompt : {"a", "b", "c"}) voice.end(prompt, true);
  CHECK(all_answered(5).size() == 5);
  on_home([&] { queue.reset(); });
  home.stop();
  home.join();
}

}  // namespace
}  // namespace yyc3::worker
