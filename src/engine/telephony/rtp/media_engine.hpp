#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "engine/telephony/rtp/media_stream.hpp"
#include "engine/telephony/rtp/media_types.hpp"
#include "platform/telemetry/metrics.hpp"

namespace yyc3::rtp {

class MediaThread;
class PortPool;
struct RtpMetrics;

struct MediaConfig {
  std::vector<int> cores{-1};         ///< one media thread each; -1 = not pinned. 1–64 entries
  std::string bind_ip = "127.0.0.1";  ///< IPv4 literal the RTP sockets bind to
  std::uint16_t port_first = 20000;   ///< even; pairs up to port_last are used in turn
  std::uint16_t port_last = 29999;    ///< odd
  Milliseconds rtp_timeout{30'000};   ///< without a packet while we may receive; 0 = never told
  std::size_t streams_max = 4096;     ///< a loop port; open() refuses beyond
  bool realtime = true;               ///< try SCHED_FIFO, SCHED_RR, nice -10, in this order
};

enum class StreamKind : std::uint8_t { kRtp, kBridged };

struct StreamConfig {
  StreamKind kind = StreamKind::kRtp;
  std::uint64_t tag = 0;         ///< handed back by MediaStream::tag()
  bool vad_gate = true;          ///< false: every frame heard goes to the call loop
  std::string cname = "aicall";  ///< of RTCP, ≤ 32 characters
};

/// How the media threads came to run: for `doctor` and the log.
struct MediaThreadInfo {
  int core = -1;
  std::string priority;  ///< "SCHED_FIFO 10", "SCHED_RR 10", "nice -10" or "normal"
};

/// One call loop's door to the media threads: opens streams, is woken, finds which have news.
/// Every function belongs to that loop's thread. Owned by the engine.
class LoopPort {
 public:
  ~LoopPort();
  LoopPort(const LoopPort&) = delete;
  LoopPort& operator=(const LoopPort&) = delete;

  /// Opens a leg on the least loaded media thread. Errors: kBusy no free port pair or
  /// streams_max reached; kUnavailable no descriptor or socket.
  Result<std::unique_ptr<MediaStream>> open(const StreamConfig& config);

  /// An eventfd, readable when a stream has news; written at most once a tick by each media thread.
  [[nodiscard]] int wake_fd() const;
  /// After a wake-up: rearms the eventfd and lets go of streams that have ended.
  void acknowledge();
  /// The next stream with input or events since it was last returned; nullptr when none. Drain it:
  /// it is not named again for news that was there before.
  MediaStream* next_ready();
  [[nodiscard]] std::size_t streams() const;  ///< open, or not yet let go by the media thread

 private:
  friend class MediaEngine;
  struct Impl;
  explicit LoopPort(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The media plane of one process: RTP in and out, jitter, VAD, playout, ledger; see README.md.
/// Threads: start, add_loop and stop from one thread; the rest as said at each class.
class MediaEngine {
 public:
  /// Binds nothing yet, starts the media threads. Errors: kInvalid with the key at fault.
  static Result<std::unique_ptr<MediaEngine>> start(MediaConfig config, const Clock& clock,
                                                    telemetry::Registry& registry);
  /// Stops the threads. Handles of streams must have gone before.
  ~MediaEngine();
  MediaEngine(const MediaEngine&) = delete;
  MediaEngine& operator=(const MediaEngine&) = delete;

  /// A door for one more call loop (≤ 64); lives as long as the engine.
  LoopPort& add_loop();
  [[nodiscard]] std::vector<MediaThreadInfo> threads() const;
  /// Bytes of one stream's own state (sockets of the kernel not counted).
  static std::size_t bytes_per_stream();

 private:
  struct Impl;
  explicit MediaEngine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace yyc3::rtp
