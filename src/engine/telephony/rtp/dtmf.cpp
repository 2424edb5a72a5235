#include "engine/telephony/rtp/dtmf.hpp"

#include <algorithm>

namespace yyc3::rtp {

namespace {
constexpr std::string_view kKeys = "0123456789*#ABCD";
constexpr std::uint64_t kForgotten = 960;  // 120 ms without a packet: its end was lost
constexpr int kEndAt = 5;                  // steps of 20 ms: 100 ms of key …
constexpr int kPackets = 7;                // … whose end is sent in steps 5, 6 and 7 …
constexpr int kSteps = 10;                 // … and 60 ms of nothing
constexpr std::uint16_t kStepTicks = 160;
}  // namespace

std::optional<DtmfPayload> parse_dtmf(ByteView payload) {
  if (payload.size() < 4) return std::nullopt;
  return DtmfPayload{.event = payload[0],
                     .end = (payload[1] & 0x80) != 0,
                     .volume = static_cast<std::uint8_t>(payload[1] & 0x3F),
                     .duration = read_u16(payload, 2)};
}

std::array<std::uint8_t, 4> build_dtmf(const DtmfPayload& payload) {
  std::array<std::uint8_t, 4> out{};
  out[0] = payload.event;
  out[1] = static_cast<std::uint8_t>((payload.end ? 0x80 : 0) | (payload.volume & 0x3F));
  write_u16(out, 2, payload.duration);
  return out;
}

char digit_of(std::uint8_t event) { return event < kKeys.size() ? kKeys[event] : '\0'; }

std::optional<std::uint8_t> event_of(char digit) {
  if (digit >= 'a' && digit <= 'd') digit = static_cast<char>(digit - 'a' + 'A');
  const std::size_t at = digit == '\0' ? std::string_view::npos : kKeys.find(digit);
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<std::uint8_t>(at);
}

std::optional<DtmfKey> DtmfReceiver::finish() {
  if (!open_) return std::nullopt;
  open_ = false;
  return key_;
}

std::optional<DtmfKey> DtmfReceiver::on_event(const DtmfPayload& payload, std::uint32_t timestamp,
                                              std::uint64_t at) {
  const char digit = digit_of(payload.event);
  if (digit == 0) return std::nullopt;
  std::optional<DtmfKey> done;
  if (!seen_ || timestamp != timestamp_) {
    // A packet of a key that is over may come behind the next key's: only later times are new.
    if (seen_ && static_cast<std::int32_t>(timestamp - timestamp_) < 0 && at - heard_at_ < 8000)
      return std::nullopt;
    done = finish();
    seen_ = open_ = true;
    timestamp_ = timestamp;
    key_ = {.digit = digit, .duration = 0, .at = at};
  }
  heard_at_ = at;
  if (!open_) return done;  // a repeated end
  key_.duration = std::max<std::uint32_t>(key_.duration, payload.duration);
  // With two keys in one packet's time the earlier goes first; the later follows by time-out.
  if (payload.end && !done) return finish();
  return done;
}

std::optional<DtmfKey> DtmfReceiver::on_tick(std::uint64_t at) {
  return open_ && at >= heard_at_ + kForgotten ? finish() : std::nullopt;
}

bool DtmfSender::queue(std::string_view digits) {
  if (digits.size() > kQueued - waiting_) return false;
  for (const char c : digits)
    if (!event_of(c)) return false;
  for (const char c : digits) events_[(first_ + waiting_++) % kQueued] = *event_of(c);
  return true;
}

std::optional<DtmfSender::Packet> DtmfSender::next(std::uint32_t timestamp) {
  if (step_ == 0) {
    if (waiting_ == 0) return std::nullopt;
    event_ = events_[first_];
    first_ = (first_ + 1) % kQueued;
    --waiting_;
    start_ = timestamp;
  }
  ++step_;
  const int step = step_;
  if (step_ == kSteps) step_ = 0;
  if (step > kPackets) return std::nullopt;
  Packet packet;
  packet.marker = step == 1;
  packet.timestamp = start_;
  packet.payload =
      build_dtmf({.event = event_,
                  .end = step >= kEndAt,
                  .duration = static_cast<std::uint16_t>(kStepTicks * std::min(step, kEndAt))});
  return packet;
}

}  // namespace yyc3::rtp
