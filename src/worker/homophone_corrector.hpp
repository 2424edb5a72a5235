#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/match.hpp"
#include "engine/text/pinyin.hpp"
#include "worker/ngram_model.hpp"

namespace yyc3::worker {

/// Puts right what a recogniser of Chinese wrote with other characters than were said, mostly ones
/// that sound alike (上次月的是哪位一生 for 上次约的是哪位医生). A noisy channel (Kernighan et al.
/// 1990): the text whose characters are likeliest in a row, by a trigram model of what people say,
/// less what each other character costs: by its sound, and by how sure the recogniser was of its
/// own. So 华为 stays where it was clearly heard, though nobody in the model says it. The text
/// keeps its length; letters, digits and marks stay; a numeral never becomes another one. Threads:
/// built on one, then immutable. Cost: a few ms a sentence, linear in its length.
class HomophoneCorrector {
 public:
  /// How far (nats) the recogniser held `other` behind the character it wrote at offset `at`;
  /// kBehindMax or more: ruled out, or not known.
  using Behind = std::function<float(std::size_t at, char32_t other)>;
  static constexpr float kBehindMax = 10;

  /// @param said, own  utterances, one a line; marks part them.
  HomophoneCorrector(const text::TablesPtr& tables, std::string_view said, std::string_view own);
  [[nodiscard]] std::u32string correct(std::u32string_view text, const Behind& behind) const;

 private:
  /// A character people say, in one of its readings.
  struct Spoken {
    char32_t character;
    text::Sound sound;
    char tone;
  };
  struct Choice {
    char32_t character;
    double cost;  ///< nats
  };
  /// Readings of each character, and how often they were met.
  using Readings = std::map<char32_t, std::map<text::SyllableId, int>>;
  struct Path;

  void learn(std::string_view lines, Readings& readings);
  [[nodiscard]] std::vector<Choice> choices(char32_t heard, const text::Syllable* read,
                                            bool in_word, const Behind& behind) const;
  [[nodiscard]] std::u32string likeliest(std::span<const std::vector<Choice>> run) const;

  text::Pinyin pinyin_;
  NgramModel said_;
  std::vector<Spoken> spoken_;  ///< those of one character side by side
};

}  // namespace yyc3::worker
