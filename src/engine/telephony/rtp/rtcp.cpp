#include "engine/telephony/rtp/rtcp.hpp"

#include <algorithm>

namespace yyc3::rtp {

namespace {

constexpr std::uint8_t kSr = 200;
constexpr std::uint8_t kRr = 201;
constexpr std::uint8_t kSdes = 202;
constexpr std::uint8_t kBye = 203;
constexpr std::size_t kBlockSize = 24;
constexpr std::size_t kCnameMax = 32;
// Sequence numbers (RFC 3550 A.1): a jump beyond these is another sender's doing.
constexpr int kDropoutMax = 3000;
constexpr int kMisorderMax = 100;

ReportBlock read_block(ByteView b) {
  ReportBlock block;
  block.ssrc = read_u32(b, 0);
  block.fraction_lost = b[4];
  const std::uint32_t lost = read_u32(b, 4) & 0xFFFFFF;
  block.lost = static_cast<std::int32_t>(lost << 8) >> 8;  // 24-bit signed
  block.highest_sequence = read_u32(b, 8);
  block.jitter = read_u32(b, 12);
  block.last_sr = read_u32(b, 16);
  block.delay = read_u32(b, 20);
  return block;
}

void write_block(std::span<std::uint8_t> b, const ReportBlock& block) {
  write_u32(b, 0, block.ssrc);
  const std::int32_t lost = std::clamp(block.lost, -0x800000, 0x7FFFFF);
  write_u32(b, 4,
            static_cast<std::uint32_t>(block.fraction_lost) << 24 |
                (static_cast<std::uint32_t>(lost) & 0xFFFFFF));
  write_u32(b, 8, block.highest_sequence);
  write_u32(b, 12, block.jitter);
  write_u32(b, 16, block.last_sr);
  write_u32(b, 20, block.delay);
}

/// One SR or RR into `report`; false when its length does not hold what its header says.
bool read_report(ByteView packet, RtcpReport& report) {
  const std::size_t count = packet[0] & 0x1F;
  const bool sender = packet[1] == kSr;
  const std::size_t head = sender ? 28 : 8;
  if (packet.size() < head + count * kBlockSize) return false;
  report.ssrc = read_u32(packet, 4);
  if (sender) {
    SenderInfo info;
    info.ntp = static_cast<std::uint64_t>(read_u32(packet, 8)) << 32 | read_u32(packet, 12);
    info.rtp = read_u32(packet, 16);
    info.packets = read_u32(packet, 20);
    info.octets = read_u32(packet, 24);
    report.sender = info;
  }
  for (std::size_t i = 0; i < count && report.block_count < report.blocks.size(); ++i)
    report.blocks[report.block_count++] =
        read_block(packet.subspan(head + i * kBlockSize, kBlockSize));
  return true;
}

std::size_t write_report(const RtcpReport& report, std::span<std::uint8_t> out) {
  const std::size_t count = std::min(report.block_count, report.blocks.size());
  const std::size_t head = report.sender ? 28 : 8;
  const std::size_t size = head + count * kBlockSize;
  if (out.size() < size) return 0;
  out[0] = static_cast<std::uint8_t>(0x80 | count);
  out[1] = report.sender ? kSr : kRr;
  write_u16(out, 2, static_cast<std::uint16_t>(size / 4 - 1));
  write_u32(out, 4, report.ssrc);
  if (report.sender) {
    write_u32(out, 8, static_cast<std::uint32_t>(report.sender->ntp >> 32));
    write_u32(out, 12, static_cast<std::uint32_t>(report.sender->ntp));
    write_u32(out, 16, report.sender->rtp);
    write_u32(out, 20, report.sender->packets);
    write_u32(out, 24, report.sender->octets);
  }
  for (std::size_t i = 0; i < count; ++i)
    write_block(out.subspan(head + i * kBlockSize, kBlockSize), report.blocks[i]);
  return size;
}

std::size_t write_sdes(std::uint32_t ssrc, std::string_view cname, std::span<std::uint8_t> out) {
  cname = cname.substr(0, kCnameMax);
  const std::size_t size = (8 + 2 + cname.size() + 1 + 3) / 4 * 4;  // item, end mark, padding
  if (out.size() < size) return 0;
  std::fill_n(out.begin(), size, std::uint8_t{0});
  out[0] = 0x81;
  out[1] = kSdes;
  write_u16(out, 2, static_cast<std::uint16_t>(size / 4 - 1));
  write_u32(out, 4, ssrc);
  out[8] = 1;  // CNAME
  out[9] = static_cast<std::uint8_t>(cname.size());
  std::copy(cname.begin(), cname.end(), out.begin() + 10);
  return size;
}

}  // namespace

std::optional<RtcpReport> parse_rtcp(ByteView bytes) {
  if (bytes.size() < 8 || bytes.size() % 4 != 0) return std::nullopt;
  if (bytes[1] != kSr && bytes[1] != kRr) return std::nullopt;
  RtcpReport report;
  while (!bytes.empty()) {
    if (bytes.size() < 4 || (bytes[0] >> 6) != 2) return std::nullopt;
    const std::size_t size = 4U * (1U + read_u16(bytes, 2));
    if (size > bytes.size()) return std::nullopt;
    const ByteView packet = bytes.first(size);
    if ((packet[1] == kSr || packet[1] == kRr) && (size < 8 || !read_report(packet, report)))
      return std::nullopt;
    if (packet[1] == kBye) report.bye = true;
    bytes = bytes.subspan(size);
  }
  return report;
}

std::size_t build_rtcp(const RtcpReport& report, std::string_view cname,
                       std::span<std::uint8_t> out) {
  const std::size_t head = write_report(report, out);
  if (head == 0) return 0;
  const std::size_t sdes = write_sdes(report.ssrc, cname, out.subspan(head));
  if (sdes == 0) return 0;
  std::size_t size = head + sdes;
  if (report.bye) {
    if (out.size() < size + 8) return 0;
    const auto bye = out.subspan(size);
    bye[0] = 0x81;
    bye[1] = kBye;
    write_u16(bye, 2, 1);
    write_u32(bye, 4, report.ssrc);
    size += 8;
  }
  return size;
}

void ReceptionStats::on_packet(std::uint16_t sequence, std::uint32_t timestamp,
                               std::uint32_t arrival) {
  const std::uint32_t transit = arrival - timestamp;
  if (!started_) {
    started_ = true;
    first_ = highest_ = 0x10000U + sequence;  // room below for a packet that overtook the first
    transit_ = transit;
  } else {
    const int step =
        static_cast<std::int16_t>(static_cast<std::uint16_t>(sequence - (highest_ & 0xFFFF)));
    if (step > kDropoutMax || step < -kMisorderMax) {  // the sender began anew
      restart();
      on_packet(sequence, timestamp, arrival);
      return;
    }
    if (step > 0) highest_ += static_cast<std::uint64_t>(step);
    const auto moved = static_cast<std::int32_t>(transit - transit_);
    const std::uint32_t distance =
        moved < 0 ? 0U - static_cast<std::uint32_t>(moved) : static_cast<std::uint32_t>(moved);
    transit_ = transit;
    // A jump of the timestamps (hold, new talk spurt of some senders) is not jitter.
    if (distance < 8000) jitter_ += distance - ((jitter_ + 8) >> 4);
  }
  ++received_;
  ++total_received_;
}

void ReceptionStats::restart() {
  earlier_lost_ = lost();
  started_ = false;
  received_ = expected_before_ = received_before_ = 0;
  jitter_ = 0;
}

std::uint64_t ReceptionStats::expected() const { return started_ ? highest_ - first_ + 1 : 0; }

std::uint64_t ReceptionStats::lost() const {
  return earlier_lost_ + (expected() > received_ ? expected() - received_ : 0);
}

ReportBlock ReceptionStats::report() {
  ReportBlock block;
  const std::uint64_t expected_now = expected() - expected_before_;
  const std::uint64_t received_now = received_ - received_before_;
  expected_before_ = expected();
  received_before_ = received_;
  if (expected_now > received_now)
    block.fraction_lost = static_cast<std::uint8_t>(
        std::min<std::uint64_t>(255, (expected_now - received_now) * 256 / expected_now));
  block.lost = static_cast<std::int32_t>(static_cast<std::int64_t>(expected()) -
                                         static_cast<std::int64_t>(received_));
  block.highest_sequence = static_cast<std::uint32_t>(highest_ - 0x10000U);
  block.jitter = jitter_ >> 4;
  return block;
}

double mos_of(double one_way_ms, double loss) {
  const double delay = 0.024 * one_way_ms + (one_way_ms > 177.3 ? 0.11 * (one_way_ms - 177.3) : 0);
  const double percent = 100 * std::clamp(loss, 0.0, 1.0);
  const double equipment = 95 * percent / (percent + 25.1);  // Ie = 0, Bpl of G.711 with PLC
  const double r = std::clamp(93.2 - delay - equipment, 0.0, 100.0);
  return std::clamp(1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6, 1.0, 4.5);
}

}  // namespace yyc3::rtp
