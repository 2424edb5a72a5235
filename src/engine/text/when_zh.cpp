#include <array>

#include "engine/text/utf8.hpp"
#include "engine/text/when_state.hpp"

namespace yyc3::text::when {
namespace {

using View = std::u32string_view;

struct Said {
  View words;
  int value;
};
constexpr std::array<Said, 11> kDays{{{U"大后天", 3},
                                      {U"后天", 2},
                                      {U"明天", 1},
                                      {U"明日", 1},
                                      {U"明儿", 1},
                                      {U"今天", 0},
                                      {U"今日", 0},
                                      {U"今儿", 0},
                                      {U"当天", 0},
                                      {U"昨天", -1},
                                      {U"前天", -2}}};
struct Part {
  View words;
  DayPart part;
  int days;  // 1: also names tomorrow, 0: today, -1: no day
};
constexpr std::array<Part, 22> kParts{{
    {U"今早", DayPart::kMorning, 0},    {U"明早", DayPart::kMorning, 1},
    {U"今晚", DayPart::kEvening, 0},    {U"明晚", DayPart::kEvening, 1},
    {U"一大早", DayPart::kMorning, -1}, {U"早上", DayPart::kMorning, -1},
    {U"早晨", DayPart::kMorning, -1},   {U"上午", DayPart::kMorning, -1},
    {U"清晨", DayPart::kMorning, -1},   {U"早间", DayPart::kMorning, -1},
    {U"中午", DayPart::kNoon, -1},      {U"正午", DayPart::kNoon, -1},
    {U"下午", DayPart::kAfternoon, -1}, {U"午后", DayPart::kAfternoon, -1},
    {U"傍晚", DayPart::kEvening, -1},   {U"晚上", DayPart::kEvening, -1},
    {U"晚间", DayPart::kEvening, -1},   {U"夜里", DayPart::kNight, -1},
    {U"半夜", DayPart::kNight, -1},     {U"凌晨", DayPart::kNight, -1},
    {U"深夜", DayPart::kNight, -1},     {U"夜间", DayPart::kNight, -1},
}};
constexpr std::array<View, 13> kRefusals{U"不行",   U"不可以", U"没空",   U"没有空", U"没时间",
                                         U"不方便", U"不要",   U"去不了", U"来不了", U"没有时间",
                                         U"不合适", U"有事",   U"不在"};
constexpr View kNumerals = U"零〇一二两三四五六七八九十百0123456789";

class Reader {
 public:
  Reader(View text, const LocalDateTime& reference) : text_(text), reference_(reference) {}

  State run() {
    while (at_ < text_.size()) {
      const std::size_t from = at_;
      if (refusal()) continue;
      const State before = state_;
      if (day() || part() || weekday_name() || numeric() || half_hour()) {
        if (from > last_end_ + 1) before_group_ = before;  // a new expression begins here
        last_end_ = at_;
        continue;
      }
      at_ = from + 1;
    }
    return state_;
  }

 private:
  bool take(View words) {
    if (text_.substr(at_, words.size()) != words) return false;
    at_ += words.size();
    return true;
  }
  template <class... Views>
  bool any(Views... words) {
    return (take(words) || ...);
  }
  bool in(View set) const { return at_ < text_.size() && set.find(text_[at_]) != View::npos; }

  std::optional<std::int64_t> number() {
    const std::size_t from = at_;
    while (in(kNumerals) && at_ - from < 12) ++at_;
    if (at_ == from) return std::nullopt;
    const auto value = parse_number(encode_utf8(text_.substr(from, at_ - from)));
    if (!value) at_ = from;
    return value;
  }

  bool refusal() {  // "后天吧，明天不行": the day just named is taken back
    for (const View words : kRefusals) {
      if (at_ > last_end_ + 3 || last_end_ == 0 || !take(words)) continue;
      state_ = before_group_;
      return true;
    }
    return false;
  }

  bool day() {
    for (const Said& said : kDays) {
      if (!take(said.words)) continue;
      set_date(state_, add_days(reference_.date, said.value));
      return true;
    }
    return false;
  }

  bool part() {
    for (const Part& said : kParts) {
      if (!take(said.words)) continue;
      state_.part = said.part;
      if (said.days >= 0) set_date(state_, add_days(reference_.date, said.days));
      return true;
    }
    return false;
  }

  bool weekday_name() {
    const std::size_t from = at_;
    int which = 0;
    if (any(U"下下个", U"下下")) {
      which = 3;
    } else if (any(U"下个", U"下")) {
      which = 2;
    } else if (any(U"这个", U"这", U"本")) {
      which = 1;
    }
    if (which >= 2 && take(U"月")) return next_month(from);
    constexpr View kNames = U"一二三四五六日天末1234567";
    if (!any(U"周", U"星期", U"礼拜") || !in(kNames)) {
      at_ = from;
      return false;
    }
    const std::size_t index = kNames.find(text_[at_++]);
    constexpr std::array<int, 16> kDay{0, 1, 2, 3, 4, 5, 6, 6, 5, 0, 1, 2, 3, 4, 5, 6};
    set_weekday(state_, kDay[index], which, reference_.date);
    return true;
  }

