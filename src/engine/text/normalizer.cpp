#include "engine/text/normalizer.hpp"

#include "engine/text/normalize_state.hpp"
#include "engine/text/utf8.hpp"

namespace yyc3::text {
namespace norm {

void Output::put(View words, std::size_t begin, std::size_t end) {
  for (const char32_t c : words) {
    spoken.text += c;
    spoken.origin.push_back({begin, end});
  }
}

View digits_at(View text, std::size_t at, std::size_t most) {
  std::size_t end = at;
  while (end < text.size() && is_digit(text[end]) && end - at <= most) ++end;
  if (end == at || end - at > most) return {};
  return text.substr(at, end - at);
}

std::int64_t value_of(View digits) {
  if (digits.empty() || digits.size() > 15) return -1;
  std::int64_t value = 0;
  for (const char32_t c : digits) value = value * 10 + static_cast<std::int64_t>(c - U'0');
  return value;
}

std::optional<Figure> figure_at(View text, std::size_t at) {
  Figure out;
  std::size_t i = at;
  while (i < text.size() && is_digit(text[i])) out.whole += text[i++];
  if (out.whole.empty()) return std::nullopt;
  if (out.whole.size() <= 3) {
    while (i + 3 < text.size() && text[i] == U',' && digits_at(text, i + 1, 3).size() == 3) {
      out.whole += text.substr(i + 1, 3);
      out.grouped = true;
      i += 4;
    }
  }
  if (i + 1 < text.size() && text[i] == U'.' && is_digit(text[i + 1])) {
    for (++i; i < text.size() && is_digit(text[i]); ++i) out.fraction += text[i];
  }
  out.end = i;
  return out;
}

std::optional<ClockTime> clock_at(View text, std::size_t at) {
  const auto colon = [&](std::size_t i) {
    return i < text.size() && (text[i] == U':' || text[i] == U'：');
  };
  const View hour = digits_at(text, at, 2);
  std::size_t i = at + hour.size();
  if (hour.empty() || !colon(i)) return std::nullopt;
  const View minute = digits_at(text, i + 1, 2);
  if (minute.size() != 2 || value_of(hour) > 24 || value_of(minute) > 59) return std::nullopt;
  ClockTime out{static_cast<int>(value_of(hour)), static_cast<int>(value_of(minute)), -1, i + 3};
  if (colon(out.end)) {
    const View second = digits_at(text, out.end + 1, 2);
    if (second.size() != 2 || value_of(second) > 59) return std::nullopt;
    out.second = static_cast<int>(value_of(second));
    out.end += 3;
  }
  return out;
}

std::optional<CalendarDay> iso_day_at(View text, std::size_t at) {
  const View year = digits_at(text, at, 4);
  std::size_t i = at + year.size();
  if (year.size() != 4 || i >= text.size()) return std::nullopt;
  const char32_t mark = text[i];
  if (mark != U'-' && mark != U'/' && mark != U'.') return std::nullopt;
  const View month = digits_at(text, i + 1, 2);
  i += 1 + month.size();
  if (month.empty() || i >= text.size() || text[i] != mark) return std::nullopt;
  const View day = digits_at(text, i + 1, 2);
  const auto m = value_of(month);
  const auto d = value_of(day);
  if (day.empty() || m < 1 || m > 12 || d < 1 || d > 31) return std::nullopt;
  return CalendarDay{static_cast<int>(value_of(year)), static_cast<int>(m), static_cast<int>(d),
                     i + 1 + day.size()};
}

std::optional<PhoneRun> phone_at(View text, std::size_t at) {
  PhoneRun out;
  std::size_t i = at;
  std::size_t digits = 0;
  std::size_t groups = 1;
  std::size_t longest = 0;
  std::size_t group = 0;
  const bool plus = i < text.size() && text[i] == U'+';
  if (plus) ++i;
  while (i < text.size() && digits < 24) {
    if (is_digit(text[i])) {
      out.digits += text[i++];
      ++digits;
      longest = std::max(longest, ++group);
      continue;
    }
    const bool next_digit = i + 1 < text.size() && is_digit(text[i + 1]);
    if (!(text[i] == U'-' || (text[i] == U' ' && plus)) || !next_digit || group == 0) break;
    out.digits += U'-';
    ++groups;
    group = 0;
    ++i;
  }
  out.end = i;
  const View first = View(out.digits).substr(0, 3);
  const bool mobile = digits == 11 && out.digits[0] == U'1' && out.digits[1] >= U'3';
  const bool area = groups >= 2 && digits >= 9 && digits <= 13 && out.digits[0] == U'0';
  const bool service = digits == 10 && (first == U"400" || first == U"800");
  const bool foreign = plus && digits >= 7 && digits <= 15;
  const bool american = groups == 3 && digits == 10 && longest == 4;
  if (!(mobile || area || service || foreign || american)) return std::nullopt;
  return out;
}

}  // namespace norm

std::string SpokenText::utf8() const { return encode_utf8(text); }

SpokenText normalize(std::u32string_view text, Language language) {
  std::u32string plain(text);
  for (char32_t& c : plain) {
    c = narrow(c);
    if (c < 0x20 || c == 0x7F) c = U' ';
  }
  norm::Output out;
  if (language == Language::kZh) {
    norm::read_zh(plain, out);
  } else {
    norm::read_en(plain, out);
  }
  return std::move(out.spoken);
}

SpokenText normalize(std::string_view text, Language language) {
  return normalize(std::u32string_view(decode_utf8(text)), language);
}

}  // namespace yyc3::text
