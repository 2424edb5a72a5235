#include "worker/stream_audio.hpp"

#include <algorithm>

namespace yyc3::worker {

void StreamAudio::append(std::uint64_t first_sample, std::span<const std::int16_t> pcm,
                         std::vector<VadFrame>& frames) {
  const auto added = kept_.append(first_sample, pcm);
  if (added.after_gap) {
    partial_.clear();
    fresh_ = true;
  }
  constexpr float kScale = 1.0F / 32768.0F;
  for (std::size_t i = 0; i < added.pcm.size(); ++i) {
    partial_.push_back(static_cast<float>(added.pcm[i]) * kScale);
    if (partial_.size() < SileroVad::kFrame) continue;
    VadFrame& frame = frames.emplace_back();
    frame.end_sample = added.first_sample + i + 1;
    frame.fresh = fresh_;
    std::ranges::copy(partial_, frame.pcm.begin());
    partial_.clear();
    fresh_ = false;
  }
}

}  // namespace yyc3::worker
