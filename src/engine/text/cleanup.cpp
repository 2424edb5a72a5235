#include "engine/text/cleanup.hpp"

#include <algorithm>
#include <vector>

#include "engine/text/utf8.hpp"

namespace yyc3::text {
namespace {

constexpr std::size_t kMaxCharacters = 4000;
constexpr std::size_t kLongestPhrase = 40;  // tokens; Whisper loops on a phrase, not on a paragraph

struct Token {
  std::u32string_view word;
  std::size_t begin;  // character offset
  bool latin;
};

bool is_numeral(char32_t c) {
  return is_digit(c) || std::u32string_view(U"零〇一二三四五六七八九十百千万亿幺两").find(c) !=
                            std::u32string_view::npos;
}

/// Chinese characters and Latin words; punctuation and blanks only separate.
std::vector<Token> tokens_of(std::u32string_view text) {
  std::vector<Token> out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    const auto latin = [](char32_t c) { return is_word_letter(c) || c == U'\''; };
    if (latin(text[i])) {
      while (end < text.size() && latin(text[end])) ++end;
      out.push_back({text.substr(i, end - i), i, true});
    } else if (is_han(text[i]) || is_digit(text[i])) {
      out.push_back({text.substr(i, 1), i, false});
    }
    i = end;
  }
  return out;
}

bool same_word(const Token& a, const Token& b) {
  return std::equal(a.word.begin(), a.word.end(), b.word.begin(), b.word.end(),
                    [](char32_t x, char32_t y) { return lower(x) == lower(y); });
}

/// How often a phrase of `length` tokens must stand in a row to be a loop and not speech.
std::size_t allowed(const std::vector<Token>& tokens, std::size_t at, std::size_t length) {
  bool numbers = true;
  bool latin = true;
  for (std::size_t k = at; k < at + length; ++k) {
    numbers = numbers && is_numeral(tokens[k].word[0]);
    latin = latin && tokens[k].latin;
  }
  if (numbers) return 12;  // a number may repeat its digits
  if (length == 1) return 5;
  if (latin) return length >= 3 ? 2 : 3;
  return length >= 4 ? 2 : 3;
}

/// The token where the text begins once more and is cut short by the end
/// ("周末我去银行办。周末我去银行"): its last ≥ 5 tokens are those of a phrase right before them
/// that is at most half as long again.
std::size_t unfinished_repetition(const std::vector<Token>& tokens) {
  constexpr std::size_t kLeast = 5;
  const std::size_t n = tokens.size();
  for (std::size_t missing = 1; missing <= kLongestPhrase / 2; ++missing) {
    for (std::size_t length = std::max(kLeast, 2 * missing);
         2 * length + missing <= n && length <= kLongestPhrase; ++length) {
      const std::size_t second = n - length;
      const std::size_t first = second - missing - length;
      bool same = true;
      bool numbers = true;
      for (std::size_t k = 0; k < length && same; ++k) {
        same = same_word(tokens[first + k], tokens[second + k]);
        numbers = numbers && is_numeral(tokens[first + k].word[0]);
      }
      if (same && !numbers) return second;
    }
  }
  return n;
}

std::u32string before(std::u32string_view chars, std::size_t end) {
  std::u32string kept(chars.substr(0, end));
  while (!kept.empty() && (is_blank(kept.back()) || kept.back() == U'，' || kept.back() == U','))
    kept.pop_back();
  return kept;
}

}  // namespace

std::string to_simplified(const Tables& tables, std::string_view text) {
  std::u32string chars = decode_utf8(text);
  for (char32_t& c : chars) c = tables.simplified(c);
  return encode_utf8(chars);
}

CutText cut_repetition(std::string_view text) {
  std::u32string chars = decode_utf8(text);
  if (chars.size() > kMaxCharacters) chars.resize(kMaxCharacters);
  const std::vector<Token> tokens = tokens_of(chars);
  for (std::size_t at = 0; at < tokens.size(); ++at) {
    const std::size_t most = std::min(kLongestPhrase, (tokens.size() - at) / 2);
    for (std::size_t length = 1; length <= most; ++length) {
      std::size_t times = 1;
      const auto again = [&](std::size_t from) {
        if (from + length > tokens.size()) return false;
        for (std::size_t k = 0; k < length; ++k) {
          if (!same_word(tokens[at + k], tokens[from + k])) return false;
        }
        return true;
      };
      const std::size_t needed = allowed(tokens, at, length);
      while (times < needed && again(at + times * length)) ++times;
      if (times < needed) continue;
      return {encode_utf8(before(chars, tokens[at + length].begin)), true};
    }
  }
  const std::size_t unfinished = unfinished_repetition(tokens);
  if (unfinished < tokens.size())
    return {encode_utf8(before(chars, tokens[unfinished].begin)), true};
  return {encode_utf8(chars), false};
}

}  // namespace yyc3::text
