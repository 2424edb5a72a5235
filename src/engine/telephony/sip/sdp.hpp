#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace yyc3::sip {

enum class AudioCodec : std::uint8_t { kPcmu, kPcma };

/// Which way audio may flow, always as seen by us (RFC 4566 §6, RFC 3264 §6.1).
enum class Direction : std::uint8_t { kSendRecv, kSendOnly, kRecvOnly, kInactive };

std::string_view name_of(AudioCodec codec);     ///< "PCMU", "PCMA"
std::string_view name_of(Direction direction);  ///< "sendrecv" …

/// Where we want our audio: one UDP port the caller of SIP has opened already.
struct LocalMedia {
  std::string address = "127.0.0.1";  ///< literal IPv4 or IPv6
  std::uint16_t rtp_port = 0;         ///< 1–65535; RTCP on port + 1 unless rtcp_port
  std::optional<std::uint16_t> rtcp_port;
  std::vector<AudioCodec> codecs = {AudioCodec::kPcmu, AudioCodec::kPcma};  ///< in order
  std::uint8_t dtmf_payload_type = 101;  ///< telephone-event/8000 (RFC 4733), 96–127
  std::uint16_t ptime_ms = 20;
};

/// What the other side agreed to: everything RTP needs to send and to understand.
struct RemoteMedia {
  std::string address;          ///< literal IPv4 or IPv6
  std::uint16_t rtp_port = 0;   ///< 1–65535
  std::uint16_t rtcp_port = 0;  ///< equals rtp_port when rtcp_mux
  bool rtcp_mux = false;        ///< RFC 5761
  AudioCodec codec = AudioCodec::kPcmu;
  std::uint8_t payload_type = 0;                  ///< of `codec`, both ways
  std::optional<std::uint8_t> dtmf_payload_type;  ///< absent: no RFC 4733
  std::uint16_t ptime_ms = 20;                    ///< what the peer wants to receive, 10–200
  Direction direction = Direction::kSendRecv;     ///< kRecvOnly or kInactive: we are on hold
  bool operator==(const RemoteMedia&) const = default;
};

/// The o= line of one session (RFC 3264 §8): the id stays, the version grows with each new text.
struct SdpOrigin {
  std::uint64_t session_id = 1;
  std::uint64_t version = 1;
};

inline constexpr std::size_t kMaxSdpBytes = 16'384;
inline constexpr std::size_t kMaxSdpLines = 512;

/// An offer (RFC 3264 §5): one audio stream.
std::string make_offer(const LocalMedia& local, const SdpOrigin& origin,
                       Direction direction = Direction::kSendRecv);

/// Reads the answer to an offer of ours.
/// Errors: kInvalid: not SDP, too long, an address that is not a literal IP (or is multicast,
/// unspecified or broadcast), a number out of range. kConflict: well-formed, but no common codec
/// (the stream is refused with port 0, has other codecs only, or is not RTP/AVP).
Result<RemoteMedia> parse_answer(std::string_view sdp, const LocalMedia& local);

/// A new offer by the peer, and our answer to it.
struct AnsweredOffer {
  RemoteMedia remote;
  std::string answer;  ///< SDP: every further m= line refused with port 0 (RFC 3264 §6)
};

/// Answers a (re-)offer. A codec already in use (`current`) is kept when it is offered still.
/// Errors: as parse_answer(); answer a kConflict with 488, kInvalid with 400.
Result<AnsweredOffer> answer_offer(std::string_view sdp, const LocalMedia& local,
                                   const SdpOrigin& origin,
                                   std::optional<AudioCodec> current = std::nullopt);

/// A literal IPv4 or IPv6 unicast address: what may stand in c= and in configuration.
bool is_ip_literal(std::string_view text);

}  // namespace yyc3::sip
