#include "worker/end_of_turn.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numbers>
#include <utility>

#include "worker/resample.hpp"

namespace yyc3::worker {
namespace {

constexpr std::size_t kSamples = 128'000;  // 8 s at 16 kHz
constexpr std::size_t kWindow = 400;       // 25 ms
constexpr std::size_t kHop = 160;
constexpr std::size_t kHalf = kWindow / 2;
constexpr std::size_t kBins = kHalf + 1;
constexpr std::size_t kRow = 208;  // kBins, to whole vectors
constexpr std::size_t kBands = 80;
constexpr std::size_t kFrames = kSamples / kHop;
/// Silence put behind the sound, as the model was taught with some.
constexpr std::size_t kTail = 800;  // 100 ms at 8 kHz

using Spectrum = std::array<float, kRow>;

/// Slaney's mel scale: linear below 1 kHz, logarithmic above.
double hertz_of(double mel) {
  return mel < 15 ? 200 * mel / 3 : 1000 * std::exp(std::log(6.4) / 27 * (mel - 15));
}

struct Tables {
  std::array<Spectrum, kHalf + 1> cosine{};  ///< [sample][bin], windowed
  std::array<Spectrum, kHalf + 1> sine{};
  std::array<std::array<float, kBins>, kBands> bands{};

  Tables() {
    constexpr double kTurn = 2 * std::numbers::pi / kWindow;
    for (std::size_t n = 0; n <= kHalf; ++n) {
      const double hann = 0.5 - 0.5 * std::cos(kTurn * static_cast<double>(n));
      for (std::size_t k = 0; k < kBins; ++k) {
        const double angle = kTurn * static_cast<double>(n * k % kWindow);
        cosine[n][k] = static_cast<float>(hann * std::cos(angle));
        sine[n][k] = static_cast<float>(hann * std::sin(angle));
      }
    }
    const double top = 15 + std::log(8.0) * 27 / std::log(6.4);  // 8 kHz in mel
    const auto edge = [top](std::size_t i) {
      return hertz_of(top * static_cast<double>(i) / (kBands + 1));
    };
    for (std::size_t b = 0; b < kBands; ++b) {
      const double from = edge(b);
      const double middle = edge(b + 1);
      const double to = edge(b + 2);
      for (std::size_t k = 0; k < kBins; ++k) {
        const double hertz = 40.0 * static_cast<double>(k);
        const double height =
            std::min((hertz - from) / (middle - from), (to - hertz) / (to - middle));
        bands[b][k] = static_cast<float>(std::max(0.0, height) * 2 / (to - from));
      }
    }
  }
};

/// Power of the 400 samples at `x` in each bin. The window is symmetric: samples are taken in
/// pairs.
Spectrum power_of(const float* x, const Tables& tables) {
  Spectrum re{};
  Spectrum im{};
  for (std::size_t n = 1; n <= kHalf; ++n) {
    const float other = n == kHalf ? 0 : x[kWindow - n];
    const float even = x[n] + other;
    const float odd = x[n] - other;
    const Spectrum& cosine = tables.cosine[n];
    const Spectrum& sine = tables.sine[n];
    for (std::size_t k = 0; k < kRow; ++k) {
      re[k] += even * cosine[k];
      im[k] += odd * sine[k];
    }
  }
  for (std::size_t k = 0; k < kRow; ++k) re[k] = re[k] * re[k] + im[k] * im[k];
  return re;
}

/// Zero mean and unit variance, with half a window mirrored at both ends.
std::vector<float> normalized(std::span<const float> pcm) {
  double sum = 0;
  double squares = 0;
  for (const float x : pcm) {
    sum += x;
    squares += static_cast<double>(x) * x;
  }
  const auto n = static_cast<double>(pcm.size());
  const double mean = sum / n;
  const double scale = 1 / std::sqrt(squares / n - mean * mean + 1e-7);
  std::vector<float> out(pcm.size() + kWindow);
  for (std::size_t i = 0; i < pcm.size(); ++i)
    out[i + kHalf] = static_cast<float>((pcm[i] - mean) * scale);
  for (std::size_t i = 1; i <= kHalf; ++i) {
    out[kHalf - i] = out[kHalf + i];
    out[kHalf + pcm.size() - 1 + i] = out[kHalf + pcm.size() - 1 - i];
  }
  return out;
}

}  // namespace

std::vector<float> whisper_features(std::span<const float> pcm16k) {
  static const auto tables = std::make_unique<const Tables>();
  const std::vector<float> sound = normalized(pcm16k);
  std::vector<float> out(kBands * kFrames);
  float loudest = -10;
  for (std::size_t f = 0; f < kFrames; ++f) {
    const float* window = sound.data() + f * kHop;
    // What was padded with silence is alike from frame to frame.
    const bool same = f > 0 && std::equal(window - kHop, window + kWindow - kHop, window);
    const Spectrum power = same ? Spectrum{} : power_of(window, *tables);
    for (std::size_t b = 0; b < kBands; ++b) {
      float& value = out[b * kFrames + f];
      if (same) {
        value = out[b * kFrames + f - 1];
        continue;
      }
      float sum = 0;
      for (std::size_t k = 0; k < kBins; ++k) sum += tables->bands[b][k] * power[k];
      value = std::log10(std::max(sum, 1e-10F));
      loudest = std::max(loudest, value);
    }
  }
  for (float& value : out) value = (std::max(value, loudest - 8) + 4) / 4;
  return out;
}

Result<EndOfTurn> EndOfTurn::load(const std::filesystem::path& model) {
  const auto named = [&model](const Error& error) {
    return tl::unexpected<Error>(
        Error{error.code, model.string() + ": " + error.detail + "; mend speech.turn_end_model"});
  };
  auto session = OrtSession::load(model, 1);
  if (!session) return named(session.error());
  EndOfTurn made(std::move(*session));
  const std::vector<std::int16_t> silence(kTail);
  if (const auto tried = made.judge(silence); !tried) return named(tried.error());
  return made;
}

Result<double> EndOfTurn::judge(std::span<const std::int16_t> pcm) const {
  const std::size_t heard = std::min(pcm.size(), kHeard - kTail);
  std::vector<std::int16_t> last(kHeard);
  std::ranges::copy(pcm.last(heard), last.end() - static_cast<std::ptrdiff_t>(kTail + heard));
  const std::vector<float> features = whisper_features(to_16k(last));
  const std::array inputs{OrtInput{
      "input_features", features.data(), features.size() * sizeof(float), {1, kBands, kFrames}}};
  constexpr std::array kOutputs{"logits"};  // a probability, for all its name
  const auto result = session_.run(inputs, kOutputs);
  if (!result) return tl::unexpected<Error>(result.error());
  const std::vector<float>& out = (*result)[0];
  if (out.size() != 1 || !(out[0] >= 0 && out[0] <= 1))
    return fail(ErrorCode::kInvalid, "not an end-of-turn model: no probability came of it");
  return out[0];
}

void EndOfTurnPump::ask(std::vector<std::int16_t> pcm, std::function<void(double)> answer) {
  const auto heard = std::make_shared<const std::vector<std::int16_t>>(std::move(pcm));
  loop_.post([this, heard, answer = std::move(answer)] {
    const auto p = model_.judge(*heard);
    if (!p)
      return log_.error("the end-of-turn model failed", {{"error.message", p.error().detail}});
    home_.post([answer, p = *p] { answer(p); });
  });
}

}  // namespace yyc3::worker
