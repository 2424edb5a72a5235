#include <algorithm>
#include <array>

#include "engine/text/normalize_state.hpp"
#include "engine/text/numbers.hpp"
#include "engine/text/utf8.hpp"

namespace yyc3::text::norm {
namespace {

struct Word {
  View written;
  View spoken;
};
constexpr std::array<Word, 14> kShort{{{U"mr.", U"Mister"},
                                       {U"mrs.", U"Missus"},
                                       {U"ms.", U"Miz"},
                                       {U"dr.", U"Doctor"},
                                       {U"st.", U"Street"},
                                       {U"no.", U"number"},
                                       {U"e.g.", U"for example"},
                                       {U"i.e.", U"that is"},
                                       {U"a.m.", U"A M"},
                                       {U"p.m.", U"P M"},
                                       {U"vs.", U"versus"},
                                       {U"etc.", U"et cetera"},
                                       {U"approx.", U"approximately"},
                                       {U"ext.", U"extension"}}};
constexpr std::array<Word, 15> kUnits{{{U"km/h", U"kilometers per hour"},
                                       {U"mph", U"miles per hour"},
                                       {U"km", U"kilometers"},
                                       {U"kg", U"kilograms"},
                                       {U"cm", U"centimeters"},
                                       {U"mm", U"millimeters"},
                                       {U"ml", U"milliliters"},
                                       {U"lbs", U"pounds"},
                                       {U"lb", U"pounds"},
                                       {U"ft", U"feet"},
                                       {U"°C", U"degrees Celsius"},
                                       {U"℃", U"degrees Celsius"},
                                       {U"°F", U"degrees Fahrenheit"},
                                       {U"°", U"degrees"},
                                       {U"g", U"grams"}}};
constexpr std::array<View, 12> kMonths{U"January",   U"February", U"March",    U"April",
                                       U"May",       U"June",     U"July",     U"August",
                                       U"September", U"October",  U"November", U"December"};
constexpr std::array<View, 12> kCodeWords{U"code", U"number",    U"ending in", U"pin",
                                          U"room", U"extension", U"account",   U"dial",
                                          U"call", U"phone",     U"flight",    U"id"};

std::u32string plain_number(View digits) {
  const auto value = value_of(digits);
  return value < 0 ? en_digits(digits) : en_number(value);
}

std::u32string figure_words(const Figure& f) {
  std::u32string out = plain_number(f.whole);
  if (!f.fraction.empty()) out += U" point " + en_digits(f.fraction);
  return out;
}

std::u32string year_words(std::int64_t year) {
  if (year % 1000 == 0 || (year >= 2000 && year < 2010)) return en_number(year);
  const std::u32string century = en_number(year / 100);
  if (year % 100 == 0) return century + U" hundred";
  return century + (year % 100 < 10 ? U" oh " : U" ") + en_number(year % 100);
}

class Reader {
 public:
  Reader(View text, Output& out) : text_(text), out_(out) {
    lower_.reserve(text.size());
    for (const char32_t c : text) lower_ += lower(c);
  }

  void run() {
    while (at_ < text_.size()) {
      const std::size_t from = at_;
      const char32_t c = text_[at_];
      const bool fresh = at_ == 0 || !is_word_letter(text_[at_ - 1]);
      if (is_digit(c) && (at_ == 0 || !is_digit(text_[at_ - 1])) && number()) continue;
      if (!is_digit(c) && (symbol(c) || (fresh && shortened()))) continue;
      at_ = from + 1;
      if (is_digit(c)) {
        out_.put(U" " + en_digits(View(&c, 1)) + U" ", from, at_);
      } else {
        out_.put(View(&c, 1), from, at_);
      }
    }
  }

 private:
  char32_t char_at(std::size_t at) const { return at < text_.size() ? text_[at] : 0; }
  bool one_of(std::size_t at, View set) const {
    return char_at(at) != 0 && set.find(char_at(at)) != View::npos;
  }
  bool starts_with(std::size_t at, View words) const {
    return at <= lower_.size() && View(lower_).substr(at, words.size()) == words;
  }
  /// Words set off by blanks from a letter on either side.
  bool put(std::u32string words, std::size_t end) {
    if (at_ > 0 && is_word_letter(text_[at_ - 1])) words = U" " + words;
    if (is_word_letter(char_at(end)) || is_digit(char_at(end))) words += U' ';
    out_.put(words, at_, end);
    at_ = end;
    return true;
  }

