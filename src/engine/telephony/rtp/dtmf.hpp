#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.hpp"

namespace yyc3::rtp {

/// The payload of an RFC 4733 telephone-event packet (§2.3).
struct DtmfPayload {
  std::uint8_t event = 0;  ///< 0–15: 0-9 * # A-D
  bool end = false;
  std::uint8_t volume = 10;    ///< -dBm0, 0–63
  std::uint16_t duration = 0;  ///< RTP ticks so far
};
/// nullopt when shorter than 4 bytes. Events beyond 15 (flash, tones) are returned as they are.
std::optional<DtmfPayload> parse_dtmf(ByteView payload);
std::array<std::uint8_t, 4> build_dtmf(const DtmfPayload& payload);
/// '0'…'D', or 0 for an event that is no key.
char digit_of(std::uint8_t event);
std::optional<std::uint8_t> event_of(char digit);

struct DtmfKey {
  char digit = 0;
  std::uint32_t duration = 0;  ///< 8 kHz samples
  std::uint64_t at = 0;        ///< sample clock of its first packet
};

/// Keys out of received events: each once, however often its packets come, are lost or repeated.
/// A key is told at its first end packet, at the first packet of the next one, or 120 ms after its
/// last packet. `at` is the stream's sample clock. Threads: none of its own.
class DtmfReceiver {
 public:
  std::optional<DtmfKey> on_event(const DtmfPayload& payload, std::uint32_t timestamp,
                                  std::uint64_t at);
  std::optional<DtmfKey> on_tick(std::uint64_t at);

 private:
  std::optional<DtmfKey> finish();

  bool open_ = false;  ///< a key is being held
  bool seen_ = false;  ///< timestamp_ is that of some event
  std::uint32_t timestamp_ = 0;
  std::uint64_t heard_at_ = 0;
  DtmfKey key_;
};

/// Packets for keys to press: one each 20 ms tick, 100 ms a key, its end three times, 60 ms
/// between.
class DtmfSender {
 public:
  static constexpr std::size_t kQueued = 32;
  /// False when a character is no key or more than kQueued wait: then none is taken.
  bool queue(std::string_view digits);
  /// True while ticks belong to keys: no audio is sent then.
  [[nodiscard]] bool busy() const { return step_ != 0 || waiting_ != 0; }

  struct Packet {
    std::array<std::uint8_t, 4> payload{};
    bool marker = false;
    std::uint32_t timestamp = 0;  ///< of the key's start, the same in all its packets
  };
  /// The packet of this tick, if any. @param timestamp what an audio packet would carry now.
  std::optional<Packet> next(std::uint32_t timestamp);

 private:
  std::array<std::uint8_t, kQueued> events_{};
  std::size_t first_ = 0;
  std::size_t waiting_ = 0;
  int step_ = 0;  ///< of the key being sent: 1–7 packets, 8–10 the gap
  std::uint8_t event_ = 0;
  std::uint32_t start_ = 0;
};

}  // namespace yyc3::rtp
