#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "engine/telephony/codec/frame.hpp"

namespace yyc3::rtp {

/// Counts since the stream began.
struct JitterCounts {
  std::uint64_t stored = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t late = 0;       ///< came after its time
  std::uint64_t concealed = 0;  ///< frames with at least one made-up sample inside speech
  std::uint64_t skipped = 0;    ///< samples left out to catch up
  std::uint64_t inserted = 0;   ///< samples added to slow down
  std::uint64_t resyncs = 0;    ///< timestamps began anew
};

/// Turns packets as they come into 20 ms as they are due.
///
/// A ring of 512 ms of mu-law samples, addressed by RTP time, so any packet length, order and
/// repetition is the same to it. Play-out follows a line: the fastest packet of the last seconds
/// gives the transport's least delay (this also follows clock drift), and the target (25–200 ms) is
/// what 97 % of packets need above it. Away from the line it corrects itself in silence, in speech
/// only when far off. What is missing is made of the last sound, fading out over 60 ms.
///
/// Units: `now` is in 8 kHz samples of the caller's own clock. Threads: none; owned by one stream.
class JitterBuffer {
 public:
  enum class Insert : std::uint8_t { kStored, kDuplicate, kLate, kHeldBack };

  /// One packet's sound. @param mulaw 1–960 samples, more is cut off.
  /// kHeldBack: its timestamp is far from all before; a second one like it makes a new beginning.
  Insert insert(std::uint32_t timestamp, std::span<const std::uint8_t> mulaw, std::int64_t now);

  struct Played {
    bool real = false;       ///< at least one sample came from a packet
    bool concealed = false;  ///< at least one was made up
  };
  /// The next 20 ms. Call once every 160 samples of `now`. Before the first packet: silence.
  Played pop(std::int64_t now, codec::Frame& out);

  /// Before pop(): its state, then (that has come) the sound.
  void fetch_state() const;
  void fetch_sound() const;

  /// Another source: forgets all but the counts and what it learnt about the network.
  void reset();
  [[nodiscard]] int target() const { return target_; }  ///< samples
  [[nodiscard]] const JitterCounts& counts() const { return counts_; }

  static constexpr std::size_t kRing = 4096;
  static constexpr int kTargetMin = 160;
  static constexpr int kTargetMax = 1600;

 private:
  static constexpr std::size_t kBuckets = 40;  ///< of 5 ms
  static constexpr int kBucket = 40;
  static constexpr int kFadeSamples = 480;  ///< 60 ms
  static constexpr std::size_t kBlend = 40;

  void learn(std::int64_t offset, std::int64_t now);
  void choose_target();
  void begin(std::int64_t first, std::int64_t now);
  [[nodiscard]] std::int64_t unwrap(std::uint32_t timestamp) const;
  [[nodiscard]] std::int64_t base() const;
  [[nodiscard]] std::int64_t line(std::int64_t now) const { return now - base() - target_; }
  [[nodiscard]] bool has(std::int64_t at) const;
  [[nodiscard]] bool has_all(std::int64_t from, std::int64_t count) const;
  void mark(std::int64_t from, std::int64_t count, bool present);
  void forget(std::int64_t from, std::int64_t to);
  void skip(std::int64_t count);
  std::int64_t correct(std::int64_t now);
  void blend(codec::Frame& out);
  std::int16_t next_made_up();
  void fill(std::int64_t from, std::span<std::int16_t> out, Played& played);

  std::array<std::uint8_t, kRing> ring_{};
  std::array<std::uint64_t, kRing / 64> present_{};
  std::array<float, kBuckets> delays_{};
  codec::Frame last_{};  ///< last real sound: what concealment repeats
  JitterCounts counts_;

  bool started_ = false;
  bool quiet_ = true;            ///< the last 20 ms were silence or made up
  std::int64_t play_ = 0;        ///< extended RTP time of the next sample
  std::int64_t newest_ = 0;      ///< one past the newest sample stored
  std::int64_t low_now_ = 0;     ///< least offset in this window …
  std::int64_t low_before_ = 0;  ///< … and in the one before
  std::int64_t window_end_ = 0;
  int target_ = 360;
  int packets_ = 0;             ///< learnt from, up to 200
  int made_up_ = kFadeSamples;  ///< samples since the last real one
  bool blending_ = false;
  std::array<std::int16_t, kBlend> blend_{};
  bool holding_ = false;
  std::int64_t held_back_ = 0;
  std::int64_t held_back_at_ = 0;
};

}  // namespace yyc3::rtp
