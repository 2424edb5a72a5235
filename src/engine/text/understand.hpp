#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/cleanup.hpp"
#include "engine/text/language.hpp"
#include "engine/text/match.hpp"
#include "engine/text/numbers.hpp"

namespace yyc3::text {

/// What a caller means, read by rules from what was recognised: digits, yes or no, a date and a
/// time. Pure; threads: any. Recognised text may be hostile: nothing here fails or throws.

struct LocalDate {
  int year = 0;
  int month = 0;  ///< 1–12
  int day = 0;    ///< 1–31, a real day of that month
  auto operator<=>(const LocalDate&) const = default;
};

struct LocalTime {
  int hour = 0;  ///< 0–23
  int minute = 0;
  auto operator<=>(const LocalTime&) const = default;
};

/// A local date and time on the caller's wall clock; no time zone is looked up.
struct LocalDateTime {
  LocalDate date;
  LocalTime time;
  auto operator<=>(const LocalDateTime&) const = default;
};

enum class DayPart { kMorning, kNoon, kAfternoon, kEvening, kNight };

/// A reading of a time expression; whatever the caller did not say is missing.
struct WhenReading {
  std::optional<LocalDate> date;
  std::optional<LocalTime> time;
  std::optional<DayPart> part;  ///< "afternoon" said, with or without an hour
  /// "three o'clock" without morning or afternoon: `time` then holds the likelier half of the day
  /// (7–11 as said, 12 noon, 1–6 in the afternoon); ask when it matters.
  bool half_day_guessed = false;
  /// date and time are both known and lie before the reference.
  bool in_past = false;
  /// A day was named that does not exist (2月30日, 25点): `date` or `time` is missing for it.
  bool impossible = false;

  [[nodiscard]] bool empty() const { return !date && !time && !part; }
  [[nodiscard]] bool complete() const { return date && time; }
  [[nodiscard]] std::optional<LocalDateTime> moment() const {
    if (!complete()) return std::nullopt;
    return LocalDateTime{*date, *time};
  }
};

/// What the caller says about a day and a time, counted from `reference`: "明天下午三点半",
/// "后天上午十点", "下周五", "25号", "半小时后", "next Tuesday at 3 pm", "tomorrow morning at ten",
/// "in two hours". A weekday alone is the next one, today excluded; "下周X" lies in the week after
/// this one (weeks begin on Monday); a day of the month gone by is next month's. When several are
/// named the last wins ("周三，不对，周四"). Chinese and English are both tried, that of `language`
/// first.
[[nodiscard]] WhenReading parse_when(std::string_view text, const LocalDateTime& reference,
                                     Language language);

enum class YesNo { kYes, kNo, kUnclear };

/// Reads an answer to a yes/no question: 是 对 好的 可以 没问题 … / 不 不要 不用 不是 算了 …;
/// yes, yeah, sure, that's right / no, nope, not really … Double negatives and questions
/// ("可不可以", "做不做", "不是不行") are kUnclear, politeness ("不好意思") is neither.
[[nodiscard]] YesNo parse_yes_no(std::string_view text);

/// A Chinese question by a verb and its denial: "做不做", "是不是", "去没去".
[[nodiscard]] bool asks_either_way(std::string_view text);

/// 0 = Monday … 6 = Sunday.
[[nodiscard]] int weekday(const LocalDate& date);
/// `date` moved by `days`; |days| ≤ 40,000.
[[nodiscard]] LocalDate add_days(const LocalDate& date, int days);
[[nodiscard]] bool is_real(const LocalDate& date);

/// "十一月二十五日星期三下午三点半" / "Wednesday, November 25 at 3:30 pm": for a bot to say back.
[[nodiscard]] std::string say_date(const LocalDate& date, Language language);
[[nodiscard]] std::string say_time(const LocalTime& time, Language language);

}  // namespace yyc3::text
