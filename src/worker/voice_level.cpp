#include <algorithm>
#include <cmath>
#include <numbers>

#include "worker/voice.hpp"

namespace yyc3::worker {
namespace {

constexpr float kTarget = 0.1F;   // −20 dBFS
constexpr float kKnee = 0.5F;     // −6 dBFS: from here on peaks are pressed together
constexpr float kCeiling = 0.7F;  // −3.1 dBFS
constexpr float kActive = 0.03F;  // a frame counts as speech at 30 dB below the loudest one (power
                                  // ratio 0.001)
constexpr float kRumbleHz = 120;  // nothing below passes a telephone, but it eats headroom

/// Second-order Butterworth high-pass, in place (bilinear transform).
void cut_rumble(std::vector<float>& x, int rate) {
  const float k = std::tan(std::numbers::pi_v<float> * kRumbleHz / static_cast<float>(rate));
  const float norm = 1 / (1 + std::numbers::sqrt2_v<float> * k + k * k);
  const float a1 = 2 * (k * k - 1) * norm;
  const float a2 = (1 - std::numbers::sqrt2_v<float> * k + k * k) * norm;
  float x1 = 0;
  float x2 = 0;
  float y1 = 0;
  float y2 = 0;
  for (float& s : x) {
    const float y = norm * (s - 2 * x1 + x2) - a1 * y1 - a2 * y2;
    x2 = x1;
    x1 = s;
    y2 = y1;
    y1 = y;
    s = y;
  }
}

float soft_limit(float x) {
  const float size = std::abs(x);
  if (size <= kKnee) return x;
  const float room = kCeiling - kKnee;
  return std::copysign(kKnee + room * std::tanh((size - kKnee) / room), x);
}

}  // namespace

Speech level_speech(std::vector<float> samples, int rate, std::vector<codec::WavCue> marks) {
  cut_rumble(samples, rate);
  const std::size_t frame = static_cast<std::size_t>(rate) / 100;  // 10 ms
  std::vector<float> power;
  for (std::size_t i = 0; i + frame <= samples.size(); i += frame) {
    float sum = 0;
    for (std::size_t j = i; j < i + frame; ++j) sum += samples[j] * samples[j];
    power.push_back(sum / static_cast<float>(frame));
  }
  if (power.empty()) return {rate, {}};
  const float floor = *std::ranges::max_element(power) * kActive * kActive;
  double sum = 0;
  std::size_t active = 0;
  std::size_t first = power.size();
  std::size_t last = 0;
  for (std::size_t i = 0; i < power.size(); ++i) {
    if (power[i] <= floor) continue;
    sum += static_cast<double>(power[i]);
    ++active;
    first = std::min(first, i);
    last = i;
  }
  if (active == 0) return {rate, {}};
  constexpr std::size_t kKeep = 4;  // 40 ms of silence stay at each end
  const std::size_t begin = (first > kKeep ? first - kKeep : 0) * frame;
  const std::size_t end = std::min(samples.size(), (last + 1 + kKeep) * frame);
  const float rms = static_cast<float>(std::sqrt(sum / static_cast<double>(active)));
  Speech out{rate, {}, std::move(marks)};
  out.pcm.reserve(end - begin);
  for (std::size_t i = begin; i < end; ++i) {
    out.pcm.push_back(
        static_cast<std::int16_t>(std::lround(soft_limit(samples[i] * kTarget / rms) * 32767.0F)));
  }
  std::size_t before = begin;
  for (codec::WavCue& mark : out.marks) {
    std::size_t at = std::clamp<std::size_t>(mark.frame, before, end);
    while (at > before && at >= frame && power[std::min(at / frame, power.size()) - 1] <= floor)
      at -= std::min(frame, at - before);
    mark.frame = static_cast<std::uint32_t>(at - begin);
    before = at;
  }
  return out;
}

}  // namespace yyc3::worker