  bool shortened() {
    for (const Word& word : kShort) {
      if (starts_with(at_, word.written))
        return put(std::u32string(word.spoken), at_ + word.written.size());
    }
    return false;
  }

  bool symbol(char32_t c) {
    const bool digit_next = is_digit(char_at(at_ + 1));
    if ((c == U'$' || c == U'¥' || c == U'￥' || c == U'€' || c == U'£') && digit_next)
      return currency(c);
    if ((c == U'-' || c == U'−') && digit_next && (at_ == 0 || is_blank(text_[at_ - 1])))
      return put(U"minus ", at_ + 1);
    if (c == U'+' && digit_next) {
      if (const auto phone = phone_at(text_, at_))
        return put(U"plus " + phone_words(phone->digits), phone->end);
      return put(U" plus ", at_ + 1);
    }
    switch (c) {
      case U'%':
        return put(U" percent", at_ + 1);
      case U'&':
        return put(U" and ", at_ + 1);
      case U'@':
        return put(U" at ", at_ + 1);
      case U'=':
        return put(U" equals ", at_ + 1);
      case U'#':
        return put(digit_next ? U"number " : U" hash ", at_ + 1);
      case U'*':
        return put(U" star ", at_ + 1);
      default:
        return false;
    }
  }

  bool currency(char32_t sign) {
    const View one = sign == U'$'   ? U"dollar"
                     : sign == U'€' ? U"euro"
                     : sign == U'£' ? U"pound"
                                    : U"yuan";
    const View many = sign == U'$'   ? U"dollars"
                      : sign == U'€' ? U"euros"
                      : sign == U'£' ? U"pounds"
                                     : U"yuan";
    const auto f = figure_at(text_, at_ + 1);
    if (!f) return false;
    constexpr std::array<View, 3> kScales{U" million", U" billion", U" thousand"};
    for (const View scale : kScales) {
      if (starts_with(f->end, scale)) {
        return put(figure_words(*f) + std::u32string(scale) + U" " + std::u32string(many),
                   f->end + scale.size());
      }
    }
    if (f->fraction.size() > 2) return put(figure_words(*f) + U" " + std::u32string(many), f->end);
    std::u32string words =
        plain_number(f->whole) + U" " + std::u32string(f->whole == U"1" ? one : many);
    std::u32string cents = f->fraction;
    if (cents.size() == 1) cents += U'0';
    if (value_of(cents) > 0)
      words += U" and " + en_number(value_of(cents)) + (cents == U"01" ? U" cent" : U" cents");
    return put(words, f->end);
  }

  static std::u32string phone_words(View digits) {
    std::u32string out;
    std::u32string group;
    const auto flush = [&] {
      if (group.empty()) return;
      out += (out.empty() ? U"" : U", ") + en_digits(group);
      group.clear();
    };
    for (const char32_t c : digits) {
      if (c == U'-') flush();
      if (is_digit(c)) group += c;
    }
    flush();
    return out;
  }

  bool number() {
    if (const auto phone = phone_at(text_, at_)) return put(phone_words(phone->digits), phone->end);
    if (const auto day = iso_day_at(text_, at_)) {
      return put(month_day(day->month, day->day) + U", " + year_words(day->year), day->end);
    }
    if (const auto t = clock_at(text_, at_)) return clock(*t);
    const auto f = figure_at(text_, at_);
    if (!f) return false;
    return slash(*f) || ordinal(*f) || range(*f) || code_or_year(*f) || quantity(*f);
  }

  static std::u32string month_day(std::int64_t month, std::int64_t day) {
    return std::u32string(kMonths[static_cast<std::size_t>(month - 1)]) + U" " + en_ordinal(day);
  }

  bool clock(const ClockTime& t) {
    std::u32string words = en_number(t.hour);
    if (t.minute == 0 && t.second < 0) {
      const bool half = starts_with(t.end, U" am") || starts_with(t.end, U" pm") ||
                        starts_with(t.end, U"am") || starts_with(t.end, U"pm") ||
                        starts_with(t.end, U" a.m") || starts_with(t.end, U" p.m");
      words += half ? U"" : t.hour > 12 ? U" hundred" : U" o'clock";
    } else {
      words += (t.minute < 10 ? U" oh " : U" ") + en_number(t.minute);
    }
    if (t.second >= 0) words += U" and " + en_number(t.second) + U" seconds";
    put(words, t.end);
    if (one_of(at_, U"-–—") && clock_at(text_, at_ + 1)) put(U" to ", at_ + 1);
    return true;
  }

