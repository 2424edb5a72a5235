#pragma once

#include <string>
#include <string_view>

#include "engine/text/tables.hpp"

namespace yyc3::text {

/// `text` with every traditional character replaced by its simplified form (one to one).
/// Malformed UTF-8 is dropped.
[[nodiscard]] std::string to_simplified(const Tables& tables, std::string_view text);

struct CutText {
  std::string text;
  bool looped = false;  ///< something was cut
};

/// A recogniser that loops repeats its last phrase until it is stopped. Cuts before the first
/// immediate repetition: a phrase of ≥ 4 characters (≥ 2 English words) said twice in a row, of 2–3
/// characters three times, of one character (one word) five times; and before a repetition that the
/// end of the text cuts short (≥ 5 characters of a phrase, at most half as many missing).
/// "好的好的", "喂喂喂" and digits ("一三八八八八") stay. Malformed UTF-8 is dropped. Reads at most
/// 4,000 characters.
[[nodiscard]] CutText cut_repetition(std::string_view text);

}  // namespace yyc3::text
