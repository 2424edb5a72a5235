#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/spsc_ring.hpp"
#include "engine/telephony/rtp/frame_ring.hpp"
#include "engine/telephony/rtp/media_stream.hpp"
#include "engine/telephony/rtp/media_types.hpp"
#include "engine/telephony/rtp/record_tap.hpp"

/// Inside of the room: what a call loop and a media thread share of one stream.
namespace yyc3::rtp {

/// RemoteMedia in the form the media thread uses: no text, addresses in host byte order.
struct RemoteSpec {
  std::uint32_t ip = 0;
  std::uint16_t port = 0;
  std::uint16_t rtcp_port = 0;
  std::uint8_t payload_type = 0;
  std::uint8_t dtmf_payload_type = 255;  ///< 255: none
  Codec codec = Codec::kPcmu;
  std::uint8_t frames_per_packet = 1;
  Direction direction = Direction::kSendRecv;
};

struct MediaCommand {
  enum class Kind : std::uint8_t { kRemote, kRecord, kMonitor, kDtmf } kind = Kind::kRemote;
  RemoteSpec remote;
  RecordTap* tap = nullptr;  ///< kept alive by the stream
  std::array<char, 16> digits{};
  std::uint8_t digit_count = 0;
};

/// InputFrame with its sound as mu-law: half the memory, decoded by the call loop.
struct HeardFrame {
  std::uint64_t at = 0;
  float level_dbov = -96;
  bool vad = false;
  bool concealed = false;
  codec::MuFrame mulaw{};
};

/// StreamStats one by one, written by the media thread a few times a second.
struct SharedStats {
  std::array<std::atomic<std::uint64_t>, 11> counts{};
  std::array<std::atomic<double>, 5> values{};
  void store(const StreamStats& stats);
  [[nodiscard]] StreamStats load() const;
};

struct StreamRings {
  // call loop → media thread
  FrameRing<PlayFrame, kPlayFrames> play;
  SpscRing<MediaCommand, kCommandSlots> commands;
  // media thread → call loop
  FrameRing<HeardFrame, kInputFrames> input;
  SpscRing<MediaEvent, kEventSlots> events;
  std::atomic<std::uint64_t> clock{0};
  std::atomic<std::uint64_t> progress{0};  ///< utterance << 32 | samples
  std::atomic<std::int64_t> started_ns{0};
  SharedStats stats;
  // call loop → media thread; here, where they fill what a 64-byte line leaves
  std::atomic<std::uint32_t> epoch{0};
  std::atomic<bool> paused{false};
  std::atomic<bool> ducked{false};
};

}  // namespace yyc3::rtp
