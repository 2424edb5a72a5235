// Trains the intent model: nlu_train TEXTS_DIR OUT. Deterministic; a few seconds.
// Multinomial logistic regression on the hashed features of the product, AdaGrad, classes balanced;
// confidence calibrated on a tenth kept out for it; weights rounded to 8 bits.
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <numeric>

#include "corpus.hpp"
#include "product/dialogue/intent_model.hpp"

using namespace yyc3;
using dialogue::kBuckets;
using dialogue::kIntents;

namespace {

constexpr int kEpochs = 16;
constexpr float kRate = 0.5F;
constexpr float kDecay = 2e-6F;

struct Sample {
  std::vector<dialogue::Feature> features;
  std::size_t intent;
  float weight;
};

using Scores = std::array<double, kIntents>;

struct Weights {
  std::vector<float> w = std::vector<float>(std::size_t{kBuckets} * kIntents, 0.0F);
  std::vector<float> g = std::vector<float>(std::size_t{kBuckets} * kIntents, 1e-6F);
  std::array<float, kIntents> bias{};

  [[nodiscard]] Scores logits(const Sample& sample) const {
    Scores out{};
    for (std::size_t c = 0; c < kIntents; ++c) out[c] = bias[c];
    for (const auto& feature : sample.features)
      for (std::size_t c = 0; c < kIntents; ++c)
        out[c] += static_cast<double>(feature.value) * w[feature.bucket * kIntents + c];
    return out;
  }
};

Scores softmax(Scores scores, double temperature) {
  double highest = -1e300;
  for (const double score : scores) highest = std::max(highest, score / temperature);
  double total = 0;
  for (double& score : scores) total += score = std::exp(score / temperature - highest);
  for (double& score : scores) score /= total;
  return scores;
}

Weights train(const std::vector<Sample>& samples) {
  Weights weights;
  std::array<double, kIntents> seen{};
  for (const Sample& sample : samples) seen[sample.intent] += sample.weight;
  const double all = std::accumulate(seen.begin(), seen.end(), 0.0);
  std::vector<std::size_t> order(samples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::uint64_t random = 0x9E3779B97F4A7C15ULL;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    for (std::size_t i = order.size(); i > 1; --i) {  // std::shuffle differs between libraries
      random = random * 6364136223846793005ULL + 1442695040888963407ULL;
      std::swap(order[i - 1], order[(random >> 33) % i]);
    }
    for (const std::size_t index : order) {
      const Sample& sample = samples[index];
      const Scores p = softmax(weights.logits(sample), 1);
      const double balance =
          std::sqrt(all / (static_cast<double>(kIntents) * seen[sample.intent])) * sample.weight;
      for (std::size_t c = 0; c < kIntents; ++c) {
        const auto error = static_cast<float>((p[c] - (c == sample.intent ? 1 : 0)) * balance);
        weights.bias[c] -= 0.02F * error;
        for (const auto& feature : sample.features) {
          const std::size_t at = feature.bucket * kIntents + c;
          const float gradient = error * feature.value + kDecay * weights.w[at];
          weights.g[at] += gradient * gradient;
          weights.w[at] -= kRate * gradient / std::sqrt(weights.g[at]);
        }
      }
    }
  }
  return weights;
}

/// The temperature with the least log loss on `kept`.
float calibrate(const Weights& weights, const std::vector<Sample>& kept) {
  float best = 1;
  double least = 1e300;
  for (float temperature = 0.4F; temperature < 6; temperature *= 1.06F) {
    double loss = 0;
    for (const Sample& sample : kept)
      loss -= std::log(softmax(weights.logits(sample), temperature)[sample.intent] + 1e-12);
    if (loss < least) {
      least = loss;
      best = temperature;
    }
  }
  return best;
}

dialogue::IntentModel::Part part_of(const std::vector<nlu::Example>& examples,
                                    text::Language language) {
  std::vector<Sample> all;
  std::vector<Sample> most;
  std::vector<Sample> kept;
  std::size_t number = 0;
  for (const nlu::Example& example : examples) {
    if (example.language != language) continue;
    all.push_back({dialogue::features_of(example.text, language),
                   static_cast<std::size_t>(example.intent), example.weight});
    (number++ % 10 == 7 ? kept : most).push_back(all.back());
  }
  dialogue::IntentModel::Part part;
  part.temperature = kept.empty() ? 1 : calibrate(train(most), kept);
  const Weights weights = train(all);
  part.bias.assign(weights.bias.begin(), weights.bias.end());
  part.weights.resize(weights.w.size());
  for (std::size_t c = 0; c < kIntents; ++c) {
    float largest = 1e-6F;
    for (std::size_t b = 0; b < kBuckets; ++b)
      largest = std::max(largest, std::abs(weights.w[b * kIntents + c]));
    const float scale = largest / 127;
    part.scale.push_back(scale);
    for (std::size_t b = 0; b < kBuckets; ++b)
      part.weights[b * kIntents + c] =
          static_cast<std::int8_t>(std::lround(weights.w[b * kIntents + c] / scale));
  }
  fmt::print("{}: {} sentences, temperature {:.2f}\n",
             language == text::Language::kZh ? "zh" : "en", all.size(), part.temperature);
  return part;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return fmt::print(stderr, "usage: nlu_train TEXTS_DIR OUT\n"), 2;
  const auto corpus = nlu::read_corpus(argv[1]);
  if (!corpus) return fmt::print(stderr, "nlu_train: {}\n", corpus.error().detail), 1;
  const dialogue::IntentModel model(part_of(corpus->train, text::Language::kZh),
                                    part_of(corpus->train, text::Language::kEn));
  const std::filesystem::path out = argv[2];
  const std::filesystem::path beside = out.string() + ".part";
  std::ofstream file(beside, std::ios::binary);
  const std::string bytes = model.serialize();
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return fmt::print(stderr, "nlu_train: cannot write {}\n", out.string()), 1;
  std::filesystem::rename(beside, out);
}
