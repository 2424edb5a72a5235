#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "engine/telephony/rtp/dtmf.hpp"
#include "engine/telephony/rtp/energy_vad.hpp"
#include "engine/telephony/rtp/jitter_buffer.hpp"
#include "engine/telephony/rtp/latch.hpp"
#include "engine/telephony/rtp/playout.hpp"
#include "engine/telephony/rtp/rtcp.hpp"
#include "engine/telephony/rtp/stream_rings.hpp"

namespace yyc3::rtp {

struct RtpPacket;

/// One audio leg without its socket: packets and time in, packets and events out. sans-I/O.
/// Threads: none; lives on a media thread. Allocates nothing.
class MediaStreamCore final : private EventSink {
 public:
  struct Config {
    std::uint32_t ssrc = 0;  ///< this and the next two are random (RFC 3550 §5.1, §8)
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    Milliseconds rtp_timeout{30'000};  ///< 0: never told
    bool vad_gate = true;
    bool bridged = false;  ///< no far side: plays into Output::pcm, hears what on_tick is given
    std::array<char, 32> cname{};
    std::size_t cname_size = 0;
  };
  /// What one tick sends. Reused from stream to stream.
  struct Output {
    std::array<std::uint8_t, 12 + 480> rtp{};
    std::size_t rtp_size = 0;
    std::array<std::uint8_t, 256> rtcp{};
    std::size_t rtcp_size = 0;
    codec::Frame pcm{};  ///< what a bridged leg plays
  };

  MediaStreamCore(StreamRings& rings, const Config& config)
      : config_(config), rings_(rings), playout_(rings, *this), random_(config.ssrc | 1) {}

  /// Time begins: sample 0 is at `now`. `utc` is the same moment, for RTCP.
  void begin(SteadyTime now, UtcTime utc);
  void set_remote(const RemoteSpec& remote, SteadyTime now);
  void record(RecordTap* tap) { tap_ = tap; }
  void monitor(RecordTap* tap) { monitor_ = tap; }
  bool send_dtmf(std::string_view digits) { return keys_out_.queue(digits); }

  /// An RTP or RTCP datagram as it came. Anything not valid or not of the far side is counted.
  void on_packet(ByteView bytes, Address from, SteadyTime now);
  void on_rtcp(ByteView bytes, SteadyTime now);
  /// Every 20 ms. @param heard bridged legs: the browser's frame, or nullptr when none came.
  void on_tick(SteadyTime now, Output& out, const codec::Frame* heard = nullptr);
  /// Before on_tick, some time apart: what it touches, then (that has come) the frames it touches.
  void fetch_state() const;
  void fetch_frames() const;
  /// The media thread was held up: `count` ticks are left out, the clocks go on.
  void skip_ticks(std::uint32_t count) { clock_ += count * codec::kFrameSamples; }
  /// Ends the ledger and the tap; `out` holds the BYE.
  void close(SteadyTime now, Output& out);

  /// True once after an event or input was handed to the call loop.
  bool take_news();
  [[nodiscard]] bool latched() const { return latch_.latched(); }
  [[nodiscard]] Address destination() const { return latch_.destination(); }
  [[nodiscard]] Address rtcp_destination() const;
  [[nodiscard]] std::uint64_t clock() const { return clock_; }
  [[nodiscard]] const StreamStats& stats() const { return stats_; }
  void publish_stats();

 private:
  void emit(const MediaEvent& event) override;
  void tell(MediaEventKind kind, std::uint64_t at, SteadyTime when);
  void tell_key(const DtmfKey& key, SteadyTime when);
  [[nodiscard]] std::int64_t samples_at(SteadyTime now) const;
  bool right_source(const RtpPacket& packet);
  void on_audio(const RtpPacket& packet, SteadyTime now);
  void hear(SteadyTime now, const codec::Frame* bridged);
  void hand_over(const HeardFrame& frame, SteadyTime now);
  void push_input(const HeardFrame& frame);
  void speak(SteadyTime now, Output& out);
  bool tell_tap(RecordTap& tap, const codec::MuFrame& played) const;
  void send_audio(const codec::Frame& pcm, const codec::MuFrame& mulaw, Output& out);
  void send_key(Output& out);
  void send_rtcp(SteadyTime now, bool bye, Output& out);
  void watch_silence(SteadyTime now);
  [[nodiscard]] std::uint64_t ntp_at(SteadyTime now) const;
  std::uint32_t random();

  static constexpr std::size_t kPreroll = 15;  ///< 300 ms

  Config config_;
  StreamRings& rings_;
  Playout playout_;
  JitterBuffer jitter_;
  EnergyVad vad_;
  DtmfReceiver keys_in_;
  DtmfSender keys_out_;
  ReceptionStats reception_;
  Latch latch_;
  RemoteSpec remote_;
  RecordTap* tap_ = nullptr;
  RecordTap* monitor_ = nullptr;
  StreamStats stats_;
  std::uint64_t random_;

  SteadyTime started_{};
  UtcTime started_utc_{};
  std::uint64_t clock_ = 0;  ///< samples since started_
  bool news_ = false;

  codec::MuFrame heard_mulaw_{};  ///< of this tick, for the recorder
  std::array<HeardFrame, kPreroll> preroll_{};
  std::size_t preroll_first_ = 0;
  std::size_t preroll_count_ = 0;
  bool speech_ = false;

  std::array<std::uint8_t, 480> payload_{};  ///< of the packet being gathered
  std::size_t payload_size_ = 0;
  std::uint32_t payload_time_ = 0;
  bool mark_ = true;  ///< the next audio packet begins a talk spurt
  std::uint32_t octets_sent_ = 0;

  bool has_ssrc_ = false;
  std::uint32_t remote_ssrc_ = 0;
  std::uint32_t other_ssrc_ = 0;  ///< seen once: a second packet in sequence makes it the source
  std::uint16_t other_sequence_ = 0;
  SteadyTime last_packet_{};
  bool timed_out_ = false;

  SteadyTime next_rtcp_{};
  std::uint32_t last_sr_ = 0;  ///< of the far side, middle of its NTP time …
  SteadyTime last_sr_at_{};    ///< … and when it came
};

}  // namespace yyc3::rtp
