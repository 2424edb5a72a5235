#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <sys/epoll.h>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "engine/telephony/rtp/media_engine.hpp"
#include "engine/telephony/rtp/rtp_metrics.hpp"
#include "engine/telephony/rtp/stream_shared.hpp"

namespace yyc3::rtp {

/// One media thread: a 2.5 ms wheel of eight buckets, each stream in one of them, and an epoll of
/// all sockets. It sleeps till a bucket is due, sends it, then reads what came meanwhile; it never
/// wakes for a packet. Sending has priority: between two reads of at most 32 ready sockets (one
/// datagram each) the wheel is looked at, and reading stops kRest before the next bucket. So
/// however much comes in, what is due goes out, and as long as sending leaves room for it a
/// real-time thread stays below the share of a core (95 %) at which the kernel stops it for 50 ms.
/// Never allocates, locks, waits (but for the wheel), logs or touches a disk once it runs.
class MediaThread {
 public:
  /// Errors: kUnavailable no descriptor. `streams` is how many it can carry.
  static Result<std::unique_ptr<MediaThread>> start(int core, bool realtime, std::size_t streams,
                                                    const Clock& clock, RtpMetrics& metrics);
  ~MediaThread();
  MediaThread(const MediaThread&) = delete;
  MediaThread& operator=(const MediaThread&) = delete;

  /// A link to one more call loop (≤ kLinks); from the engine's thread.
  LoopLink* add_link(int bell);
  [[nodiscard]] const MediaThreadInfo& info() const { return info_; }
  [[nodiscard]] std::size_t load() const;

  static constexpr std::size_t kLinks = 64;

 private:
  MediaThread(int core, const Clock& clock, RtpMetrics& metrics)
      : clock_(clock), metrics_(metrics) {
    info_.core = core;
  }
  Result<void> prepare(std::size_t streams);
  void run(bool realtime);
  void take_priority(bool realtime);
  void wait_for_wheel() const;
  void receive_all();
  void receive(StreamShared& stream, bool rtcp, SteadyTime now);
  void run_wheel();
  void catch_up(SteadyTime now);
  void tick_bucket(SteadyTime due);
  void attach_new();
  void attach(StreamShared& stream, LoopLink& link);
  void detach(StreamShared& stream, SteadyTime now);
  void obey(StreamShared& stream, SteadyTime now);
  void tick(StreamShared& stream, SteadyTime now);
  void tick_bridge(StreamShared& stream, SteadyTime now);
  void transmit(StreamShared& stream);
  void follow_remote(StreamShared& stream);
  void count(StreamShared& stream);
  void notify(StreamShared& stream);
  void ring_bells();

  static constexpr std::size_t kEvents = 32;
  static constexpr std::size_t kBuckets =
      8;  ///< of 2.5 ms: a bucket of 250 streams is out in 1.5 ms

  const Clock& clock_;
  RtpMetrics& metrics_;
  MediaThreadInfo info_;
  Fd epoll_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> running_{false};
  std::array<std::unique_ptr<LoopLink>, kLinks> links_;
  std::atomic<std::size_t> link_count_{0};
  std::array<std::vector<StreamShared*>, kBuckets> buckets_;
  std::size_t bucket_ = 0;  ///< the next one due
  SteadyTime due_{};        ///< when
  std::array<epoll_event, kEvents> events_{};
  MediaStreamCore::Output output_;
  std::thread thread_;
};

}  // namespace yyc3::rtp
