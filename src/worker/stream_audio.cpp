#include "worker/stream_audio.hpp"

#include <algorithm>

namespace yyc3::worker {
namespace {
constexpr std::uint64_t kKept = speech::wire::kKeptSamples;
}  // namespace

void StreamAudio::skip_to(std::uint64_t sample) {
  const std::uint64_t silent = std::min<std::uint64_t>(sample - end_, kKept);
  for (std::uint64_t s = sample - silent; s < sample; ++s) ring_[s % kKept] = 0;
  end_ = sample;
}

void StreamAudio::store(std::span<const std::int16_t> pcm) {
  for (const std::int16_t s : pcm) ring_[end_++ % kKept] = s;
}

void StreamAudio::append(std::uint64_t first_sample, std::span<const std::int16_t> pcm,
                         std::vector<VadFrame>& frames) {
  if (ring_.empty()) {
    ring_.assign(kKept, 0);
    begin_ = end_ = first_sample;
  }
  if (first_sample < end_) {
    const std::uint64_t known = end_ - first_sample;
    if (known >= pcm.size()) return;
    pcm = pcm.subspan(known);
  } else if (first_sample > end_) {
    skip_to(first_sample);
    partial_.clear();
    fresh_ = true;
  }
  const std::uint64_t start = end_;
  store(pcm);
  constexpr float kScale = 1.0F / 32768.0F;
  for (std::size_t i = 0; i < pcm.size(); ++i) {
    partial_.push_back(static_cast<float>(pcm[i]) * kScale);
    if (partial_.size() < SileroVad::kFrame) continue;
    VadFrame& frame = frames.emplace_back();
    frame.end_sample = start + i + 1;
    frame.fresh = fresh_;
    std::ranges::copy(partial_, frame.pcm.begin());
    partial_.clear();
    fresh_ = false;
  }
}

std::vector<std::int16_t> StreamAudio::copy(std::uint64_t from, std::uint64_t to) const {
  const std::uint64_t oldest = std::max(begin_, end_ > kKept ? end_ - kKept : 0);
  from = std::max(from, oldest);
  to = std::min(to, end_);
  std::vector<std::int16_t> out;
  if (from >= to) return out;
  out.reserve(to - from);
  for (std::uint64_t s = from; s < to; ++s) out.push_back(ring_[s % kKept]);
  return out;
}

}  // namespace yyc3::worker
