#include "engine/telephony/rtp/stream_rings.hpp"

namespace yyc3::rtp {

namespace {
constexpr auto kOrder = std::memory_order_relaxed;
}

void SharedStats::store(const StreamStats& s) {
  const std::array<std::uint64_t, 11> c = {
      s.packets_sent,      s.packets_received, s.packets_lost,     s.packets_late,
      s.packets_duplicate, s.packets_invalid,  s.frames_concealed, s.input_dropped,
      s.record_dropped,    s.events_dropped,   s.underruns};
  for (std::size_t i = 0; i < c.size(); ++i) counts[i].store(c[i], kOrder);
  const std::array<double, 5> v = {s.jitter_ms, s.delay_target_ms, s.rtt_ms, s.remote_loss, s.mos};
  for (std::size_t i = 0; i < v.size(); ++i) values[i].store(v[i], kOrder);
}

StreamStats SharedStats::load() const {
  StreamStats s;
  const std::array<std::uint64_t*, 11> c = {
      &s.packets_sent,      &s.packets_received, &s.packets_lost,     &s.packets_late,
      &s.packets_duplicate, &s.packets_invalid,  &s.frames_concealed, &s.input_dropped,
      &s.record_dropped,    &s.events_dropped,   &s.underruns};
  for (std::size_t i = 0; i < c.size(); ++i) *c[i] = counts[i].load(kOrder);
  const std::array<double*, 5> v = {&s.jitter_ms, &s.delay_target_ms, &s.rtt_ms, &s.remote_loss,
                                    &s.mos};
  for (std::size_t i = 0; i < v.size(); ++i) *v[i] = values[i].load(kOrder);
  return s;
}

}  // namespace yyc3::rtp
