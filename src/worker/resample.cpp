#include "worker/resample.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace yyc3::worker {
namespace {

constexpr std::size_t kHalf = 16;  // taps on each side of the sample in between

/// Weights of x[n−k] and x[n+1+k] in the value half-way between x[n] and x[n+1].
std::array<float, kHalf> half_way_weights() {
  std::array<float, kHalf> weights{};
  double sum = 0;
  for (std::size_t k = 0; k < kHalf; ++k) {
    const double t = static_cast<double>(k) + 0.5;
    const double angle = std::numbers::pi * t / (kHalf + 0.5);
    const double blackman = 0.42 + 0.5 * std::cos(angle) + 0.08 * std::cos(2 * angle);
    const double value = std::sin(std::numbers::pi * t) / (std::numbers::pi * t) * blackman;
    weights[k] = static_cast<float>(value);
    sum += 2 * value;
  }
  for (float& w : weights) w = static_cast<float>(w / sum);
  return weights;
}

}  // namespace

std::vector<float> to_16k(std::span<const std::int16_t> pcm8k) {
  static const std::array<float, kHalf> weights = half_way_weights();
  constexpr float kScale = 1.0F / 32768.0F;
  const std::size_t n = pcm8k.size();
  std::vector<float> padded(n + 2 * kHalf, 0.0F);
  for (std::size_t i = 0; i < n; ++i) padded[i + kHalf] = static_cast<float>(pcm8k[i]) * kScale;
  std::vector<float> out(2 * n);
  for (std::size_t i = 0; i < n; ++i) {
    const float* x = padded.data() + i + kHalf;
    float between = 0;
    for (std::size_t k = 0; k < kHalf; ++k) between += weights[k] * (*(x - k) + x[k + 1]);
    out[2 * i] = *x;
    out[2 * i + 1] = between;
  }
  return out;
}

void set_loudest(std::span<float> samples, float db) {
  constexpr std::size_t kFrame = 320;
  constexpr float kSilence = 1e-9F;  // −90 dBFS
  float loudest = 0;
  for (std::size_t i = 0; i + kFrame <= samples.size(); i += kFrame) {
    float power = 0;
    for (const float x : samples.subspan(i, kFrame)) power += x * x;
    loudest = std::max(loudest, power / kFrame);
  }
  if (loudest < kSilence) return;
  const float gain = std::pow(10.0F, db / 20) / std::sqrt(loudest);
  for (float& x : samples) x *= gain;
}

}  // namespace yyc3::worker
