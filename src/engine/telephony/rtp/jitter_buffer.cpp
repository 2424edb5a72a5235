#include "engine/telephony/rtp/jitter_buffer.hpp"

#include <algorithm>
#include <cstdlib>

#include "engine/telephony/codec/g711.hpp"
#include "engine/telephony/rtp/fetch_ahead.hpp"

namespace yyc3::rtp {

namespace {

constexpr std::int64_t kMinimumWindow = 16'000;  // 2 s: the least delay is that of 2 to 4 s
constexpr std::int64_t kWild = 16'000;           // a timestamp 2 s off is not of this sequence
constexpr float kForget = 0.995F;                // a packet's weight halves in 139 packets
constexpr float kQuantile = 0.97F;
constexpr int kFrame = static_cast<int>(codec::kFrameSamples);
constexpr std::int64_t kQuietSlack = 40;    // 5 ms off the line is corrected in silence …
constexpr std::int64_t kSpeechSlack = 480;  // … 60 ms in speech, 10 ms at a time
constexpr std::int64_t kSpeechStep = 80;
constexpr std::int64_t kFarOff = 2400;    // 300 ms: at once
constexpr std::int64_t kEarlySlack = 40;  // too early by more than the bucket's 5 ms costs packets
constexpr int kSilent = 200;              // peak below -44 dB counts as silence
constexpr std::size_t kPacketMax = 960;
constexpr std::uint64_t kMask = JitterBuffer::kRing - 1;

std::size_t slot(std::int64_t at) { return static_cast<std::uint64_t>(at) & kMask; }

}  // namespace

std::int64_t JitterBuffer::unwrap(std::uint32_t timestamp) const {
  return newest_ + static_cast<std::int32_t>(timestamp - static_cast<std::uint32_t>(newest_));
}

std::int64_t JitterBuffer::base() const { return std::min(low_now_, low_before_); }

bool JitterBuffer::has(std::int64_t at) const {
  const std::size_t s = slot(at);
  return (present_[s / 64] >> (s % 64) & 1U) != 0;
}

bool JitterBuffer::has_all(std::int64_t from, std::int64_t count) const {
  while (count > 0) {
    const std::size_t s = slot(from);
    const std::int64_t here = std::min<std::int64_t>(count, 64 - static_cast<int>(s % 64));
    const std::uint64_t mask = (here == 64 ? ~0ULL : (1ULL << here) - 1) << (s % 64);
    if ((present_[s / 64] & mask) != mask) return false;
    from += here;
    count -= here;
  }
  return true;
}

void JitterBuffer::mark(std::int64_t from, std::int64_t count, bool present) {
  while (count > 0) {
    const std::size_t s = slot(from);
    const std::int64_t here = std::min<std::int64_t>(count, 64 - static_cast<int>(s % 64));
    const std::uint64_t mask = (here == 64 ? ~0ULL : (1ULL << here) - 1) << (s % 64);
    if (present) {
      present_[s / 64] |= mask;
    } else {
      present_[s / 64] &= ~mask;
    }
    from += here;
    count -= here;
  }
}

void JitterBuffer::forget(std::int64_t from, std::int64_t to) {
  mark(from, std::min<std::int64_t>(to - from, static_cast<std::int64_t>(kRing)), false);
}

void JitterBuffer::reset() {
  started_ = false;
  quiet_ = true;
  blending_ = false;
  made_up_ = kFadeSamples;
  holding_ = false;
  present_.fill(0);
}

void JitterBuffer::begin(std::int64_t first, std::int64_t now) {
  present_.fill(0);
  newest_ = first;
  low_now_ = low_before_ = now - first;
  window_end_ = now + kMinimumWindow;
  play_ = line(now);
  holding_ = false;
  started_ = true;
}

void JitterBuffer::learn(std::int64_t offset, std::int64_t now) {
  if (now >= window_end_) {
    low_before_ = now >= window_end_ + kMinimumWindow ? offset : low_now_;
    low_now_ = offset;
    window_end_ = now + kMinimumWindow;
  }
  low_now_ = std::min(low_now_, offset);
  // The first packets weigh more: a good guess after half a second beats the initial 45 ms.
  packets_ = std::min(packets_ + 1, 200);
  const float keep =
      std::min(kForget, static_cast<float>(packets_) / static_cast<float>(packets_ + 1));
  for (float& weight : delays_) weight *= keep;
  const std::int64_t late = (offset - base()) / kBucket;
  delays_[static_cast<std::size_t>(std::clamp<std::int64_t>(late, 0, kBuckets - 1))] += 1 - keep;
  choose_target();
}

void JitterBuffer::choose_target() {
  float sum = 0;
  for (const float weight : delays_) sum += weight;
  float seen = 0;
  int bucket = 0;
  while (bucket < static_cast<int>(kBuckets) - 1) {
    seen += delays_[static_cast<std::size_t>(bucket)];
    if (seen >= kQuantile * sum) break;
    ++bucket;
  }
  // A packet's last sample comes with its first: one frame on top of what its first one needs.
  target_ = std::clamp((bucket + 1) * kBucket + kFrame, kTargetMin, kTargetMax);
}

JitterBuffer::Insert JitterBuffer::insert(std::uint32_t timestamp,
                                          std::span<const std::uint8_t> mulaw, std::int64_t now) {
  mulaw = mulaw.first(std::min(mulaw.size(), kPacketMax));
  if (!started_) {
    if (packets_ == 0) delays_[4] = 1;  // 25 ms until something is known
    begin(timestamp, now);
  }
  const std::int64_t first = unwrap(timestamp);
  if (std::abs(now - first - base()) > kWild) {
    const bool again = holding_ && std::abs((first - held_back_) - (now - held_back_at_)) < 8000;
    holding_ = true;
    held_back_ = first;
    held_back_at_ = now;
    if (!again) return Insert::kHeldBack;
    ++counts_.resyncs;
    begin(first, now);
  }
  learn(now - first, now);
  const auto length = static_cast<std::int64_t>(mulaw.size());
  if (first + length <= play_) {
    ++counts_.late;
    return Insert::kLate;
  }
  if (length > 0 && first < newest_ && first >= play_ && has(first)) {
    ++counts_.duplicate;
    return Insert::kDuplicate;
  }
  if (first + length > play_ + static_cast<std::int64_t>(kRing))
    skip(first + length - play_ - static_cast<std::int64_t>(kRing));
  const std::int64_t passed = std::max<std::int64_t>(play_ - first, 0);
  mulaw = mulaw.subspan(static_cast<std::size_t>(passed));
  const std::size_t start = slot(first + passed);
  const std::size_t before_wrap = std::min(mulaw.size(), kRing - start);
  std::copy_n(mulaw.begin(), before_wrap, ring_.begin() + static_cast<std::ptrdiff_t>(start));
  std::copy(mulaw.begin() + static_cast<std::ptrdiff_t>(before_wrap), mulaw.end(), ring_.begin());
  mark(first + passed, length - passed, true);
  newest_ = std::max(newest_, first + length);
  ++counts_.stored;
  return Insert::kStored;
}

void JitterBuffer::skip(std::int64_t count) {
  forget(play_, play_ + count);
  play_ += count;
  counts_.skipped += static_cast<std::uint64_t>(count);
}

/// Moves play_ towards the line; returns how many samples must be made up first (0–160).
std::int64_t JitterBuffer::correct(std::int64_t now) {
  const std::int64_t behind = line(now) - play_;  // > 0: we play later than we need to
  if (behind > kFarOff) {
    skip(behind);
    return 0;
  }
  if (behind > 0) {
    if (play_ >= newest_) {  // nothing waits: nothing is lost by moving
      skip(behind);
    } else if (!has(play_)) {
      std::int64_t gap = 0;
      while (gap < behind && !has(play_ + gap)) ++gap;
      skip(gap);
    } else if (quiet_ && behind > kQuietSlack) {
      skip(std::min<std::int64_t>(behind, kFrame));
    } else if (behind > kSpeechSlack) {
      blending_ = has_all(play_, kBlend);
      for (std::size_t i = 0; blending_ && i < kBlend; ++i)
        blend_[i] = codec::mulaw_decode(ring_[slot(play_ + static_cast<std::int64_t>(i))]);
      skip(kSpeechStep);
    }
    return 0;
  }
  const std::int64_t early = -behind;
  if (early <= kEarlySlack) return 0;
  // Somewhat more than needed, so that a slow drift does not call for it every second.
  const std::int64_t held = std::min<std::int64_t>(early + kEarlySlack, kFrame);
  counts_.inserted += static_cast<std::uint64_t>(held);
  return held;
}

std::int16_t JitterBuffer::next_made_up() {
  const std::int64_t left = kFadeSamples - made_up_;
  if (left <= 0) return 0;
  const std::int16_t sample = last_[static_cast<std::size_t>(made_up_ % kFrame)];
  ++made_up_;
  return static_cast<std::int16_t>(sample * left / kFadeSamples);
}

void JitterBuffer::fill(std::int64_t from, std::span<std::int16_t> out, Played& played) {
  if (has_all(from, static_cast<std::int64_t>(out.size()))) {
    const std::size_t start = slot(from);
    const std::size_t before_wrap = std::min(out.size(), kRing - start);
    codec::mulaw_decode(std::span(ring_).subspan(start, before_wrap), out);
    codec::mulaw_decode(ring_, out.subspan(before_wrap));
    played.real = true;
    return;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t at = from + static_cast<std::int64_t>(i);
    if (has(at)) {
      out[i] = codec::mulaw_decode(ring_[slot(at)]);
      played.real = true;
    } else {
      out[i] = next_made_up();
      played.concealed = true;
    }
  }
}

/// Joins the sound after a skip to the sound before it, over 5 ms.
void JitterBuffer::blend(codec::Frame& out) {
  for (std::size_t i = 0; i < kBlend; ++i) {
    const int rise = static_cast<int>(i);
    const int fall = static_cast<int>(kBlend) - rise;
    out[i] =
        static_cast<std::int16_t>((blend_[i] * fall + out[i] * rise) / static_cast<int>(kBlend));
  }
  blending_ = false;
}

void JitterBuffer::fetch_state() const { fetch_ahead(&last_, this + 1); }

void JitterBuffer::fetch_sound() const {
  const std::size_t from = slot(play_);
  const std::size_t to = std::min(from + codec::kFrameSamples, kRing);
  fetch_ahead(ring_.data() + from, ring_.data() + to);
  fetch_ahead(present_.data() + from / 64, present_.data() + to / 64);
}

JitterBuffer::Played JitterBuffer::pop(std::int64_t now, codec::Frame& out) {
  Played played;
  out.fill(0);
  if (!started_) return played;
  const bool fading = made_up_ < kFadeSamples;  // the gap is still part of the sound
  const std::int64_t held = correct(now);
  const auto split = static_cast<std::size_t>(held);
  for (std::size_t i = 0; i < split; ++i) out[i] = next_made_up();
  played.concealed = held > 0;
  const std::int64_t taken = kFrame - held;
  fill(play_, std::span(out).subspan(split), played);
  forget(play_, play_ + taken);
  play_ += taken;
  if (blending_) blend(out);
  if (played.concealed && fading) ++counts_.concealed;
  played.concealed = played.concealed && fading;  // else it was silence already
  int peak = 0;
  for (const std::int16_t x : out) peak = std::max(peak, std::abs(static_cast<int>(x)));
  quiet_ = peak < kSilent || !played.real;
  if (played.real && !played.concealed) {
    last_ = out;
    made_up_ = 0;
  }
  return played;
}

}  // namespace yyc3::rtp
