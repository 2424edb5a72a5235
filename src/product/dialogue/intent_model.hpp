#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "product/dialogue/intent.hpp"

namespace yyc3::dialogue {

/// One feature of a text: where its weights stand and how often it occurs.
struct Feature {
  std::uint32_t bucket = 0;
  float value = 0;
};

/// Hashed features of a text, L2-normalised: character 1–3-grams and toneless pinyin 1–3-grams for
/// Chinese, word 1–2-grams and character 2–5-grams inside words for English. Reads at most 400
/// characters. Pure; any thread. The trainer and the product share this function.
[[nodiscard]] std::vector<Feature> features_of(std::string_view text, text::Language language);
inline constexpr std::uint32_t kBuckets = 1U << 17;

/// The small model beside the rules: softmax over hashed n-grams, one weight table a language,
/// trained at build time by tools/nlu from src/product/dialogue/data. Threads: immutable, any.
/// File: "YYC3NLU1", u32 buckets, u32 classes; for zh, then en: f32 temperature, f32 bias[classes],
/// f32 scale[classes], i8 weights[buckets × classes]; u64 FNV-1a of all before it. 1.6 MB.
class IntentModel {
 public:
  struct Part {
    float temperature = 1;
    std::vector<float> bias;           ///< kIntents
    std::vector<float> scale;          ///< kIntents: weight = scale × i8
    std::vector<std::int8_t> weights;  ///< kBuckets × kIntents, class fastest
  };

  /// Errors: kNotFound, kInvalid (not such a file, cut short, checksum); the detail says how to
  /// make it again.
  static Result<std::shared_ptr<const IntentModel>> load(const std::filesystem::path& file);
  IntentModel(Part zh, Part en) : zh_(std::move(zh)), en_(std::move(en)) {}
  /// The file's bytes.
  [[nodiscard]] std::string serialize() const;

  /// The likeliest class with calibrated confidence. About 20 µs a sentence.
  [[nodiscard]] IntentGuess guess(std::string_view text, text::Language language) const;

 private:
  Part zh_;
  Part en_;
};

}  // namespace yyc3::dialogue
