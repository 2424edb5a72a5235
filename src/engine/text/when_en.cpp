#include <algorithm>
#include <array>
#include <vector>

#include "engine/text/utf8.hpp"
#include "engine/text/when_state.hpp"

namespace yyc3::text::when {
namespace {

using Word = std::u32string;
using View = std::u32string_view;

constexpr std::array<View, 7> kDays{U"monday", U"tuesday",  U"wednesday", U"thursday",
                                    U"friday", U"saturday", U"sunday"};
constexpr std::array<View, 12> kMonths{U"january",   U"february", U"march",    U"april",
                                       U"may",       U"june",     U"july",     U"august",
                                       U"september", U"october",  U"november", U"december"};
constexpr std::array<View, 20> kOrdinals{
    U"",          U"first",     U"second",      U"third",      U"fourth",
    U"fifth",     U"sixth",     U"seventh",     U"eighth",     U"ninth",
    U"tenth",     U"eleventh",  U"twelfth",     U"thirteenth", U"fourteenth",
    U"fifteenth", U"sixteenth", U"seventeenth", U"eighteenth", U"nineteenth"};

template <std::size_t N>
std::optional<int> name_index(const std::array<View, N>& names, const Word& word) {
  if (word.empty()) return std::nullopt;
  for (std::size_t i = 0; i < N; ++i) {
    const bool cut = word.size() >= 3 && word.size() <= 4 && N != 20;  // mon, tues, sept
    if (names[i] == word || (cut && names[i].substr(0, word.size()) == word)) {
      return static_cast<int>(i);
    }
  }
  return std::nullopt;
}

class Reader {
 public:
  Reader(std::vector<Word> words, const LocalDateTime& reference)
      : words_(std::move(words)), reference_(reference) {}

  State run() {
    while (at_ < words_.size()) {
      const std::size_t from = at_;
      const State before = state_;
      if (refused_next()) continue;
      if (relative() || named_day() || calendar() || part() || clock()) {
        if (from > last_end_ + 1) before_group_ = before;
        last_end_ = at_;
        continue;
      }
      at_ = from + 1;
    }
    return state_;
  }

 private:
  [[nodiscard]] const Word& word(std::size_t ahead = 0) const {
    static const Word none;
    return at_ + ahead < words_.size() ? words_[at_ + ahead] : none;
  }
  bool take(View w) {
    if (word() != w) return false;
    ++at_;
    return true;
  }
  template <class... Views>
  bool any(Views... w) {
    return (take(w) || ...);
  }

  /// "not tomorrow": the words after it are skipped; "tomorrow is not good": the day is taken back.
  bool refused_next() {
    if (last_end_ > 0 && at_ <= last_end_ + 2) {
      const std::size_t from = at_;
      if (any(U"doesn't", U"won't", U"isn't", U"can't", U"not", U"no")) {
        if (any(U"work", U"good", U"possible", U"suit", U"fit", U"ok", U"okay", U"going")) {
          state_ = before_group_;
          return true;
        }
      }
      at_ = from;
    }
    if (word() == U"not" &&
        (word(1) == U"tomorrow" || word(1) == U"today" || name_index(kDays, word(1)))) {
      at_ += 2;
      return true;
    }
    return false;
  }

  bool relative() {
    const std::size_t from = at_;
    if (take(U"today")) return day_from_now(0);
    if (take(U"yesterday")) return day_from_now(-1);
    if (take(U"tonight")) {
      state_.part = DayPart::kEvening;
      return day_from_now(0);
    }
    if (take(U"tomorrow")) return day_from_now(1);
    (void)take(U"the");
    if (take(U"day") && take(U"after") && take(U"tomorrow")) return day_from_now(2);
    at_ = from;
    if (!take(U"in")) return false;
    std::int64_t twice = 0;  // in halves
    if (take(U"half")) {
      (void)any(U"an", U"a");
      twice = 1;
    } else if (any(U"a", U"an")) {
      twice = 2;
    } else if (const auto n = take_number(words_, at_); n && *n <= 10'000) {
      twice = *n * 2;
      if (word() == U"and" && word(1) == U"a" && word(2) == U"half") {
        at_ += 3;
        ++twice;
      }
    }
    if (twice > 0 && in_units(twice)) return true;
    at_ = from;
    return false;
  }

