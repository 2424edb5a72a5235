#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "engine/telephony/rtp/packet.hpp"
#include "engine/telephony/rtp/stream_core.hpp"

using namespace yyc3::rtp;

// A stream fed with hostile datagrams: u8 length (0 = a tick), then that many bytes.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const yyc3::ByteView all(data, size);
  if (const auto packet = parse_rtp(all)) {
    std::array<std::uint8_t, 4096> out{};
    const std::size_t built = build_rtp(*packet, out);
    if (built != 0 && !parse_rtp(yyc3::ByteView(out).first(built))) std::abort();
  }
  static const auto rings = std::make_unique<StreamRings>();
  const auto core = std::make_unique<MediaStreamCore>(*rings, MediaStreamCore::Config{.ssrc = 1});
  yyc3::SteadyTime now{};
  core->begin(now, {});
  core->set_remote({.ip = 1, .port = 2, .rtcp_port = 3, .dtmf_payload_type = 101}, now);
  MediaStreamCore::Output out;
  std::size_t at = 0;
  while (at < size) {
    const std::size_t length = data[at++];
    if (length == 0) {
      now += yyc3::Milliseconds(20);
      core->on_tick(now, out);
      continue;
    }
    const std::size_t take = std::min(length, size - at);
    core->on_packet(all.subspan(at, take), {1, 2}, now);
    at += take;
  }
  core->close(now, out);
  HeardFrame frame;
  while (rings->input.pop(frame)) {
  }
  MediaEvent event;
  bool closed = false;
  while (rings->events.pop(event)) closed = event.kind == MediaEventKind::kClosed;
  if (!closed) std::abort();
  return 0;
}
