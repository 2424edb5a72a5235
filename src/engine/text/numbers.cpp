#include "engine/text/numbers.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "engine/text/utf8.hpp"

namespace yyc3::text {
namespace {

constexpr std::u32string_view kDigitNames = U"零一二三四五六七八九";
constexpr std::int64_t kLimit = 1'000'000'000'000'000;  // 10^15
constexpr std::size_t kMaxDigits = 64;

/// 0 … 9999; `zeros`: a missing thousand is read 零 (it follows a higher group).
std::u32string zh_group(std::int64_t value, bool zeros, bool liang) {
  std::u32string out;
  constexpr std::array<std::pair<int, char32_t>, 4> kPlaces{
      {{1000, U'千'}, {100, U'百'}, {10, U'十'}, {1, 0}}};
  bool gap = zeros && value < 1000 && value > 0;
  for (const auto& [place, name] : kPlaces) {
    const auto digit = static_cast<std::size_t>(value / place % 10);
    if (digit == 0) {
      gap = gap || !out.empty();
      continue;
    }
    if (gap) out += U'零';
    gap = false;
    const bool as_liang = liang && digit == 2 && place >= 100;
    out += as_liang ? U'两' : kDigitNames[digit];
    if (name != 0) out += name;
  }
  return out;
}

int zh_digit(char32_t c) {
  if (is_digit(c)) return static_cast<int>(c - U'0');
  if (c == U'两' || c == U'俩') return 2;
  if (c == U'幺' || c == U'壹') return 1;
  if (c == U'〇' || c == U'洞') return 0;
  if (c == U'拐') return 7;
  if (c == U'勾') return 9;
  const auto at = kDigitNames.find(c);
  return at == std::u32string_view::npos ? -1 : static_cast<int>(at);
}

std::int64_t zh_unit(char32_t c) {
  switch (c) {
    case U'十':
      return 10;
    case U'百':
      return 100;
    case U'千':
      return 1000;
    case U'万':
      return 10'000;
    case U'亿':
      return 100'000'000;
    default:
      return 0;
  }
}

/// 三百二十五, 两万三, 325, 1万: nothing unless every character takes part.
std::optional<std::int64_t> parse_zh(std::u32string_view text) {
  std::int64_t total = 0;   // closed groups (亿, 万)
  std::int64_t group = 0;   // below the next 万
  std::int64_t digits = 0;  // run of digits just read
  std::size_t run = 0;
  std::int64_t last_unit = 0;
  bool zero_before = false;
  if (text.empty() || text.size() > 32) return std::nullopt;
  for (const char32_t c : text) {
    const int digit = zh_digit(c);
    const std::int64_t unit = zh_unit(c);
    if (digit < 0 && unit == 0) return std::nullopt;
    if (digit >= 0) {
      if (run == 0) zero_before = digit == 0;
      digits = digits * 10 + digit;
      if (++run > 15) return std::nullopt;
      continue;
    }
    if (unit < 10'000) {
      if (run == 0 && unit != 10) return std::nullopt;
      group += (run == 0 ? 1 : digits) * unit;
    } else {
      group += digits;
      if (group == 0 && total == 0) return std::nullopt;
      if (unit == 100'000'000) {
        total = (total + group) * unit;
      } else {
        total += group * unit;
      }
      group = 0;
    }
    digits = 0;
    run = 0;
    last_unit = unit;
    if (total >= kLimit || group >= kLimit) return std::nullopt;
  }
  // 两百五, 两万三: a lone last digit counts tenths of the unit before it
  if (run == 1 && last_unit >= 100 && !zero_before) digits *= last_unit / 10;
  const std::int64_t value = total + group + digits;
  if (value >= kLimit) return std::nullopt;
  return value;
}

constexpr std::array<std::string_view, 20> kSmall{
    "zero",     "one",     "two",     "three",     "four",     "five",    "six",
    "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr std::array<std::string_view, 10> kTens{"",      "",      "twenty",  "thirty", "forty",
                                                 "fifty", "sixty", "seventy", "eighty", "ninety"};

std::string en_below_thousand(std::int64_t value) {
  std::string out;
  if (value >= 100) {
    out = std::string(kSmall[static_cast<std::size_t>(value / 100)]) + " hundred";
    value %= 100;
    if (value == 0) return out;
    out += " and ";
  }
  if (value < 20) return out + std::string(kSmall[static_cast<std::size_t>(value)]);
  out += kTens[static_cast<std::size_t>(value / 10)];
  if (value % 10 != 0) out += "-" + std::string(kSmall[static_cast<std::size_t>(value % 10)]);
  return out;
}

std::u32string widen(std::string_view ascii) { return {ascii.begin(), ascii.end()}; }

std::string en_plain(std::int64_t value) {
  if (value < 0) return "minus " + en_plain(-value);
  if (value < 1000) return en_below_thousand(value);
  constexpr std::array<std::pair<std::int64_t, std::string_view>, 5> kScales{
      {{1'000'000'000'000'000, "quadrillion"},
       {1'000'000'000'000, "trillion"},
       {1'000'000'000, "billion"},
       {1'000'000, "million"},
       {1000, "thousand"}}};
  std::string out;
  for (const auto& [scale, name] : kScales) {
    if (value < scale) continue;
    if (!out.empty()) out += ' ';
    out += en_below_thousand(value / scale) + " " + std::string(name);
    value %= scale;
  }
  if (value == 0) return out;
  return out + (value < 100 ? " and " : " ") + en_below_thousand(value);
}

template <std::size_t N>
int index_of(const std::array<std::string_view, N>& names, const std::u32string& word) {
  for (std::size_t i = 0; i < N; ++i) {
    if (!names[i].empty() &&
        std::equal(word.begin(), word.end(), names[i].begin(), names[i].end(),
                   [](char32_t a, char b) { return a == static_cast<unsigned char>(b); })) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

/// A number of English words starting at words[at]; `at` moves past it. Nothing if none begins.
std::optional<std::int64_t> take_english(const std::vector<std::u32string>& words,
                                         std::size_t& at) {
  std::int64_t total = 0;
  std::int64_t group = 0;
  bool any = false;
  bool ones_open = true;  // "twenty five" goes on, "five five" does not
  bool tens_open = true;
  for (; at < words.size(); ++at) {
    const std::u32string& w = words[at];
    const int small = index_of(kSmall, w);
    const int tens = index_of(kTens, w);
    if (small >= 0 && ones_open && (small < 10 || tens_open)) {
      group += small;
      ones_open = tens_open = false;
    } else if (tens >= 2 && tens_open) {
      group += tens * 10;
      tens_open = false;
    } else if (any && w == U"hundred" && group > 0 && group < 100) {
      group *= 100;
      ones_open = tens_open = true;
    } else if (any && (w == U"thousand" || w == U"million" || w == U"billion") && group > 0) {
      const std::int64_t scale = w == U"thousand"  ? 1000
                                 : w == U"million" ? 1'000'000
                                                   : 1'000'000'000;
      total += group * scale;
      group = 0;
      ones_open = tens_open = true;
    } else if (any && w == U"and" && at + 1 < words.size() && ones_open && tens_open &&
               (index_of(kSmall, words[at + 1]) > 0 || index_of(kTens, words[at + 1]) >= 2)) {
      continue;
    } else {
      break;
    }
    any = true;
    if (total >= kLimit) return std::nullopt;
  }
  if (!any) return std::nullopt;
  return total + group;
}

}  // namespace

std::vector<std::u32string> words_of(std::string_view text) {
  std::vector<std::u32string> out;
  bool open = false;
  bool number = false;
  for (const char32_t raw : decode_utf8(text)) {
    const char32_t c = lower(narrow(raw));
    const bool letter = is_word_letter(c);
    if (letter || is_digit(c)) {
      if (!open || number != is_digit(c)) out.emplace_back();
      out.back() += c;
      open = true;
      number = is_digit(c);
      continue;
    }
    open = false;
    if (is_han(c)) out.emplace_back(1, c);
  }
  return out;
}

std::optional<std::int64_t> take_number(const std::vector<std::u32string>& words, std::size_t& at) {
  if (at < words.size() && is_digit(words[at][0])) {
    if (words[at].size() > 15) return std::nullopt;
    std::int64_t value = 0;
    for (const char32_t c : words[at]) value = value * 10 + static_cast<std::int64_t>(c - U'0');
    ++at;
    return value;
  }
  const std::size_t from = at;
  const auto value = take_english(words, at);
  if (!value) at = from;
  return value;
}

std::u32string zh_number(std::int64_t value, bool liang) {
  if (value == 0) return U"零";
  if (value < 0) return U"负" + zh_number(-value, liang);
  std::u32string out;
  constexpr std::array<std::pair<std::int64_t, std::u32string_view>, 4> kGroups{
      {{1'000'000'000'000, U"万亿"}, {100'000'000, U"亿"}, {10'000, U"万"}, {1, U""}}};
  for (const auto& [scale, name] : kGroups) {
    const std::int64_t group = value / scale;
    value %= scale;
    if (group == 0) continue;
    const bool lone_two = group == 2 && !name.empty() && liang;
    out += lone_two ? U"两" : zh_group(group % 10'000, !out.empty(), liang);
    out += name;
  }
  if (out.size() >= 2 && out[0] == U'一' && out[1] == U'十') out.erase(0, 1);  // 十五
  return out;
}

std::u32string zh_digits(std::u32string_view digits, bool yao) {
  std::u32string out;
  for (const char32_t c : digits) {
    if (!is_digit(c)) continue;
    out += yao && c == U'1' ? U'幺' : kDigitNames[c - U'0'];
  }
  return out;
}

std::u32string en_number(std::int64_t value) { return widen(en_plain(value)); }

std::u32string en_ordinal(std::int64_t value) {
  std::string words = en_plain(value);
  const std::size_t cut = words.find_last_of(" -") + 1;  // npos + 1 == 0
  const std::string last = words.substr(cut);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kOdd{
      {{"one", "first"},
       {"two", "second"},
       {"three", "third"},
       {"five", "fifth"},
       {"eight", "eighth"},
       {"nine", "ninth"},
       {"twelve", "twelfth"},
       {"zero", "zeroth"}}};
  const auto* odd =
      std::find_if(kOdd.begin(), kOdd.end(), [&](auto& p) { return p.first == last; });
  words.erase(cut);
  if (odd != kOdd.end()) return widen(words + std::string(odd->second));
  if (last.back() == 'y') return widen(words + last.substr(0, last.size() - 1) + "ieth");
  return widen(words + last + "th");
}

std::u32string en_digits(std::u32string_view digits) {
  std::u32string out;
  for (const char32_t c : digits) {
    if (!is_digit(c)) continue;
    if (!out.empty()) out += U' ';
    out += widen(kSmall[c - U'0']);
  }
  return out;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  const std::vector<std::u32string> words = words_of(text);
  if (words.empty()) return std::nullopt;
  std::u32string joined;
  bool latin = false;
  for (const auto& w : words) {
    joined += w;
    latin = latin || is_word_letter(w[0]);
  }
  if (!latin) return parse_zh(joined);
  std::size_t at = 0;
  const auto value = take_english(words, at);
  return at == words.size() ? value : std::nullopt;
}

std::string parse_digits(std::string_view text) {
  const std::vector<std::u32string> words = words_of(text);
  std::string out;
  std::size_t times = 1;  // after "double", "triple"
  const auto put = [&](std::string_view digits) {
    for (; times > 0; --times) out += digits;
    times = 1;
  };
  for (std::size_t i = 0; i < words.size() && out.size() < kMaxDigits;) {
    const std::u32string& w = words[i];
    if (is_han(w[0])) {
      std::u32string run;
      bool units = false;
      for (; i < words.size() && (zh_digit(words[i][0]) >= 0 || zh_unit(words[i][0]) > 0); ++i) {
        run += words[i];
        units = units || zh_unit(words[i][0]) > 0;
      }
      const auto value = units ? parse_zh(run) : std::nullopt;
      if (value) put(std::to_string(*value));
      for (const char32_t c : run) {
        if (!value && zh_digit(c) >= 0) put(std::string(1, static_cast<char>('0' + zh_digit(c))));
      }
      if (run.empty()) ++i;
      continue;
    }
    if (is_digit(w[0])) {
      put(encode_utf8(w));
      ++i;
      continue;
    }
    if (w == U"double" || w == U"triple") {
      times = w == U"double" ? 2 : 3;
      ++i;
      continue;
    }
    if (w == U"oh" || w == U"o") {
      put("0");
      ++i;
      continue;
    }
    if (const auto value = take_english(words, i)) {
      put(std::to_string(*value));
    } else {
      ++i;
    }
  }
  if (out.size() > kMaxDigits) out.resize(kMaxDigits);
  return out;
}

}  // namespace yyc3::text
