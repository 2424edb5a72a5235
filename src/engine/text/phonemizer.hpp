#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/text/language.hpp"
#include "engine/text/normalizer.hpp"
#include "engine/text/pinyin.hpp"

namespace yyc3::text {

/// The alphabet a voice was trained with.
enum class PhonemeSet {
  kKokoro,  ///< Kokoro 1.0: zh and en
  kPiper,   ///< Piper voices with espeak-style IPA: en only; Chinese characters give nothing
};

/// Where a part of a unit begins.
struct PhonemePart {
  std::size_t phoneme;    ///< code point of its phonemes
  std::size_t character;  ///< of the input text
};

/// One spoken unit: a Chinese word, an English word or a punctuation mark.
struct PhonemeUnit {
  std::string phonemes;                 ///< never empty; a mark is itself (", . ! ? ; :")
  Span origin;                          ///< range of characters of the input text it speaks
  bool pause = false;                   ///< punctuation: no sound of its own
  std::vector<PhonemePart> parts = {};  ///< a Chinese word's characters; empty: it is not divided
};

struct Phonemes {
  std::vector<PhonemeUnit> units;
  std::size_t unspeakable = 0;  ///< characters dropped because no table knows them

  /// What the model takes: units joined, words separated by blanks, marks attached.
  [[nodiscard]] std::string joined() const;
};

/// Text → phonemes. Threads: immutable, any thread. Cost: about 1 µs a character.
class Phonemizer {
 public:
  explicit Phonemizer(TablesPtr tables) : pinyin_(std::move(tables)) {}

  /// `text`: what is to be said, numbers and all; at most kMaxCharacters are read.
  [[nodiscard]] Phonemes phonemes(std::string_view text, Language language, PhonemeSet set) const;
  /// Kokoro phonemes of one English word; unknown words letter by letter.
  [[nodiscard]] std::string english_word(std::string_view word) const;

  static constexpr std::size_t kMaxCharacters = 4000;

 private:
  void add_han(const SpokenText& spoken, Span run, Phonemes& out) const;
  void add_english(const SpokenText& spoken, Span run, PhonemeSet set, Phonemes& out) const;
  [[nodiscard]] std::string known_english(const std::string& word) const;
  [[nodiscard]] std::string inflected_english(const std::string& word) const;
  Pinyin pinyin_;
};

}  // namespace yyc3::text
