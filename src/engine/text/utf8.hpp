#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace yyc3::text {

/// Unicode scalars of `text`; malformed bytes are dropped (RFC 3629). Never fails.
[[nodiscard]] std::u32string decode_utf8(std::string_view text);
/// UTF-8 of `text`; values that are no Unicode scalar are dropped.
[[nodiscard]] std::string encode_utf8(std::u32string_view text);
void append_utf8(std::string& to, char32_t c);

/// A Chinese character the tables may know (unified ideographs and extension A, plus 〇).
[[nodiscard]] constexpr bool is_han(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || c == U'〇';
}
[[nodiscard]] constexpr bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
[[nodiscard]] constexpr bool is_latin(char32_t c) {
  return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
}
/// Latin letters with marks (é, ü): part of a word, not a letter to be spelled.
[[nodiscard]] constexpr bool is_word_letter(char32_t c) {
  return is_latin(c) || (c >= 0xC0 && c <= 0x24F && c != 0xD7 && c != 0xF7);
}
[[nodiscard]] constexpr bool is_blank(char32_t c) {
  return c == U' ' || c == U'\t' || c == U'\n' || c == U'\r' || c == 0x3000 || c == 0xA0;
}
[[nodiscard]] constexpr char32_t lower(char32_t c) { return c >= U'A' && c <= U'Z' ? c + 32 : c; }
/// Full-width letters, digits, '％', '＋' … to ASCII; the wide space to ' '. One to one.
/// '，', '！', '？', '：' and '；' stay as they are: they are Chinese punctuation.
[[nodiscard]] char32_t narrow(char32_t c);

}  // namespace yyc3::text
