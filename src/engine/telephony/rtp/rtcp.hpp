#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.hpp"

namespace yyc3::rtp {

/// RFC 3550 §6.4.1.
struct ReportBlock {
  std::uint32_t ssrc = 0;          ///< whom it is about
  std::uint8_t fraction_lost = 0;  ///< of 256, since the last report
  std::int32_t lost = 0;           ///< cumulative; duplicates can make it negative
  std::uint32_t highest_sequence = 0;
  std::uint32_t jitter = 0;   ///< RTP ticks
  std::uint32_t last_sr = 0;  ///< middle 32 bits of the NTP time of the last SR; 0 = none
  std::uint32_t delay = 0;    ///< since that SR, 1/65536 s
};

struct SenderInfo {
  std::uint64_t ntp = 0;  ///< 32.32 fixed point seconds since 1900
  std::uint32_t rtp = 0;
  std::uint32_t packets = 0;
  std::uint32_t octets = 0;
};

/// What matters to a two-party call in one compound packet. More than 4 blocks: the rest is read
/// over.
struct RtcpReport {
  std::uint32_t ssrc = 0;  ///< of its sender
  std::optional<SenderInfo> sender;
  std::array<ReportBlock, 4> blocks{};
  std::size_t block_count = 0;
  bool bye = false;
};

/// nullopt unless `bytes` is a valid compound packet (RFC 3550 A.2): version 2 throughout, first an
/// SR or RR, lengths that add up exactly. No allocation.
std::optional<RtcpReport> parse_rtcp(ByteView bytes);

/// SR (with `sender`) or RR, at most 4 blocks, SDES with `cname` (≤ 32 characters are written), BYE
/// when asked. Returns the size, 0 when `out` is too small (256 bytes always do).
std::size_t build_rtcp(const RtcpReport& report, std::string_view cname,
                       std::span<std::uint8_t> out);

inline std::uint32_t ntp_middle(std::uint64_t ntp) { return static_cast<std::uint32_t>(ntp >> 16); }

/// Reception figures of one source (RFC 3550 A.1, A.3, A.8). Time is in RTP ticks.
class ReceptionStats {
 public:
  void on_packet(std::uint16_t sequence, std::uint32_t timestamp, std::uint32_t arrival);
  /// Another source began: counts start again, totals are kept.
  void restart();

  [[nodiscard]] std::uint64_t received() const { return total_received_; }
  [[nodiscard]] std::uint64_t lost() const;  ///< not below 0
  [[nodiscard]] double jitter() const { return jitter_ / 16.0; }
  [[nodiscard]] bool any() const { return started_; }
  /// The block for the next report; the fraction counts from the one before.
  ReportBlock report();

 private:
  [[nodiscard]] std::uint64_t expected() const;

  bool started_ = false;
  std::uint64_t first_ = 0;  ///< extended sequence numbers
  std::uint64_t highest_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t total_received_ = 0;
  std::uint64_t earlier_lost_ = 0;  ///< of sources before
  std::uint64_t expected_before_ = 0;
  std::uint64_t received_before_ = 0;
  std::uint32_t transit_ = 0;
  std::uint32_t jitter_ = 0;  ///< scaled by 16, as in A.8
};

/// Mean opinion score 1…4.5 by a simplified E-model (ITU-T G.107; G.711 with concealment, random
/// loss). @param one_way_ms mouth to ear. @param loss 0…1.
double mos_of(double one_way_ms, double loss);

}  // namespace yyc3::rtp
