#include "engine/speech/kept_audio.hpp"

#include <algorithm>

#include "engine/speech/worker_protocol.hpp"

namespace yyc3::speech {

namespace {
constexpr std::uint64_t kKept = wire::kKeptSamples;
}  // namespace

KeptAudio::Added KeptAudio::append(std::uint64_t first_sample, std::span<const std::int16_t> pcm) {
  if (ring_.empty()) {
    ring_.assign(kKept, 0);
    begin_ = end_ = first_sample;
  }
  const bool gap = first_sample > end_;
  if (gap) {
    const std::uint64_t silent = std::min<std::uint64_t>(first_sample - end_, kKept);
    for (std::uint64_t s = first_sample - silent; s < first_sample; ++s) ring_[s % kKept] = 0;
    end_ = first_sample;
  } else {
    pcm = pcm.subspan(std::min<std::uint64_t>(end_ - first_sample, pcm.size()));
  }
  const std::uint64_t first = end_;
  for (const std::int16_t s : pcm) ring_[end_++ % kKept] = s;
  return {first, pcm, gap};
}

std::vector<std::int16_t> KeptAudio::copy(std::uint64_t from, std::uint64_t to) const {
  const std::uint64_t oldest = std::max(begin_, end_ > kKept ? end_ - kKept : 0);
  from = std::max(from, oldest);
  to = std::min(to, end_);
  std::vector<std::int16_t> out;
  if (from >= to) return out;
  out.reserve(to - from);
  for (std::uint64_t s = from; s < to; ++s) out.push_back(ring_[s % kKept]);
  return out;
}

}  // namespace yyc3::speech
