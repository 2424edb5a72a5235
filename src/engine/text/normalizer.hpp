#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/language.hpp"
#include "engine/text/segmenter.hpp"

namespace yyc3::text {

/// A text as it is to be spoken, every character of it tied to the characters it came from.
struct SpokenText {
  std::u32string text;       ///< words and punctuation only; no digits or symbols are left
  std::vector<Span> origin;  ///< for each character of `text`: range of characters of the input

  [[nodiscard]] std::string utf8() const;
};

/// Numbers, amounts, dates, times, telephone numbers, codes, ranges and units → words, by context:
/// "15:30" → 十五点三十分, "下午3:30" → 下午三点半, "2026年11月24日" → 二零二六年十一月二十四日,
/// "尾号1138" → 尾号幺幺三八, "100-150元" → 一百到一百五十元, "$12.50" → twelve dollars and fifty
/// cents. Malformed UTF-8 and control characters are dropped. Never fails; linear in the input.
[[nodiscard]] SpokenText normalize(std::string_view text, Language language);
/// The same on characters; `origin` counts characters of `text`.
[[nodiscard]] SpokenText normalize(std::u32string_view text, Language language);

}  // namespace yyc3::text
