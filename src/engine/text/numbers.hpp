#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace yyc3::text {

/// 325 → 三百二十五; 10 → 十; 20000 → 两万 (with `liang`) or 二万. |value| < 10^16.
[[nodiscard]] std::u32string zh_number(std::int64_t value, bool liang = false);
/// Digits one by one: "1380" → 一三八零, with 幺 for 1 when `yao`. Other characters are dropped.
[[nodiscard]] std::u32string zh_digits(std::u32string_view digits, bool yao);
/// 325 → "three hundred and twenty-five".
[[nodiscard]] std::u32string en_number(std::int64_t value);
/// 21 → "twenty-first".
[[nodiscard]] std::u32string en_ordinal(std::int64_t value);
/// "1380" → "one three eight zero".
[[nodiscard]] std::u32string en_digits(std::u32string_view digits);

/// The number `text` is, whole: "三百二十五", "两万三", "325", "３２５", "半" is not one;
/// en: "three hundred and twenty five". Nothing for anything else or ≥ 10^15.
[[nodiscard]] std::optional<std::int64_t> parse_number(std::string_view text);
/// The digits heard anywhere in `text`, in order: "幺三八 零零" → "13800", "one three eight oh" →
/// "1380", "double five" → "55", "138" → "138"; groups such as 三十五 count as their digits "35".
/// At most 64 digits.
[[nodiscard]] std::string parse_digits(std::string_view text);

/// Lower-case Latin words, digit runs and single Chinese characters of `text`, in order;
/// everything else is left out.
[[nodiscard]] std::vector<std::u32string> words_of(std::string_view text);
/// A number in English words or digits beginning at words[at]; moves `at` past it. "twenty five"
/// is one number, "three thirty" two. Nothing, and `at` unmoved, when none begins there.
[[nodiscard]] std::optional<std::int64_t> take_number(const std::vector<std::u32string>& words,
                                                      std::size_t& at);

}  // namespace yyc3::text