  bool in_units(std::int64_t twice) {
    if (any(U"hour", U"hours")) {
      set_minutes_from(state_, reference_, twice * 30);
    } else if (any(U"minute", U"minutes")) {
      set_minutes_from(state_, reference_, twice / 2);
    } else if (any(U"day", U"days")) {
      set_date(state_, add_days(reference_.date, static_cast<int>(twice / 2)));
    } else if (any(U"week", U"weeks")) {
      set_date(state_, add_days(reference_.date, static_cast<int>(twice / 2 * 7)));
    } else {
      return false;
    }
    return true;
  }

  bool day_from_now(int days) {
    set_date(state_, add_days(reference_.date, days));
    return true;
  }

  bool named_day() {
    const std::size_t from = at_;
    int which = 0;
    if (take(U"next")) {
      which = 2;
    } else if (any(U"this", U"coming")) {
      which = 0;
    }
    const auto day = name_index(kDays, word());
    if (!day) {
      at_ = from;
      return false;
    }
    ++at_;
    set_weekday(state_, *day, which, reference_.date);
    return true;
  }

  /// 25th, twenty fifth, the first; with `plain` also 25.
  std::optional<int> ordinal(bool plain) {
    const std::size_t from = at_;
    if (const auto n = name_index(kOrdinals, word())) {
      ++at_;
      return n;
    }
    if (any(U"twentieth")) return 20;
    if (any(U"thirtieth")) return 30;
    const bool figures = !word().empty() && is_digit(word()[0]);
    const auto n = take_number(words_, at_);
    if (!n || *n > 31) {
      at_ = from;
      return std::nullopt;
    }
    if (figures && any(U"st", U"nd", U"rd", U"th")) return static_cast<int>(*n);
    if (*n == 20 || *n == 30) {
      if (const auto unit = name_index(kOrdinals, word()); unit && *unit < 10) {
        ++at_;
        return static_cast<int>(*n) + *unit;
      }
    }
    if (plain && *n >= 1) return static_cast<int>(*n);
    at_ = from;
    return std::nullopt;
  }

  bool calendar() {
    const std::size_t from = at_;
    if (const auto month = name_index(kMonths, word())) {
      ++at_;
      (void)take(U"the");
      if (const auto day = ordinal(true)) return month_day(*month + 1, *day);
      at_ = from;
      return false;
    }
    const bool the = take(U"the");
    if (const auto day = ordinal(false)) {
      (void)take(U"of");
      if (const auto month = name_index(kMonths, word())) {
        ++at_;
        return month_day(*month + 1, *day);
      }
      const bool figures = is_digit(words_[at_ - 1][0]) || words_[at_ - 1] == U"th";
      if (the || figures || *day > 9) {
        set_day(state_, *day, reference_.date);
        return true;
      }
    }
    at_ = from;
    return false;
  }

  bool month_day(int month, int day) {
    const std::size_t from = at_;
    const auto year = take_number(words_, at_);
    if (year && *year >= 2000 && *year <= 2200) {
      set_date(state_, {static_cast<int>(*year), month, day});
      return true;
    }
    at_ = from;
    set_month_day(state_, month, day, reference_.date);
    return true;
  }

  bool part() {
    if (take(U"morning")) return set_part(DayPart::kMorning);
    if (take(U"afternoon")) return set_part(DayPart::kAfternoon);
    if (take(U"evening")) return set_part(DayPart::kEvening);
    if (take(U"night")) return set_part(DayPart::kEvening);
    if (any(U"noon", U"midday")) {
      set_time(state_, 12, 0, true);
      return set_part(DayPart::kNoon);
    }
    if (take(U"midnight")) {
      set_time(state_, 24, 0, true);
      return set_part(DayPart::kNight);
    }
    return false;
  }

  bool set_part(DayPart part) {
    state_.part = part;
    return true;
  }

