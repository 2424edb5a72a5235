#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/text/segmenter.hpp"
#include "engine/text/tables.hpp"

namespace yyc3::text {

/// One read Chinese character.
struct Syllable {
  std::size_t at = 0;    ///< character offset in the text
  SyllableId id = 0;     ///< Tables::syllable gives "zhong1"
  std::size_t word = 0;  ///< number of the word it stands in: tone sandhi looks at words
};

/// Chinese text to syllables: words decide between the readings of a character.
/// Threads: immutable, any thread.
class Pinyin {
 public:
  enum class Tones {
    kDictionary,  ///< as dictionaries print them
    kSpoken,      ///< with the tone changes of 不, 一 and third tones in a row
  };

  explicit Pinyin(TablesPtr tables) : tables_(tables), segmenter_(std::move(tables)) {}

  /// One entry for each Chinese character the tables know; everything else is left out.
  [[nodiscard]] std::vector<Syllable> read(std::u32string_view text,
                                           Tones tones = Tones::kDictionary) const;
  /// "ni3 hao3 ABC": syllables and the untouched rest, separated by blanks. For people and tests.
  [[nodiscard]] std::string spell(std::string_view text, Tones tones = Tones::kDictionary) const;

  [[nodiscard]] const Tables& tables() const { return *tables_; }
  [[nodiscard]] const TablesPtr& tables_ptr() const { return tables_; }
  [[nodiscard]] const Segmenter& segmenter() const { return segmenter_; }

 private:
  void read_word(std::u32string_view text, Span word, std::size_t number,
                 std::vector<Syllable>& out) const;
  TablesPtr tables_;
  Segmenter segmenter_;
};

/// Applies the tone changes in place: 不 before a fourth tone (bú), 一 before a tone (yí, yì) but
/// not in numbers, ordinals and dates, and the first of two third tones (nǐ hǎo → ní hǎo), inside
/// words first, then from left to right between words.
void apply_tone_sandhi(const Tables& tables, std::u32string_view text, std::vector<Syllable>& in);

}  // namespace yyc3::text
