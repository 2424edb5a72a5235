#include "product/call/caller_level.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace yyc3::call {

namespace {
constexpr float kKept = 0.6F;  // of what was known
}  // namespace

void CallerLevel::on_level(SamplePos from, SamplePos to, float dbov) {
  recent_[count_ % recent_.size()] = std::pow(10.0F, dbov / 10);
  const float sum = std::accumulate(recent_.begin(), recent_.end(), 0.0F);
  frames_[count_++ % kFrames] = {from, to, sum / static_cast<float>(recent_.size())};
}

std::optional<float> CallerLevel::loudest(SamplePos from, SamplePos to) const {
  float most = 0;
  for (std::size_t i = count_; i-- > count_ - std::min(count_, kFrames);) {
    const Frame& frame = frames_[i % kFrames];
    if (frame.to <= from) break;
    if (frame.from < to) most = std::max(most, frame.power);
  }
  if (most <= 0) return std::nullopt;
  return 10 * std::log10(most);
}

void CallerLevel::learn(SamplePos from, SamplePos to) {
  const auto heard = loudest(from, to);
  if (!heard) return;
  caller_dbov_ = caller_dbov_ ? kKept * *caller_dbov_ + (1 - kKept) * *heard : *heard;
}

bool CallerLevel::background(SamplePos from) const {
  if (below_db_ <= 0 || !caller_dbov_) return false;
  const auto heard = loudest(from, UINT64_MAX);
  return heard && *heard < *caller_dbov_ - below_db_;
}

}  // namespace yyc3::call
