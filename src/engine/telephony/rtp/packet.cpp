#include "engine/telephony/rtp/packet.hpp"

#include <algorithm>

namespace yyc3::rtp {

std::optional<RtpPacket> parse_rtp(ByteView bytes) {
  if (bytes.size() < kRtpHeader || (bytes[0] >> 6) != 2) return std::nullopt;
  RtpPacket packet;
  packet.marker = (bytes[1] & 0x80) != 0;
  packet.payload_type = bytes[1] & 0x7F;
  packet.sequence = read_u16(bytes, 2);
  packet.timestamp = read_u32(bytes, 4);
  packet.ssrc = read_u32(bytes, 8);
  std::size_t at = kRtpHeader + 4U * (bytes[0] & 0x0FU);
  if ((bytes[0] & 0x10) != 0) {
    if (bytes.size() < at + 4) return std::nullopt;
    at += 4U + 4U * read_u16(bytes, at + 2);
  }
  std::size_t end = bytes.size();
  if (at > end) return std::nullopt;
  if ((bytes[0] & 0x20) != 0) {
    const std::size_t padding = bytes[end - 1];
    if (padding == 0 || padding > end - at) return std::nullopt;
    end -= padding;
  }
  packet.payload = bytes.subspan(at, end - at);
  return packet;
}

std::size_t build_rtp(const RtpPacket& packet, std::span<std::uint8_t> out) {
  const std::size_t size = kRtpHeader + packet.payload.size();
  if (out.size() < size) return 0;
  out[0] = 0x80;
  out[1] = static_cast<std::uint8_t>((packet.marker ? 0x80 : 0) | (packet.payload_type & 0x7F));
  write_u16(out, 2, packet.sequence);
  write_u32(out, 4, packet.timestamp);
  write_u32(out, 8, packet.ssrc);
  std::copy(packet.payload.begin(), packet.payload.end(), out.begin() + kRtpHeader);
  return size;
}

}  // namespace yyc3::rtp
