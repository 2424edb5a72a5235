#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "engine/telephony/codec/frame.hpp"
#include "engine/telephony/rtp/stream_rings.hpp"

namespace yyc3::rtp {

/// Where a stream's events go. Called on the media thread.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void emit(const MediaEvent& event) = 0;
};

/// Makes what is sent out of what was queued, and keeps the ledger of it: the one truth of what
/// the caller heard. Lives on the media thread; the rings are its only input.
///
/// Invariants: a frame of an epoch older than the stream's is never sent, but for the first 5 ms
/// of the frame that was next, fading out, and those are not counted as played. Each utterance that
/// started ends exactly once. What the ledger counts was sent.
class Playout {
 public:
  Playout(StreamRings& rings, EventSink& sink) : rings_(rings), sink_(sink) {}

  struct Tick {
    std::uint64_t at = 0;  ///< sample clock
    SteadyTime when{};
    bool may_play = true;  ///< false: on hold, keys being sent …
  };
  /// The next 20 ms. True when there is sound in it.
  bool next(const Tick& tick, codec::Frame& out);
  /// The stream ends: so does the utterance being played, cut unless complete.
  void close(const Tick& tick);

 private:
  void drop_old(std::uint32_t epoch);
  bool fade_out(codec::Frame& out);
  void take(const Tick& tick, const PlayFrame& frame, codec::Frame& out);
  void end(const Tick& tick, bool cut);
  void tell(MediaEventKind kind, const Tick& tick, bool cut = false);
  void scale(codec::Frame& out);

  StreamRings& rings_;
  EventSink& sink_;
  bool active_ = false;   ///< an utterance has started and not ended
  bool audible_ = false;  ///< the last tick sent sound of it
  bool low_told_ = false;
  bool dry_told_ = false;
  float gain_ = 1;
  std::uint32_t utterance_ = 0;
  std::uint32_t epoch_ = 0;
  std::uint32_t from_ = 0;  ///< offset it began at
  std::uint32_t to_ = 0;    ///< one past the last sample sent
};

}  // namespace yyc3::rtp
