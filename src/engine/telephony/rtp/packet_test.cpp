#include "engine/telephony/rtp/packet.hpp"

#include <doctest/doctest.h>
#include <vector>

#include "engine/telephony/rtp/dtmf.hpp"
#include "engine/telephony/rtp/latch.hpp"
#include "engine/telephony/rtp/rtcp.hpp"

using namespace yyc3;
using namespace yyc3::rtp;

TEST_CASE("RTP packets read back as built") {
  const Bytes payload{1, 2, 3};
  Bytes out(64);
  const RtpPacket packet{.marker = true,
                         .payload_type = 101,
                         .sequence = 65535,
                         .timestamp = 0xFFFFFFF0,
                         .ssrc = 0xDEADBEEF,
                         .payload = payload};
  out.resize(build_rtp(packet, out));
  REQUIRE(out.size() == 15);
  const auto read = parse_rtp(out);
  REQUIRE(read);
  CHECK(read->marker);
  CHECK(read->payload_type == 101);
  CHECK(read->sequence == 65535);
  CHECK(read->timestamp == 0xFFFFFFF0);
  CHECK(read->ssrc == 0xDEADBEEF);
  CHECK(Bytes(read->payload.begin(), read->payload.end()) == payload);
  Bytes small(14);
  CHECK(build_rtp(packet, small) == 0);
}

TEST_CASE("RTP headers with extras are stripped, and refused when they do not fit") {
  Bytes p(12 + 4 + 8 + 4 + 2, 0);  // CSRC, extension of one word, 4 of payload, 2 of padding
  p[0] = 0x80 | 0x20 | 0x10 | 1;
  p[12 + 4 + 3] = 1;
  p[24] = 0xAA;
  p.back() = 2;
  const auto read = parse_rtp(p);
  REQUIRE(read);
  CHECK(read->payload.size() == 4);
  CHECK(read->payload[0] == 0xAA);

  struct Case {
    const char* why;
    std::size_t at;
    std::uint8_t value;
  };
  const Case cases[] = {{"version 1", 0, 0x40},
                        {"15 CSRCs", 0, 0x8F},
                        {"extension too long", 12 + 4 + 2, 1},
                        {"no padding counted", 29, 0},
                        {"padding beyond payload", 29, 7}};
  for (const auto& c : cases) {
    INFO(c.why);
    Bytes bad = p;
    bad[c.at] = c.value;
    CHECK_FALSE(parse_rtp(bad));
  }
  CHECK_FALSE(parse_rtp(Bytes(11, 0x80)));
}

TEST_CASE("RTCP compounds read back as built") {
  RtcpReport report;
  report.ssrc = 7;
  report.sender = SenderInfo{.ntp = 0x0123456789ABCDEF, .rtp = 9, .packets = 10, .octets = 1600};
  report.blocks[report.block_count++] = {.ssrc = 8,
                                         .fraction_lost = 51,
                                         .lost = -3,
                                         .highest_sequence = 0x1FFFF,
                                         .jitter = 12,
                                         .last_sr = 0x456789AB,
                                         .delay = 65536};
  report.bye = true;
  Bytes out(256);
  out.resize(build_rtcp(report, "aicall@host", out));
  REQUIRE(out.size() % 4 == 0);
  CHECK(looks_like_rtcp(out));
  const auto read = parse_rtcp(out);
  REQUIRE(read);
  CHECK(read->ssrc == 7);
  REQUIRE(read->sender);
  CHECK(read->sender->ntp == 0x0123456789ABCDEF);
  CHECK(ntp_middle(read->sender->ntp) == 0x456789AB);
  REQUIRE(read->block_count == 1);
  CHECK(read->blocks[0].lost == -3);
  CHECK(read->blocks[0].fraction_lost == 51);
  CHECK(read->blocks[0].highest_sequence == 0x1FFFF);
  CHECK(read->bye);

  int whole = 0;  // a prefix is valid only where a packet ends: after SR, after SDES
  for (std::size_t n = 0; n < out.size(); ++n) whole += parse_rtcp(ByteView(out).first(n)) ? 1 : 0;
  CHECK(whole == 2);
  Bytes bad = out;
  bad[1] = 202;  // must begin with a report
  CHECK_FALSE(parse_rtcp(bad));
}

