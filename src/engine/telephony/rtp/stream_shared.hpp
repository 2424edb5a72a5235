#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "engine/telephony/rtp/fetch_ahead.hpp"
#include "engine/telephony/rtp/frame_ring.hpp"
#include "engine/telephony/rtp/stream_core.hpp"
#include "engine/telephony/rtp/stream_rings.hpp"
#include "engine/telephony/rtp/udp.hpp"

/// Inside of the room: one stream as its call loop and its media thread hold it.
namespace yyc3::rtp {

/// Browser leg: 320 ms each way, to and from one web-loop thread.
struct BridgeRings {
  FrameRing<codec::Frame, 16> inbound;
  FrameRing<codec::Frame, 16> outbound;
  Fd outbound_bell;
  std::atomic<std::uint64_t> dropped{0};
};

struct LoopLink;

/// Life: the call loop makes it, hands it to the media thread by LoopLink::adds, and frees it when
/// the handle is gone, the media thread has set `detached` and it is in no ready ring.
struct StreamShared {
  explicit StreamShared(const MediaStreamCore::Config& config) : core(rings, config) {}

  static constexpr std::size_t kCounters = 128;  ///< of an SpscRing: the front of it

  /// Before its tick: everything but the frames (core.fetch_frames()).
  void fetch_ahead() const {
    rtp::fetch_ahead(&rings.commands,
                     reinterpret_cast<const std::byte*>(&rings.commands) + kCounters);
    rtp::fetch_ahead(&ready, &core);
    rtp::fetch_ahead(&sent_to, &connected + 1);
    core.fetch_state();
  }

  StreamRings rings;
  std::atomic<bool> ready{false};     ///< is in the ready ring
  std::atomic<bool> closing{false};   ///< the call loop wants it closed
  std::atomic<bool> detached{false};  ///< the media thread's last word
  PortPair ports;
  std::unique_ptr<BridgeRings> bridge;
  LoopLink* link = nullptr;

  // call loop only
  MediaStream* handle = nullptr;
  std::uint64_t tag = 0;
  bool dtmf_agreed = false;
  std::shared_ptr<RecordTap> tap;
  std::shared_ptr<RecordTap> monitor;

  // media thread only, from attach on
  MediaStreamCore core;
  Address sent_to;  ///< what the RTP socket is connected to, when `connected`
  bool connected = false;
  bool primed = false;  ///< bridged: enough has come to start
  std::size_t bucket = 0;
  StreamStats counted;  ///< what the metrics have seen of its totals
};

/// Between one call loop and one media thread. 4096 = LoopPort's greatest number of streams, so
/// neither ring is ever full: a stream is in each at most once.
struct LoopLink {
  static constexpr std::size_t kStreams = 4096;
  SpscRing<StreamShared*, kStreams> adds;   ///< call loop → media thread
  SpscRing<StreamShared*, kStreams> ready;  ///< media thread → call loop
  std::atomic<std::size_t> load{0};         ///< streams attached, to choose the least loaded
  int bell = -1;                            ///< the loop's eventfd
  bool news = false;                        ///< media thread only: ring the bell after this tick
};

}  // namespace yyc3::rtp
