#include "app/commands/speech_segments.hpp"

#include <algorithm>

#include "engine/telephony/codec/frame.hpp"
#include "engine/telephony/codec/level.hpp"

namespace yyc3::app {

namespace {
constexpr std::size_t kBlock = codec::kFrameSamples;
constexpr std::size_t kGap = 500 * 8;
constexpr std::size_t kMargin = 200 * 8;
constexpr std::size_t kLongest = 20'000 * 8;
constexpr float kRange = 35.0F;
constexpr float kFloor = -60.0F;
}  // namespace

std::vector<std::pair<std::size_t, std::size_t>> speech_segments(
    std::span<const std::int16_t> pcm) {
  std::vector<float> levels;
  for (std::size_t at = 0; at + kBlock <= pcm.size(); at += kBlock)
    levels.push_back(codec::level_dbov(pcm.subspan(at, kBlock)));
  if (levels.empty()) return {};
  const float threshold =
      std::max(kFloor, *std::max_element(levels.begin(), levels.end()) - kRange);
  std::vector<std::pair<std::size_t, std::size_t>> found;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (levels[i] <= threshold) continue;
    const std::size_t begin = i * kBlock;
    const std::size_t end = begin + kBlock;
    const bool joins =
        !found.empty() && begin - found.back().second < kGap && end - found.back().first < kLongest;
    if (joins)
      found.back().second = end;
    else
      found.emplace_back(begin, end);
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    auto& [begin, end] = found[i];
    const std::size_t before = i == 0 ? 0 : found[i - 1].second;
    begin = std::max(before, begin > kMargin ? begin - kMargin : 0);
    end = std::min(pcm.size(), end + kMargin);
  }
  return found;
}

}  // namespace yyc3::app