  bool slash(const Figure& f) {
    if (!f.fraction.empty() || char_at(f.end) != U'/') return false;
    const auto other = figure_at(text_, f.end + 1);
    if (!other || !other->fraction.empty()) return false;
    const auto a = value_of(f.whole);
    const auto b = value_of(other->whole);
    if (f.whole == U"1" && other->whole == U"2") return put(U"one half", other->end);
    if (f.whole == U"24" && other->whole == U"7") return put(U"twenty-four seven", other->end);
    if (a >= 1 && a <= 12 && b >= 1 && b <= 31) {
      std::u32string words = month_day(a, b);
      std::size_t end = other->end;
      const View year = char_at(end) == U'/' ? digits_at(text_, end + 1, 4) : View{};
      if (year.size() == 4) {
        words += U", " + year_words(value_of(year));
        end += 5;
      }
      return put(words, end);
    }
    if (a < 0 || b < 0) return false;
    return put(en_number(a) + U" over " + en_number(b), other->end);
  }

  bool ordinal(const Figure& f) {
    const bool ends = starts_with(f.end, U"st") || starts_with(f.end, U"nd") ||
                      starts_with(f.end, U"rd") || starts_with(f.end, U"th");
    if (!ends || !f.fraction.empty() || is_word_letter(char_at(f.end + 2)) || value_of(f.whole) < 0)
      return false;
    return put(en_ordinal(value_of(f.whole)), f.end + 2);
  }

  bool range(const Figure& f) {
    std::size_t mark = f.end;
    if (char_at(mark) == U'%') ++mark;
    if (!one_of(mark, U"-–—~")) return false;
    const auto other = figure_at(text_, mark + 1);
    const bool longer = other && char_at(other->end) == U'-';
    if (!other || longer || f.whole.size() > 7 || other->whole.size() > 7) return false;
    put(figure_words(f) + (mark > f.end ? U" percent to" : U" to"), mark + 1);
    return quantity(*other);
  }

  bool code_or_year(const Figure& f) {
    if (!f.fraction.empty() || f.grouped) return false;
    const std::size_t n = f.whole.size();
    const std::size_t from = at_ > 16 ? at_ - 16 : 0;
    const View before = View(lower_).substr(from, at_ - from);
    const bool named = std::any_of(kCodeWords.begin(), kCodeWords.end(),
                                   [&](View w) { return before.find(w) != View::npos; });
    const bool letter = at_ > 0 && is_latin(text_[at_ - 1]);
    if ((n > 1 && f.whole[0] == U'0') || n >= 9 || (named && n >= 3) || (letter && n >= 2)) {
      return put(en_digits(f.whole), f.end);
    }
    const auto value = value_of(f.whole);
    constexpr std::array<View, 6> kYearWords{U"in ", U"of ", U"since ", U", ", U"year ", U"by "};
    const bool year =
        n == 4 && value >= 1100 && value < 2100 &&
        std::any_of(
            kYearWords.begin(), kYearWords.end(),
            [&](View w) {
              return before.size() >= w.size() && before.substr(before.size() - w.size()) == w;
            });
    if (year) return put(year_words(value), f.end);
    return day_of_month(f);
  }

  /// "November 24" is read as an ordinal.
  bool day_of_month(const Figure& f) {
    const auto value = value_of(f.whole);
    if (at_ < 4 || text_[at_ - 1] != U' ' || value < 1 || value > 31) return false;
    for (const View month : kMonths) {
      if (at_ - 1 < month.size() || text_.substr(at_ - 1 - month.size(), month.size()) != month)
        continue;
      return put(en_ordinal(value), f.end);
    }
    return false;
  }

  bool quantity(const Figure& f) {
    if (char_at(f.end) == U'%') return put(figure_words(f) + U" percent", f.end + 1);
    const std::size_t gap = char_at(f.end) == U' ' ? 1 : 0;
    for (const Word& unit : kUnits) {
      if (text_.substr(std::min(text_.size(), f.end + gap), unit.written.size()) != unit.written)
        continue;
      const std::size_t end = f.end + gap + unit.written.size();
      if (is_word_letter(char_at(end))) continue;
      return put(figure_words(f) + U" " + std::u32string(unit.spoken), end);
    }
    return put(figure_words(f), f.end);
  }

  View text_;
  Output& out_;
  std::u32string lower_;
  std::size_t at_ = 0;
};

}  // namespace

void read_en(View text, Output& out) { Reader(text, out).run(); }

}  // namespace yyc3::text::norm
