#include <algorithm>
#include <chrono>
#include <fmt/format.h>

#include "engine/text/utf8.hpp"
#include "engine/text/when_state.hpp"

namespace yyc3::text {
namespace {

std::chrono::year_month_day to_chrono(const LocalDate& date) {
  return std::chrono::year{date.year} / std::chrono::month{static_cast<unsigned>(date.month)} /
         std::chrono::day{static_cast<unsigned>(date.day)};
}

/// The hour on the 24-hour clock; `days` counts the midnight that is already tomorrow.
int resolve_hour(const when::State& state, bool& guessed, int& days) {
  const int hour = *state.hour;
  if (hour == 24) {
    days = 1;
    return 0;
  }
  if (state.exact || hour == 0 || hour > 12) return hour;
  if (!state.part) {
    guessed = true;
    return hour <= 6 ? hour + 12 : hour;
  }
  switch (*state.part) {
    case DayPart::kMorning:
      return hour == 12 ? 0 : hour;
    case DayPart::kNoon:
      return hour <= 3 ? hour + 12 : hour;
    case DayPart::kAfternoon:
      return hour == 12 ? 12 : hour + 12;
    case DayPart::kEvening:
      if (hour == 12) days = 1;
      return hour == 12 ? 0 : hour + 12;
    case DayPart::kNight:
      return hour == 12 ? 0 : hour >= 8 ? hour + 12 : hour;
  }
  return hour;
}

}  // namespace

namespace when {

void set_date(State& state, const LocalDate& date) {
  if (is_real(date)) {
    state.date = date;
  } else {
    state.date.reset();
    state.impossible = true;
  }
}

void set_month_day(State& state, int month, int day, const LocalDate& today) {
  LocalDate date{today.year, month, day};
  if (date < today) ++date.year;
  if (!is_real(date) && month == 2 && day == 29)
    date.year += 4 - date.year % 4;  // the next leap year
  set_date(state, date);
}

void set_day(State& state, int day, const LocalDate& today) {
  LocalDate date{today.year, today.month, day};
  for (int tries = 0; tries < 2 && (date < today || !is_real(date)); ++tries) {
    date.year += date.month == 12 ? 1 : 0;
    date.month = date.month % 12 + 1;
  }
  set_date(state, date);
}

void set_time(State& state, std::int64_t hour, std::int64_t minute, bool exact) {
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || (hour == 24 && minute > 0)) {
    state.hour.reset();
    state.impossible = true;
    return;
  }
  state.hour = static_cast<int>(hour);
  state.minute = static_cast<int>(minute);
  state.exact = exact;
}

void set_minutes_from(State& state, const LocalDateTime& reference, std::int64_t minutes) {
  constexpr std::int64_t kMost = 60LL * 24 * 400;
  if (minutes < 0 || minutes > kMost) {
    state.impossible = true;
    return;
  }
  const std::int64_t at = reference.time.hour * 60 + reference.time.minute + minutes;
  set_date(state, add_days(reference.date, static_cast<int>(at / 1440)));
  set_time(state, at % 1440 / 60, at % 60, true);
  state.part.reset();
}

void set_weekday(State& state, int day, int which, const LocalDate& today) {
  const int now = weekday(today);
  int step = day - now;
  if (which == 0 && step <= 0) step += 7;
  if (which >= 2) step += 7 * (which - 1);
  set_date(state, add_days(today, step));
}

}  // namespace when

WhenReading parse_when(std::string_view text, const LocalDateTime& reference, Language language) {
  if (!is_real(reference.date)) return {};
  text = text.substr(0, when::kMaxCharacters * 4);
  const bool zh = language == Language::kZh;
  when::State state = zh ? when::read_zh(text, reference) : when::read_en(text, reference);
  if (!state.date && !state.hour && !state.part && !state.impossible) {
    state = zh ? when::read_en(text, reference) : when::read_zh(text, reference);
  }
  WhenReading out;
  out.date = state.date;
  out.part = state.part;
  out.impossible = state.impossible;
  if (state.hour) {
    int days = 0;
    out.time = LocalTime{resolve_hour(state, out.half_day_guessed, days), state.minute};
    if (out.date && days > 0) out.date = add_days(*out.date, days);
  }
  if (const auto moment = out.moment()) {
    out.in_past = *moment < reference;
    // "three o'clock" said at four means the other half of the day only if that lies ahead
    const bool morning_guess = out.half_day_guessed && out.time->hour < 12;
    const LocalDateTime later{*out.date, {out.time->hour + 12, out.time->minute}};
    if (out.in_past && morning_guess && later >= reference) {
      out.time->hour += 12;
      out.in_past = false;
    }
  }
  return out;
}

bool is_real(const LocalDate& date) {
  return date.year >= 1900 && date.year <= 2200 && date.month >= 1 && date.month <= 12 &&
         date.day >= 1 && to_chrono(date).ok();
}

int weekday(const LocalDate& date) {
  const std::chrono::weekday day{std::chrono::sys_days{to_chrono(date)}};
  return static_cast<int>(day.iso_encoding()) - 1;
}

LocalDate add_days(const LocalDate& date, int days) {
  days = std::clamp(days, -40'000, 40'000);
  const std::chrono::year_month_day moved{std::chrono::sys_days{to_chrono(date)} +
                                          std::chrono::days{days}};
  return {static_cast<int>(moved.year()), static_cast<int>(static_cast<unsigned>(moved.month())),
          static_cast<int>(static_cast<unsigned>(moved.day()))};
}

std::string say_date(const LocalDate& date, Language language) {
  if (!is_real(date)) return {};
  const auto day = static_cast<std::size_t>(weekday(date));
  if (language == Language::kZh) {
    const std::u32string said = zh_number(date.month) + U"月" + zh_number(date.day) + U"日星期" +
                                std::u32string(1, U"一二三四五六日"[day]);
    return encode_utf8(said);
  }
  constexpr const char* kDays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                   "Friday", "Saturday", "Sunday"};
  constexpr const char* kMonths[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
  return fmt::format("{}, {} {}", kDays[day], kMonths[date.month - 1],
                     encode_utf8(en_ordinal(date.day)));
}

std::string say_time(const LocalTime& time, Language language) {
  if (time.hour < 0 || time.hour > 23 || time.minute < 0 || time.minute > 59) return {};
  const int twelve = time.hour % 12 == 0 ? 12 : time.hour % 12;
  if (language == Language::kEn) {
    const char* half = time.hour < 12 ? "am" : "pm";
    if (time.minute == 0) return fmt::format("{} {}", twelve, half);
    return fmt::format("{}:{:02} {}", twelve, time.minute, half);
  }
  std::u32string out = time.hour < 5    ? U"凌晨"
                       : time.hour < 12 ? U"上午"
                       : time.hour < 13 ? U"中午"
                       : time.hour < 18 ? U"下午"
                                        : U"晚上";
  out += zh_number(time.hour == 0 ? 0 : twelve, true);
  if (twelve == 2) out = out.substr(0, 2) + U"两";
  out += U"点";
  if (time.minute == 30) {
    out += U"半";
  } else if (time.minute > 0) {
    out += (time.minute < 10 ? U"零" : U"") + zh_number(time.minute) + U"分";
  }
  return encode_utf8(out);
}

}  // namespace yyc3::text
