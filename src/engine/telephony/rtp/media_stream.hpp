#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "engine/telephony/rtp/media_types.hpp"
#include "engine/telephony/rtp/record_tap.hpp"

namespace yyc3::rtp {

class LoopPort;
struct StreamShared;

inline constexpr std::size_t kPlayFrames = 48;     ///< 960 ms wait to be played
inline constexpr std::size_t kPlayLowFrames = 16;  ///< below: kPlayLow
inline constexpr std::size_t kInputFrames = 32;    ///< 640 ms wait to be fetched
inline constexpr std::size_t kEventSlots = 32;
inline constexpr std::size_t kCommandSlots = 8;

/// The call loop's end of one audio leg. Every function but push_inbound / pop_outbound belongs to
/// the one call loop the stream was opened for; none blocks. Destroying it closes the stream.
/// Memory: ≤ 56 KB (a bridged leg 10 KB more), all of it allocated by open().
class MediaStream {
 public:
  ~MediaStream();
  MediaStream(const MediaStream&) = delete;
  MediaStream& operator=(const MediaStream&) = delete;

  /// RTP port to offer (even; RTCP is the next one); 0 for a bridged leg.
  [[nodiscard]] std::uint16_t local_port() const;
  [[nodiscard]] std::uint64_t tag() const;  ///< the caller's own number, from StreamConfig

  /// Offer/answer is done, or done again: where to send and what. An address other than before
  /// unlatches: the next valid packet's sender is the far side. May be called before any answer
  /// (early media). Errors: kInvalid with the field; kBusy when 8 commands wait (media stuck).
  Result<void> set_remote(const RemoteMedia& remote);
  /// Sound starts flowing to `tap` with the next tick; once a stream.
  Result<void> record(std::shared_ptr<RecordTap> tap);
  /// The same for the call loop itself, which is woken for each frame: to compare both directions.
  /// What next_input gives of a tick may be seen before that tick's frame is. Once a stream.
  Result<void> monitor(std::shared_ptr<RecordTap> tap);

  /// False when kPlayFrames wait: try again at kPlayLow or 20 ms later. Frames of an epoch older
  /// than the stream's are accepted and dropped unheard by the media thread.
  bool queue(const PlayFrame& frame);
  [[nodiscard]] std::size_t queued() const;
  /// Silences what is playing and queued: the next packet (≤ 20 ms) holds a 5 ms fade, then
  /// silence. Returns the new epoch, for the next reply's frames.
  std::uint32_t raise_epoch();
  [[nodiscard]] std::uint32_t epoch() const;
  /// Holds the reply with a fade, or goes on where it was held. The ledger counts what was heard.
  void pause();
  void resume();
  [[nodiscard]] bool paused() const;
  /// Plays 12 dB softer while on.
  void duck(bool on);
  [[nodiscard]] PlayProgress progress() const;

  /// Next 20 ms heard. Only while the energy VAD is open and 300 ms before; all of them when the
  /// stream was opened with vad_gate = false. False when there is none.
  bool next_input(InputFrame& out);
  bool next_event(MediaEvent& out);
  /// Sample clock at the last media tick. `started_at` + clock / 8000 s is the steady time.
  [[nodiscard]] std::uint64_t sample_clock() const;
  [[nodiscard]] SteadyTime started_at() const;  ///< {} before the first tick
  [[nodiscard]] StreamStats stats() const;

  /// Sends keys as RFC 4733 events, 100 ms each, 60 ms apart. Errors: kInvalid not 1–16 of
  /// 0-9*#A-D; kUnavailable no telephone-event was agreed; kBusy.
  Result<void> send_dtmf(std::string_view digits);

  /// BYE goes out, the ledger ends, kClosed is the last event. Idempotent.
  void close();
  [[nodiscard]] bool closed() const;  ///< the media thread has let go

  /// Bridged leg: one other thread (its web loop) hands in what the browser said …
  /// False when 16 frames (320 ms) wait: dropped and counted.
  bool push_inbound(const codec::Frame& frame);
  /// … and takes what the bot says, 20 ms each. `outbound_fd` is readable when there is some.
  bool pop_outbound(codec::Frame& out);
  [[nodiscard]] int outbound_fd() const;  ///< an eventfd; -1 for an RTP leg. Read 8 bytes to rearm

 private:
  friend class LoopPort;
  friend class MediaEngine;
  friend class VirtualLine;  // of simulated calls
  Result<void> tap(std::shared_ptr<RecordTap> tap, bool monitor);
  explicit MediaStream(StreamShared& shared) : shared_(&shared) {}
  StreamShared* shared_;
};

}  // namespace yyc3::rtp