  bool next_month(std::size_t from) {
    const auto value = number();
    if (!value || !any(U"号", U"日")) {
      at_ = from;
      return false;
    }
    LocalDate date = reference_.date;
    date.year += date.month == 12 ? 1 : 0;
    date.month = date.month % 12 + 1;
    date.day = *value <= 31 ? static_cast<int>(*value) : 0;
    set_date(state_, date);
    return true;
  }

  bool half_hour() {
    const std::size_t from = at_;
    std::int64_t minutes = 0;
    if (any(U"半个小时", U"半小时", U"半个钟头")) {
      minutes = 30;
    } else if (any(U"一刻钟")) {
      minutes = 15;
    }
    if (minutes > 0 && after()) {
      set_minutes_from(state_, reference_, minutes);
      return true;
    }
    at_ = from;
    return false;
  }

  bool after() { return any(U"以后", U"之后", U"后", U"过后"); }

  /// Everything that begins with a number; leaves `at_` alone when it is none of these.
  bool numeric() {
    const std::size_t from = at_;
    if (take(U"一刻钟")) at_ = from;
    const auto value = number();
    if (!value) return false;
    if (*value <= 400'000 && (span_after(*value) || calendar(*value) || clock(*value, from)))
      return true;
    at_ = from;
    return false;
  }

  bool span_after(std::int64_t n) {
    const std::size_t from = at_;
    std::int64_t minutes = -1;
    if (any(U"个半小时", U"个半钟头"))
      minutes = n * 60 + 30;
    else if (any(U"个小时", U"小时", U"个钟头", U"钟头"))
      minutes = n * 60;
    else if (any(U"分钟"))
      minutes = n;
    else if (any(U"刻钟"))
      minutes = n * 15;
    if (minutes >= 0) {
      if (after()) {
        set_minutes_from(state_, reference_, minutes);
        return true;
      }
      at_ = from;
      return false;
    }
    const int days = any(U"天") ? 1 : any(U"个星期", U"个礼拜", U"周", U"星期") ? 7 : 0;
    if (days > 0 && n <= 400 && after()) {
      set_date(state_, add_days(reference_.date, static_cast<int>(n) * days));
      return true;
    }
    at_ = from;
    return false;
  }

  bool calendar(std::int64_t n) {
    const std::size_t from = at_;
    if (n >= 1900 && n <= 2200 && any(U"年", U"-", U"/", U".")) {
      const auto month = number();
      const bool joined = month && any(U"月", U"-", U"/", U".");
      const auto day = joined ? number() : std::nullopt;
      if (day && *month <= 12 && *day <= 31) {
        (void)any(U"日", U"号");
        set_date(state_, {static_cast<int>(n), static_cast<int>(*month), static_cast<int>(*day)});
        return true;
      }
      at_ = from;
      return false;
    }
    if (n >= 1 && n <= 12 && any(U"月", U"/", U"月份")) {
      const auto day = number();
      if (day && *day <= 99) {
        (void)any(U"日", U"号");
        set_month_day(state_, static_cast<int>(n), static_cast<int>(*day), reference_.date);
        return true;
      }
      at_ = from;
      return false;
    }
    // 三号楼, 2号线, 六号房 are no days
    if (n >= 1 && n <= 99 && any(U"号", U"日") && !in(U"楼线房门桌机院柜店馆厅")) {
      set_day(state_, static_cast<int>(n), reference_.date);
      return true;
    }
    at_ = from;
    return false;
  }

  bool clock(std::int64_t hour, std::size_t began) {
    const std::size_t from = at_;
    if (hour > 99) return false;
    if (any(U":", U"：")) {
      const auto minute = number();
      if (!minute) {
        at_ = from;
        return false;
      }
      set_time(state_, hour, *minute, hour > 12 || hour == 0);
      return true;
    }
    if (take(U"时")) {
      if (in(U"候间")) return false;  // 时候, 时间
    } else if (!take(U"点")) {
      return false;
    }
    // 早一点, 晚一点, 有一点: a little, not one o'clock
    const bool little = hour == 1 && began > 0 &&
                        View(U"早晚快慢有好大小多等").find(text_[began - 1]) != View::npos;
    (void)any(U"钟", U"整");
    std::int64_t minute = 0;
    const std::size_t mark = at_;
    if (take(U"半")) {
      minute = 30;
    } else if (take(U"一刻")) {
      minute = 15;
    } else if (take(U"三刻")) {
      minute = 45;
    } else if (const auto said = number()) {
      minute = *said;
      if (!take(U"分") && minute > 59) at_ = mark;
      if (at_ == mark) minute = 0;
    } else if (little) {
      return false;
    }
    set_time(state_, hour, minute, hour > 12);
    return true;
  }

  View text_;
  LocalDateTime reference_;
  std::size_t at_ = 0;
  std::size_t last_end_ = 0;
  State state_;
  State before_group_;
};

}  // namespace

State read_zh(std::string_view text, const LocalDateTime& reference) {
  std::u32string plain;
  for (const char32_t raw : decode_utf8(text)) {
    const char32_t c = narrow(raw);
    if (!is_blank(c) && plain.size() < kMaxCharacters) plain += c == U'點' ? U'点' : c;
  }
  return Reader(plain, reference).run();
}

}  // namespace yyc3::text::when
