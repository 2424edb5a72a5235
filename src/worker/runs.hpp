#pragma once

#include <cstddef>
#include <string_view>

#include "engine/text/utf8.hpp"

namespace yyc3::worker {

/// Calls take(begin, end) for each run of Chinese characters, letters and digits in `text`: what
/// stands between marks and blanks.
template <typename Take>
void for_each_run(std::u32string_view text, const Take& take) {
  const auto goes_on = [](char32_t c) {
    return text::is_han(c) || text::is_word_letter(c) || text::is_digit(c);
  };
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && goes_on(text[i])) continue;
    if (i > begin) take(begin, i);
    begin = i + 1;
  }
}

}  // namespace yyc3::worker
