#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "platform/net/event_loop.hpp"
#include "worker/silero_vad.hpp"
#include "worker/stream_audio.hpp"

namespace yyc3::worker {

/// Runs voice activity for all streams on one thread, as many streams in one run as wait.
/// Threads: add on the home loop; answers on the home loop.
class VadPump {
 public:
  /// What the detector remembers of one stream; touched only by the pump's thread.
  using Memory = std::shared_ptr<SileroVad::State>;
  using Answer = std::function<void(std::uint64_t end_sample, float probability)>;
  static constexpr std::size_t kWaitingMax = 4096;

  VadPump(SileroVad vad, net::EventLoop& home, telemetry::Log& log);
  ~VadPump();
  VadPump(const VadPump&) = delete;
  VadPump& operator=(const VadPump&) = delete;

  /// False when kWaitingMax frames wait; the frame is dropped.
  bool add(const Memory& memory, const StreamAudio::VadFrame& frame,
           const std::shared_ptr<Answer>& answer);
  /// Called on the home loop after the answers of a run were given.
  void on_run(std::function<void()> after) { after_ = std::move(after); }

 private:
  struct Item {
    Memory memory;
    StreamAudio::VadFrame frame;
    std::shared_ptr<Answer> answer;
    float probability = 0;
  };
  void drain();
  void run(std::vector<Item>& items);
  SileroVad vad_;
  net::EventLoop& home_;
  telemetry::Log& log_;
  std::function<void()> after_;
  std::mutex mutex_;
  std::vector<Item> waiting_;
  bool scheduled_ = false;
  std::unique_ptr<net::EventLoop> loop_;  // last: its thread uses what is above
};

}  // namespace yyc3::worker
