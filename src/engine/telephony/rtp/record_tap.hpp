#pragma once

#include <atomic>
#include <cstdint>

#include "engine/telephony/codec/frame.hpp"
#include "engine/telephony/rtp/frame_ring.hpp"

namespace yyc3::rtp {

/// 20 ms of both directions, at one place of the sample clock.
struct RecordFrame {
  std::uint64_t at = 0;
  codec::MuFrame heard{};   ///< the customer (left)
  codec::MuFrame played{};  ///< the bot (right)
};

/// From the media thread to the recorder, or to the call loop: 1.28 s. Full: the frame is dropped
/// and counted.
struct RecordTap {
  FrameRing<RecordFrame, 64> frames;
  std::atomic<std::uint64_t> dropped{0};
  /// Set by the media thread after its last frame.
  std::atomic<bool> closed{false};
};

}  // namespace yyc3::rtp
