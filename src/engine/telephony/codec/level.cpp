#include "engine/telephony/codec/level.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

namespace yyc3::codec {

namespace {

double power_of(std::span<const std::int16_t> pcm) {
  std::int64_t sum = 0;
  for (const std::int16_t x : pcm) sum += static_cast<std::int32_t>(x) * x;
  return pcm.empty() ? 0.0 : static_cast<double>(sum) / static_cast<double>(pcm.size());
}

float dbov_of_power(double power) {
  if (power <= 0) return kSilenceDbov;
  constexpr double kFullScale = 32768.0 * 32768.0;
  return std::max(kSilenceDbov, static_cast<float>(10.0 * std::log10(power / kFullScale)));
}

float linear_of_db(float db) { return std::pow(10.0F, db / 20.0F); }

/// Highest gain at which the block stays under the ceiling, at most `gain`.
float gain_of(std::span<const std::int16_t> block, float gain, float ceiling) {
  int peak = 0;
  for (const std::int16_t x : block) peak = std::max(peak, std::abs(static_cast<int>(x)));
  return static_cast<float>(peak) * gain > ceiling ? ceiling / static_cast<float>(peak) : gain;
}

}  // namespace

float level_dbov(std::span<const std::int16_t> pcm) { return dbov_of_power(power_of(pcm)); }

float speech_level_dbov(std::span<const std::int16_t> pcm, int rate) {
  const std::size_t block = static_cast<std::size_t>(std::max(rate, 1000)) / 50;
  std::vector<double> powers;
  for (std::size_t at = 0; at < pcm.size(); at += block)
    powers.push_back(power_of(pcm.subspan(at, std::min(block, pcm.size() - at))));
  if (powers.empty()) return kSilenceDbov;
  const double loudest = *std::max_element(powers.begin(), powers.end());
  if (dbov_of_power(loudest) < -60.0F) return kSilenceDbov;
  double sum = 0;
  std::size_t count = 0;
  for (const double power : powers) {
    if (power < loudest / 316.2) continue;  // 25 dB
    sum += power;
    ++count;
  }
  return dbov_of_power(sum / static_cast<double>(count));
}

float match_loudness(std::span<std::int16_t> pcm, int rate, const Loudness& loudness) {
  const float level = speech_level_dbov(pcm, rate);
  if (level <= kSilenceDbov) return 0.0F;
  const float gain_db = std::min(loudness.target_dbov - level, loudness.gain_max_db);
  const float gain = linear_of_db(gain_db);
  const float ceiling = 32767.0F * linear_of_db(std::min(loudness.peak_dbov, 0.0F));
  const std::size_t block = std::max<std::size_t>(static_cast<std::size_t>(rate) / 200, 1);
  std::vector<float> gains;
  for (std::size_t at = 0; at < pcm.size(); at += block)
    gains.push_back(gain_of(pcm.subspan(at, std::min(block, pcm.size() - at)), gain, ceiling));
  // The gain is a straight line between block edges, and an edge takes the lower of its two
  // blocks: inside a block it never exceeds what the block bears.
  const auto edge = [&](std::size_t i) {
    if (i == 0) return gains.front();
    return i == gains.size() ? gains.back() : std::min(gains[i - 1], gains[i]);
  };
  for (std::size_t i = 0; i < gains.size(); ++i) {
    const std::size_t from = i * block;
    const std::size_t to = std::min(from + block, pcm.size());
    const float step = (edge(i + 1) - edge(i)) / static_cast<float>(block);
    for (std::size_t at = from; at < to; ++at) {
      const float g = edge(i) + step * static_cast<float>(at - from);
      const float scaled = std::clamp(static_cast<float>(pcm[at]) * g, -32768.0F, 32767.0F);
      pcm[at] = static_cast<std::int16_t>(std::lrint(scaled));
    }
  }
  return gain_db;
}

}  // namespace yyc3::codec
