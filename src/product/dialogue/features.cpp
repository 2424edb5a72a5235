#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <unicode/translit.h>
#include <unicode/unistr.h>

#include "engine/text/utf8.hpp"
#include "product/dialogue/intent_model.hpp"
#include "product/dialogue/understanding.hpp"

namespace yyc3::dialogue {
namespace {

constexpr char32_t kFirstHan = 0x4E00;
constexpr char32_t kLastHan = 0x9FFF;
constexpr std::uint32_t kBucketMask = kBuckets - 1;

/// Number of the toneless syllable of each character, by the tables inside ICU (CLDR Han-Latin):
/// the training needs no lexicon files, and the same characters give the same features everywhere.
class Syllables {
 public:
  Syllables() : of_(kLastHan - kFirstHan + 1, 0) {
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::Transliterator> latin(icu::Transliterator::createInstance(
        "Han-Latin; Latin-ASCII; Lower", UTRANS_FORWARD, status));
    if (U_FAILURE(status) || !latin) return;  // ICU without its data: characters alone
    std::map<std::string, std::uint16_t> numbers;
    for (char32_t c = kFirstHan; c <= kLastHan; ++c) {
      icu::UnicodeString one(static_cast<UChar32>(c));
      latin->transliterate(one);
      std::string spelled;
      one.toUTF8String(spelled);
      if (spelled.empty() || spelled.size() > 6 || spelled[0] < 'a' || spelled[0] > 'z') continue;
      const auto next = static_cast<std::uint16_t>(numbers.size() + 1);
      of_[c - kFirstHan] = numbers.emplace(spelled, next).first->second;
    }
  }
  [[nodiscard]] std::uint32_t of(char32_t c) const {
    return c >= kFirstHan && c <= kLastHan ? of_[c - kFirstHan] : 0;
  }

 private:
  std::vector<std::uint16_t> of_;
};

const Syllables& syllables() {
  static const Syllables table;
  return table;
}

class Hash {
 public:
  explicit Hash(std::uint32_t family) { add(family); }
  void add(std::uint32_t value) {
    for (int byte = 0; byte < 4; ++byte, value >>= 8) h_ = (h_ ^ (value & 0xFF)) * 0x100000001B3ULL;
  }
  [[nodiscard]] std::uint32_t bucket() const {
    return static_cast<std::uint32_t>(h_ ^ (h_ >> 29)) & kBucketMask;
  }

 private:
  std::uint64_t h_ = 0xCBF29CE484222325ULL;
};

enum Family : std::uint32_t { kCharacters = 1, kPinyin, kWords, kPieces, kBias };

using Counts = std::map<std::uint32_t, float>;

void grams(const std::vector<std::uint32_t>& units, Family family, std::size_t longest,
           float weight, Counts& out) {
  for (std::size_t from = 0; from < units.size(); ++from) {
    Hash hash(family);
    for (std::size_t size = 1; size <= longest && from + size <= units.size(); ++size) {
      hash.add(units[from + size - 1]);
      Hash gram = hash;
      gram.add(static_cast<std::uint32_t>(size));
      out[gram.bucket()] += weight;
    }
  }
}

void chinese(const std::u32string& plain, Counts& out) {
  std::vector<std::uint32_t> characters{U'^'};
  std::vector<std::uint32_t> sounds{U'^'};
  for (const char32_t c : plain) {
    if (c == U' ') continue;
    characters.push_back(text::is_digit(c) ? U'0' : c);
    const std::uint32_t sound = syllables().of(c);
    sounds.push_back(sound != 0 ? sound : 0x10000 + (text::is_digit(c) ? U'0' : c));
  }
  characters.push_back(U'$');
  sounds.push_back(U'$');
  grams(characters, kCharacters, 3, 1.0F, out);
  grams(sounds, kPinyin, 3, 0.5F, out);
}

void english(const std::u32string& plain, Counts& out) {
  std::vector<std::uint32_t> words;
  std::size_t from = 0;
  while (from < plain.size()) {
    const std::size_t end = std::min(plain.find(U' ', from), plain.size());
    std::vector<std::uint32_t> pieces{U'^'};
    Hash word(kWords);
    for (std::size_t i = from; i < end; ++i) {
      const char32_t c = text::is_digit(plain[i]) ? U'0' : plain[i];
      pieces.push_back(c);
      word.add(c);
    }
    pieces.push_back(U'$');
    words.push_back(word.bucket());
    for (std::size_t at = 0; at < pieces.size(); ++at) {
      Hash hash(kPieces);
      for (std::size_t size = 1; size <= 5 && at + size <= pieces.size(); ++size) {
        hash.add(pieces[at + size - 1]);
        if (size < 3) continue;
        Hash gram = hash;
        gram.add(static_cast<std::uint32_t>(size));
        out[gram.bucket()] += 0.4F;
      }
    }
    from = end + 1;
  }
  grams(words, kWords, 2, 1.0F, out);
}

}  // namespace

std::vector<Feature> features_of(std::string_view text, text::Language language) {
  const std::u32string plain = text::decode_utf8(plain_text(text));
  Counts counts;
  if (language == text::Language::kZh)
    chinese(plain, counts);
  else
    english(plain, counts);
  double square = 0;
  std::vector<Feature> out;
  out.reserve(counts.size());
  for (const auto& [bucket, count] : counts) {
    const float value = std::sqrt(count);  // a word said twice is not twice the evidence
    out.push_back({bucket, value});
    square += static_cast<double>(value) * value;
  }
  if (square > 0)
    for (Feature& feature : out) feature.value /= static_cast<float>(std::sqrt(square));
  return out;
}

}  // namespace yyc3::dialogue
