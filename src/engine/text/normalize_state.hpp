#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/text/normalizer.hpp"

namespace yyc3::text::norm {

using View = std::u32string_view;

/// Collects the words; `put` ties all of them to the characters they replace.
struct Output {
  SpokenText spoken;
  void put(View words, std::size_t begin, std::size_t end);
};

/// A run of digits as written: "1,234.50".
struct Figure {
  std::u32string whole;     ///< digits before the point, separators removed; never empty
  std::u32string fraction;  ///< digits after the point
  bool grouped = false;     ///< had thousands separators
  std::size_t end = 0;      ///< offset behind it
};

/// The figure at `at`, if a digit stands there. "1.2.3" ends behind "1.2"; "1,23" behind "1".
[[nodiscard]] std::optional<Figure> figure_at(View text, std::size_t at);
/// Only digits: at most `most`, nothing when none or more than `most` stand there.
[[nodiscard]] View digits_at(View text, std::size_t at, std::size_t most);
/// The value of at most 15 digits, else -1.
[[nodiscard]] std::int64_t value_of(View digits);

struct ClockTime {
  int hour;
  int minute;
  int second;  ///< -1: not said
  std::size_t end;
};
/// 15:30, 9:05:07.
[[nodiscard]] std::optional<ClockTime> clock_at(View text, std::size_t at);

struct CalendarDay {
  int year;  ///< 0: not written
  int month;
  int day;
  std::size_t end;
};
/// 2026-11-24, 2026/11/24, 2026.11.24.
[[nodiscard]] std::optional<CalendarDay> iso_day_at(View text, std::size_t at);
/// Telephone-like: +86 138-0013-8000, 010-12345678, 400-820-8820, 13800138000. `digits` keeps '-'
/// for every group; nothing when it is not one.
struct PhoneRun {
  std::u32string digits;
  std::size_t end;
};
[[nodiscard]] std::optional<PhoneRun> phone_at(View text, std::size_t at);

void read_zh(View text, Output& out);
void read_en(View text, Output& out);

}  // namespace yyc3::text::norm
