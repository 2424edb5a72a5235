#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace yyc3::speech {

/// Cuts a text into clauses that can be voiced one after another: at 。！？；，、 and at . ! ? ; ,
/// followed by a space or the end; a clause longer than `hanzi_max` Hanzi (an English word counts
/// two) is cut at its last word or Hanzi boundary before that. Joined, the clauses are the text.
/// A sentence in the Chinese voice cannot be stopped once begun, so live jobs are ≤ 12 Hanzi.
std::vector<std::string> split_clauses(std::string_view text, std::size_t hanzi_max = 12);

}  // namespace yyc3::speech
