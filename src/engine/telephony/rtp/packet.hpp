#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.hpp"

namespace yyc3::rtp {

inline constexpr std::size_t kRtpHeader = 12;

/// One RTP packet (RFC 3550 §5.1), its payload still in the bytes it was parsed from.
struct RtpPacket {
  bool marker = false;
  std::uint8_t payload_type = 0;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;  ///< 8 kHz ticks
  std::uint32_t ssrc = 0;
  ByteView payload;  ///< without CSRCs, header extension and padding
};

/// nullopt when `bytes` is not RTP version 2 or a length in it does not fit. No allocation: the
/// media thread uses it, so hostile bytes cost nothing but a counter.
std::optional<RtpPacket> parse_rtp(ByteView bytes);

/// Writes header and payload to `out`; returns the size, 0 when `out` is too small.
std::size_t build_rtp(const RtpPacket& packet, std::span<std::uint8_t> out);

/// True for what RFC 5761 §4 says is RTCP when both share a port.
inline bool looks_like_rtcp(ByteView bytes) {
  return bytes.size() >= 8 && (bytes[0] >> 6) == 2 && bytes[1] >= 192 && bytes[1] <= 223;
}

/// b comes after a on the 16-bit circle.
inline bool sequence_after(std::uint16_t b, std::uint16_t a) {
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(b - a)) > 0;
}

}  // namespace yyc3::rtp
