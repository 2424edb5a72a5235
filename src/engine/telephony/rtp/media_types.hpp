#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "engine/telephony/codec/frame.hpp"

/// Plain structs between the call loop and the media thread. Every `at` is a position on the
/// stream's one sample clock: 8 kHz, 0 at its first media tick, 160 a tick whatever is heard or
/// played, so transcript, ledger and recording agree.
namespace yyc3::rtp {

enum class Codec : std::uint8_t { kPcmu, kPcma };

/// What we may do, after offer and answer (RFC 3264 §6.1), seen from our side.
enum class Direction : std::uint8_t { kSendRecv, kSendOnly, kRecvOnly, kInactive };
constexpr bool may_send(Direction d) {
  return d == Direction::kSendRecv || d == Direction::kSendOnly;
}
constexpr bool may_receive(Direction d) {
  return d == Direction::kSendRecv || d == Direction::kRecvOnly;
}

/// The far side as its SDP says.
struct RemoteMedia {
  std::string ip;                 ///< IPv4 literal
  std::uint16_t port = 0;         ///< of RTP; 0 = none, nothing is sent
  std::uint16_t rtcp_port = 0;    ///< 0: port + 1
  std::uint8_t payload_type = 0;  ///< of `codec`, both ways
  Codec codec = Codec::kPcmu;
  std::optional<std::uint8_t> dtmf_payload_type;  ///< telephone-event/8000, when agreed
  int ptime_ms = 20;                              ///< what we send: 20, 40 or 60; any is received
  Direction direction = Direction::kSendRecv;
};

/// 20 ms to play. `utterance` names a reply's piece (non-zero); `offset` is its first sample's
/// place in the utterance; `samples` < 160 only in its last frame (the rest is silence).
struct PlayFrame {
  std::uint32_t epoch = 0;  ///< older than the stream's: dropped unheard
  std::uint32_t utterance = 0;
  std::uint32_t offset = 0;
  std::uint16_t samples = codec::kFrameSamples;
  bool last = false;  ///< ends the utterance
  codec::Frame pcm{};
};

/// 20 ms heard.
struct InputFrame {
  std::uint64_t at = 0;    ///< of its first sample
  float level_dbov = -96;  ///< RMS, 0 = full scale, -96 = digital silence
  bool vad = false;        ///< the energy VAD takes it for speech (false also: pre-roll)
  bool concealed = false;  ///< made up: the packet did not come in time
  codec::Frame pcm{};
};

enum class MediaEventKind : std::uint8_t {
  kLedgerStarted,  ///< the utterance's first packet has left (offset = where it began)
  kLedgerEnded,  ///< it ended: `samples` were played from `offset` on; `cut` when an epoch, another
                 ///< utterance or close ended it
  kUnderrun,     ///< hole inside an utterance: the ring ran dry (`samples` played so far)
  kPlayLow,      ///< fewer than kPlayLowFrames wait inside an utterance: queue more
  kDtmf,         ///< a key was pressed (`digit`, `samples` long)
  kVadOpened,    ///< speech began at `at`
  kVadClosed,    ///< speech ended at `at`
  kRtpTimeout,   ///< nothing received for the configured time; once until packets come again
  kRtpResumed,   ///< packets came again after kRtpTimeout
  kRemoteLatched,  ///< the first valid packet came: the socket is connected to its sender
  kRemoteBye,      ///< RTCP BYE of the far side
  kClosed,         ///< the last event of a stream
};

struct MediaEvent {
  MediaEventKind kind = MediaEventKind::kClosed;
  bool cut = false;
  char digit = 0;  ///< 0-9 * # A-D
  std::uint32_t utterance = 0;
  std::uint32_t epoch = 0;
  std::uint32_t offset = 0;
  std::uint32_t samples = 0;
  std::uint64_t at = 0;  ///< sample clock
  SteadyTime when{};     ///< the same on the steady clock (departure of the packet, arrival …)
};

/// How far the utterance now playing is (of its own samples, offset included).
struct PlayProgress {
  std::uint32_t utterance = 0;  ///< 0: none yet
  std::uint32_t samples = 0;
};

/// Totals of a stream since it began. Delays in ms.
struct StreamStats {
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t packets_lost = 0;  ///< RFC 3550 A.3: expected - received, not below 0
  std::uint64_t packets_late = 0;
  std::uint64_t packets_duplicate = 0;
  std::uint64_t packets_invalid = 0;
  std::uint64_t frames_concealed = 0;
  std::uint64_t input_dropped = 0;   ///< frames the call loop did not fetch in time
  std::uint64_t record_dropped = 0;  ///< frames the recorder did not fetch in time
  std::uint64_t events_dropped = 0;
  std::uint64_t underruns = 0;  ///< holes inside utterances
  double jitter_ms = 0;         ///< RFC 3550 §6.4.1, of what we receive
  double delay_target_ms = 0;   ///< of the jitter buffer
  double rtt_ms = 0;            ///< from RTCP; 0 = not known
  double remote_loss = 0;       ///< 0..1, as the far side's last report says
  double mos = 0;               ///< 1..4.5, E-model of loss, delay (ITU-T G.107, G.711 with PLC)
};

}  // namespace yyc3::rtp
