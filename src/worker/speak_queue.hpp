#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "platform/net/event_loop.hpp"
#include "worker/voice.hpp"

namespace yyc3::worker {

/// One voice thread and its bounded queue. Jobs of waiting callers (`live`) go first and push a
/// prompt that is being rendered ahead aside: it starts again later, at most twice.
/// Threads: every call and every answer on the home loop.
class SpeakQueue {
 public:
  struct Job {
    const Voice* voice = nullptr;
    std::string name;  ///< of the voice
    std::string text;
    double speed = 1.0;
    bool live = false;
    std::function<void(Result<Speech>)> answer;  ///< once, unless cancelled
    OrtCancel stop;
    bool cancelled = false;     ///< home loop
    bool pushed_aside = false;  ///< home loop
    int starts = 0;
    SteadyTime started{};
    /// Far beyond what any machine needs: 20 s and half a second a byte of text.
    [[nodiscard]] Milliseconds longest() const {
      return Milliseconds(20'000 + 500 * static_cast<std::int64_t>(text.size()));
    }
  };
  static constexpr std::size_t kLiveMax = 16;
  static constexpr std::size_t kRenderMax = 256;

  SpeakQueue(net::EventLoop& home, telemetry::Log& log, const Clock& clock);
  ~SpeakQueue();
  SpeakQueue(const SpeakQueue&) = delete;
  SpeakQueue& operator=(const SpeakQueue&) = delete;

  /// False when the queue of its class is full.
  bool add(std::shared_ptr<Job> job);
  /// The job never answers; if it runs, it stops before the network's next step (milliseconds).
  void cancel(const std::shared_ptr<Job>& job);
  /// What is being spoken will not come to its end: only a new process helps.
  [[nodiscard]] bool stuck() const {
    return running_ && clock_.now() > running_->started + running_->longest();
  }
  [[nodiscard]] std::size_t waiting() const { return live_.size() + render_.size(); }

 private:
  static constexpr int kStartsMax = 3;
  void dispatch();
  void finish(const std::shared_ptr<Job>& job, Result<Speech> speech);
  net::EventLoop& home_;
  const Clock& clock_;
  std::deque<std::shared_ptr<Job>> live_;
  std::deque<std::shared_ptr<Job>> render_;
  std::shared_ptr<Job> running_;
  std::unique_ptr<net::EventLoop> loop_;
};

}  // namespace yyc3::worker