  bool clock() {
    const std::size_t from = at_;
    const bool half = word() == U"half" && word(1) == U"past";
    const bool quarter = word() == U"quarter" && (word(1) == U"past" || word(1) == U"to");
    if (half || quarter) {
      const bool to = word(1) == U"to";
      at_ += 2;
      if (const auto hour = take_number(words_, at_); hour && *hour >= 1 && *hour <= 12) {
        const std::int64_t whole = !to ? *hour : *hour == 1 ? 12 : *hour - 1;
        return finish_clock(whole, half ? 30 : to ? 45 : 15);
      }
      at_ = from;
      return false;
    }
    const bool announced = any(U"at", U"around", U"about", U"by", U"for", U"after");
    const bool follows = last_end_ > 0 && from <= last_end_ + 1;  // "tomorrow ten thirty"
    const auto hour = take_number(words_, at_);
    if (!hour || *hour > 24) {
      at_ = from;
      return false;
    }
    std::optional<std::int64_t> minute;
    if (take(U":")) {
      minute = take_number(words_, at_);
    } else if (any(U"oh", U"o") && word() != U"clock") {
      minute = take_number(words_, at_);
    } else {
      const std::size_t mark = at_;
      minute = take_number(words_, at_);
      if (minute && (*minute < 10 || *minute > 59)) minute.reset();
      if (!minute) at_ = mark;
    }
    const bool half_named = word() == U"am" || word() == U"pm" || word() == U"a" || word() == U"p";
    const bool oclock = word() == U"o'clock" || word() == U"clock" || words_[at_ - 1] == U"o";
    const bool in_the = word() == U"in" && word(1) == U"the";
    const bool colon =
        minute && std::find(words_.begin() + static_cast<std::ptrdiff_t>(from),
                            words_.begin() + static_cast<std::ptrdiff_t>(at_),
                            Word(U":")) != words_.begin() + static_cast<std::ptrdiff_t>(at_);
    if (announced || follows || half_named || oclock || in_the || colon) {
      return finish_clock(*hour, minute.value_or(0));
    }
    at_ = from;
    return false;
  }

  bool finish_clock(std::int64_t hour, std::int64_t minute) {
    (void)any(U"o'clock", U"clock");
    const bool pm = word() == U"pm" || (word() == U"p" && word(1) == U"m");
    const bool am = word() == U"am" || (word() == U"a" && word(1) == U"m");
    if (am || pm) {
      at_ += word().size() == 1 ? 2 : 1;
      state_.part = am ? DayPart::kMorning : hour == 12 ? DayPart::kNoon : DayPart::kAfternoon;
    }
    set_time(state_, hour, minute, hour > 12 || hour == 0);
    return true;
  }

  std::vector<Word> words_;
  LocalDateTime reference_;
  std::size_t at_ = 0;
  std::size_t last_end_ = 0;
  State state_;
  State before_group_;
};

/// Words with apostrophes kept, digit runs, and ':' between digits.
std::vector<Word> tokens_of(std::string_view text) {
  std::vector<Word> out;
  std::u32string chars = decode_utf8(text);
  if (chars.size() > kMaxCharacters) chars.resize(kMaxCharacters);
  int open = 0;  // 1 letters, 2 digits
  for (std::size_t i = 0; i < chars.size(); ++i) {
    char32_t c = lower(narrow(chars[i]));
    if (c == U'’') c = U'\'';
    const int kind = is_word_letter(c) || (c == U'\'' && open == 1) ? 1 : is_digit(c) ? 2 : 0;
    if (kind == 0) {
      const bool between = open == 2 && i + 1 < chars.size() && is_digit(chars[i + 1]);
      if ((c == U':' || c == U'：') && between) out.emplace_back(U":");
      open = 0;
      continue;
    }
    if (kind != open) out.emplace_back();
    out.back() += c;
    open = kind;
  }
  return out;
}

}  // namespace

State read_en(std::string_view text, const LocalDateTime& reference) {
  return Reader(tokens_of(text), reference).run();
}

}  // namespace yyc3::text::when
