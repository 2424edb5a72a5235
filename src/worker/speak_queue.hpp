#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "platform/net/event_loop.hpp"
#include "worker/voice.hpp"

namespace yyc3::worker {

/// Voice threads and their bounded queue. Jobs of waiting callers (`live`) go first, one at a time
/// and alone: they push prompts that are being rendered ahead aside, which start again later, at
/// most twice. Prompts are rendered on every thread.
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

  /// @param threads 1..16.
  SpeakQueue(net::EventLoop& home, telemetry::Log& log, const Clock& clock, int threads);
  ~SpeakQueue();
  SpeakQueue(const SpeakQueue&) = delete;
  SpeakQueue& operator=(const SpeakQueue&) = delete;

  /// False when the queue of its class is full.
  bool add(std::shared_ptr<Job> job);
  /// The job never answers; if it runs, it stops before the network's next step (milliseconds).
  void cancel(const std::shared_ptr<Job>& job);
  /// What is being spoken will not come to its end: only a new process helps.
  [[nodiscard]] bool stuck() const;
  [[nodiscard]] std::size_t waiting() const { return live_.size() + render_.size(); }

 private:
  struct Seat {
    std::shared_ptr<Job> running;
    std::unique_ptr<net::EventLoop> loop;
  };
  static constexpr int kStartsMax = 3;
  void push_renders_aside();
  void dispatch();
  void start(Seat& seat, std::deque<std::shared_ptr<Job>>& queue);
  void finish(Seat& seat, const std::shared_ptr<Job>& job, Result<Speech> speech);
  net::EventLoop& home_;
  const Clock& clock_;
  std::deque<std::shared_ptr<Job>> live_;
  std::deque<std::shared_ptr<Job>> render_;
  std::vector<Seat> seats_;  ///< their number never changes: threads point into it
};

}  // namespace yyc3::worker
