#pragma once

#include <optional>
#include <string_view>

#include "engine/text/understand.hpp"

namespace yyc3::text::when {

/// What has been heard so far; of every part the last mention wins.
struct State {
  std::optional<LocalDate> date;
  std::optional<int> hour;  ///< as said: 0–24
  int minute = 0;
  std::optional<DayPart> part;
  bool exact = false;  ///< `hour` is already on the 24-hour clock ("in two hours", 15:30)
  bool impossible = false;
};

inline constexpr std::size_t kMaxCharacters = 400;  // a caller's sentence; the rest is not read

void set_date(State& state, const LocalDate& date);
/// A day and month without year: this year's, or next year's when gone by.
void set_month_day(State& state, int month, int day, const LocalDate& today);
/// A day of the month: this month's, or next month's when gone by.
void set_day(State& state, int day, const LocalDate& today);
void set_time(State& state, std::int64_t hour, std::int64_t minute, bool exact = false);
void set_minutes_from(State& state, const LocalDateTime& reference, std::int64_t minutes);
/// `which`: 0 the next such day after today, 1 this week's, 2 next week's, 3 the week after's.
void set_weekday(State& state, int day, int which, const LocalDate& today);

[[nodiscard]] State read_zh(std::string_view text, const LocalDateTime& reference);
[[nodiscard]] State read_en(std::string_view text, const LocalDateTime& reference);

}  // namespace yyc3::text::when