TEST_CASE("reception figures follow RFC 3550 A.3") {
  ReceptionStats stats;
  std::uint32_t time = 0;
  for (std::uint16_t seq = 65530; seq != 94; ++seq, time += 160)
    if (seq % 10 != 0) stats.on_packet(seq, time, time + 5);  // 10 % lost, over the wrap
  CHECK(stats.received() == 89);
  CHECK(stats.lost() == 10);  // the first one lost was never expected
  const ReportBlock block = stats.report();
  CHECK(block.highest_sequence == 65536 + 93);
  CHECK(block.fraction_lost == 10 * 256 / 99);
  CHECK(stats.jitter() == 0);
  stats.on_packet(94, time, time + 805);  // 100 ms late
  CHECK(stats.jitter() == doctest::Approx(50));
  CHECK(stats.report().fraction_lost == 0);
  stats.on_packet(30000, time, time);  // another sender: totals stay
  CHECK(stats.lost() == 10);
}

TEST_CASE("MOS falls with loss and delay") {
  CHECK(mos_of(60, 0) > 4.3);
  CHECK(mos_of(60, 0.05) < mos_of(60, 0.01));
  CHECK(mos_of(400, 0) < mos_of(100, 0));
  CHECK(mos_of(1000, 1) >= 1);
}

TEST_CASE("keys sent are the keys received, once each, whatever is lost or repeated") {
  DtmfSender sender;
  CHECK_FALSE(sender.queue("12x"));
  CHECK_FALSE(sender.busy());
  REQUIRE(sender.queue("15#A"));
  for (const int lose_every : {0, 2, 3, 4}) {
    INFO(lose_every);
    DtmfSender tx;
    DtmfReceiver rx;
    REQUIRE(tx.queue("15#AA"));
    std::string got;
    int sent = 0;
    for (std::uint64_t at = 0; at < 160 * 200; at += 160) {
      const auto packet = tx.next(static_cast<std::uint32_t>(at) + 77);
      if (packet && (lose_every == 0 || ++sent % lose_every != 0)) {
        const auto payload = parse_dtmf(packet->payload);
        REQUIRE(payload);
        for (int twice = 0; twice < 2; ++twice)
          if (const auto key = rx.on_event(*payload, packet->timestamp, at)) got += key->digit;
      }
      if (const auto key = rx.on_tick(at)) got += key->digit;
    }
    CHECK(got == "15#AA");
    CHECK_FALSE(tx.busy());
  }
}

TEST_CASE("a key's end is sent three times, with its whole length") {
  DtmfSender sender;
  REQUIRE(sender.queue("7"));
  int packets = 0;
  int ends = 0;
  while (sender.busy()) {
    const auto packet = sender.next(1000 + 160 * static_cast<std::uint32_t>(packets));
    if (!packet) continue;
    CHECK(packet->marker == (packets == 0));
    CHECK(packet->timestamp == 1000);
    const auto payload = parse_dtmf(packet->payload);
    if (payload->end) {
      ++ends;
      CHECK(payload->duration == 800);
    }
    ++packets;
  }
  CHECK(packets == 7);
  CHECK(ends == 3);
}

TEST_CASE("whom a stream believes") {
  const Address named{1, 1000};
  const Address nat{2, 4000};
  Latch latch;
  latch.expect(named);
  CHECK_FALSE(latch.accept(nat, 10));
  CHECK_FALSE(latch.accept(nat, 12));  // a gap begins anew
  CHECK_FALSE(latch.accept(nat, 13));
  CHECK(latch.destination() == named);
  CHECK(latch.accept(nat, 14));
  CHECK(latch.destination() == nat);
  CHECK_FALSE(latch.accept(named, 15));  // once known, nobody else
  latch.expect(named);                   // the same offer again changes nothing
  CHECK(latch.latched());
  latch.expect({3, 3000});
  CHECK_FALSE(latch.latched());
  CHECK(latch.accept({3, 3000}, 1));
}
