#include <algorithm>
#include <array>

#include "engine/text/normalize_state.hpp"
#include "engine/text/numbers.hpp"
#include "engine/text/utf8.hpp"

namespace yyc3::text::norm {
namespace {

struct Unit {
  View written;
  View spoken;
};
/// Longest first: "km/h" before "km" before "k".
constexpr std::array<Unit, 26> kUnits{{
    {U"km/h", U"公里每小时"},
    {U"m/s", U"米每秒"},
    {U"kWh", U"千瓦时"},
    {U"kwh", U"千瓦时"},
    {U"km", U"公里"},
    {U"kg", U"公斤"},
    {U"cm", U"厘米"},
    {U"mm", U"毫米"},
    {U"mg", U"毫克"},
    {U"ml", U"毫升"},
    {U"mL", U"毫升"},
    {U"㎡", U"平方米"},
    {U"m²", U"平方米"},
    {U"m³", U"立方米"},
    {U"GB", U"G B"},
    {U"MB", U"M B"},
    {U"°C", U"摄氏度"},
    {U"℃", U"摄氏度"},
    {U"°F", U"华氏度"},
    {U"°", U"度"},
    {U"min", U"分钟"},
    {U"Hz", U"赫兹"},
    {U"kW", U"千瓦"},
    {U"g", U"克"},
    {U"m", U"米"},
    {U"h", U"小时"},
}};
/// After these a run of digits is a code, read one by one.
constexpr std::array<View, 30> kCodeWords{
    U"号码", U"电话",   U"热线",   U"尾号", U"验证码", U"编号",  U"单号", U"工号",
    U"卡号", U"账号",   U"帐号",   U"拨打", U"手机",   U"密码",  U"邮编", U"车牌",
    U"航班", U"车次",   U"证号",   U"转接", U"校验码", U"代码",  U"口令", U"房间",
    U"分机", U"末四位", U"后四位", U"QQ",   U"房号",   U"取件码"};
/// Measure words that want 两 for a lone 2.
constexpr View kLiangBefore =
    U"个位天件次种张台间家条份名年周点万千亿元块杯本只双小辆批套支层句"
    U"段分秒岁口把部座场回顿瓶袋包箱盒公斤";

std::u32string plain_number(View digits) {
  const auto value = value_of(digits);
  return value < 0 ? zh_digits(digits, false) : zh_number(value);
}

std::u32string figure_words(const Figure& f) {
  std::u32string out = plain_number(f.whole);
  if (!f.fraction.empty()) out += U"点" + zh_digits(f.fraction, false);
  return out;
}

std::u32string money_words(const Figure& f, View unit) {
  if (f.fraction.size() > 2 || (f.fraction.size() == 1 && unit != U"元") || unit == U"美元") {
    return figure_words(f) + std::u32string(unit);
  }
  std::u32string out = plain_number(f.whole) + std::u32string(unit);
  const char32_t tenth = f.fraction.empty() ? U'0' : f.fraction[0];
  const char32_t cent = f.fraction.size() < 2 ? U'0' : f.fraction[1];
  if (tenth != U'0') out += zh_digits(View(&tenth, 1), false) + U"角";
  if (tenth == U'0' && cent != U'0') out += U"零";
  if (cent != U'0') out += zh_digits(View(&cent, 1), false) + U"分";
  return out;
}

std::u32string clock_words(const ClockTime& t, bool part_said) {
  std::u32string out = t.hour == 2 ? U"两" : zh_number(t.hour);
  out += U"点";
  if (t.minute == 30 && part_said) {
    out += U"半";
  } else if (t.minute > 0) {
    out += (t.minute < 10 ? U"零" : U"") + zh_number(t.minute) + U"分";
  } else if (t.second > 0) {
    out += U"零分";
  }
  if (t.second >= 0) out += zh_number(t.second) + U"秒";
  return out;
}

class Reader {
 public:
  Reader(View text, Output& out) : text_(text), out_(out) {}

  void run() {
    while (at_ < text_.size()) {
      const std::size_t from = at_;
      const char32_t c = text_[at_];
      const bool starts = is_digit(c) && (at_ == 0 || !is_digit(text_[at_ - 1]));
      if (starts && number()) continue;
      if (!is_digit(c) && symbol(c)) continue;
      at_ = from + 1;
      if (is_digit(c)) {
        out_.put(zh_digits(View(&c, 1), false), from, at_);
      } else {
        out_.put(View(&c, 1), from, at_);
      }
    }
  }

 private:
  bool starts_with(std::size_t at, View words) const {
    return at <= text_.size() && text_.substr(at, words.size()) == words;
  }
  char32_t char_at(std::size_t at) const { return at < text_.size() ? text_[at] : 0; }
  bool one_of(std::size_t at, View set) const {
    return char_at(at) != 0 && set.find(char_at(at)) != View::npos;
  }
  bool put(View words, std::size_t end) {
    out_.put(words, at_, end);
    at_ = end;
    return true;
  }
  /// One of `words` ends within the few characters before `at`.
  template <class List>
  bool said_before(std::size_t at, const List& words, std::size_t within) const {
    const std::size_t from = at > within ? at - within : 0;
    const View before = text_.substr(from, at - from);
    return std::any_of(words.begin(), words.end(),
                       [&](View w) { return before.find(w) != View::npos; });
  }
  bool day_part_before(std::size_t at) const {
    constexpr std::array<View, 8> kParts{U"上午", U"下午", U"早上", U"晚上",
                                         U"中午", U"凌晨", U"傍晚", U"今晚"};
    return said_before(at, kParts, 4);
  }

  /// Signs standing before or between numbers. Letters, marks and Hanzi are left to the caller.
  bool symbol(char32_t c) {
    const bool digit_next = is_digit(char_at(at_ + 1));
    if ((c == U'¥' || c == U'￥' || c == U'$' || c == U'€' || c == U'£') && digit_next)
      return currency(c);
    const bool number_before =
        at_ > 0 && (is_word_letter(text_[at_ - 1]) || is_digit(text_[at_ - 1]));
    if ((c == U'-' || c == U'−') && digit_next && !number_before) {
      const auto f = figure_at(text_, at_ + 1);
      const bool degrees = f && (starts_with(f->end, U"℃") || starts_with(f->end, U"°") ||
                                 starts_with(f->end, U"度"));
      return put(degrees ? U"零下" : U"负", at_ + 1);
    }
    if (c == U'+' && digit_next) {
      if (const auto phone = phone_at(text_, at_))
        return put(U"加" + spaced(phone->digits), phone->end);
      return put(U"加", at_ + 1);
    }
    switch (c) {
      case U'%':
        return put(U"百分号", at_ + 1);
      case U'&':
        return put(U"和", at_ + 1);
      case U'@':
        return put(U"艾特", at_ + 1);
      case U'#':
        return put(U"井号", at_ + 1);
      case U'*':
        return put(U"星号", at_ + 1);
      case U'=':
        return put(U"等于", at_ + 1);
      case U'×':
        return put(U"乘", at_ + 1);
      case U'÷':
        return put(U"除以", at_ + 1);
      case U'℃':
        return put(U"摄氏度", at_ + 1);
      case U'㎡':
        return put(U"平方米", at_ + 1);
      case U'~':
      case U'～':
        return put(digit_next ? U"到" : U"，", at_ + 1);
      default:
        return false;
    }
  }

  bool currency(char32_t sign) {
    const View unit = sign == U'$'   ? U"美元"
                      : sign == U'€' ? U"欧元"
                      : sign == U'£' ? U"英镑"
                                     : U"元";
    auto f = figure_at(text_, at_ + 1);
    if (!f) return false;
    const std::size_t scale = one_of(f->end, U"万亿") ? 1 : 0;
    if (scale == 1) {
      return put(figure_words(*f) + text_[f->end] + std::u32string(unit), f->end + 1);
    }
    return put(money_words(*f, unit), f->end);
  }

  std::u32string spaced(View digits) const {
    std::u32string out;
    std::u32string group;
    std::u32string groups(digits);
    if (groups.size() == 11 && groups[0] == U'1')
      groups = groups.substr(0, 3) + U"-" + groups.substr(3, 4) + U"-" + groups.substr(7);
    for (const char32_t c : groups) {
      if (c == U'-') {
        out += U'，';
      } else {
        out += zh_digits(View(&c, 1), true);
      }
    }
    return out;
  }

  bool number() {
    if (const auto phone = phone_at(text_, at_)) return put(spaced(phone->digits), phone->end);
    if (const auto day = iso_day_at(text_, at_)) return put(day_words(*day), day->end);
    if (year_or_month()) return true;
    if (const auto t = clock_at(text_, at_)) return clock(*t);
    if (dotted()) return true;
    const auto f = figure_at(text_, at_);
    if (!f) return false;
    return fraction(*f) || range(*f) || code(*f) || quantity(*f);
  }

  static std::u32string day_words(const CalendarDay& day) {
    std::u32string year;
    for (int y = day.year, i = 0; i < 4; ++i, y /= 10)
      year.insert(year.begin(), U'0' + static_cast<char32_t>(y % 10));
    return zh_digits(year, false) + U"年" + zh_number(day.month) + U"月" + zh_number(day.day) +
           U"日";
  }

  bool year_or_month() {
    const View digits = digits_at(text_, at_, 4);
    const std::size_t end = at_ + digits.size();
    const bool year =
        digits.size() == 4 && char_at(end) == U'年' && digits[0] <= U'2' && digits[0] >= U'1';
    if (year && !one_of(end + 1, U"前后内间以之的多")) return put(zh_digits(digits, false), end);
    const bool short_year = digits.size() == 2 && char_at(end) == U'年' &&
                            (is_digit(char_at(end + 1)) || digits[0] == U'0');
    if (short_year) return put(zh_digits(digits, false), end);
    return false;
  }

  bool clock(const ClockTime& t) {
    // "3:2" never comes here; "12:30" after 比分 is a score
    constexpr std::array<View, 3> kScores{U"比分", U"比例", U"赔率"};
    if (said_before(at_, kScores, 4)) {
      const View hour = digits_at(text_, at_, 2);
      return put(zh_number(t.hour) + U"比" + zh_number(t.minute), at_ + hour.size() + 3);
    }
    put(clock_words(t, day_part_before(at_)), t.end);
    if (one_of(at_, U"-~—–～") && clock_at(text_, at_ + 1)) put(U"到", at_ + 1);
    return true;
  }

  bool dotted() {  // versions and addresses: 1.2.3, 192.168.1.1
    std::size_t dots = 0;
    std::size_t end = at_;
    while (is_digit(char_at(end)) || (char_at(end) == U'.' && is_digit(char_at(end + 1)))) {
      dots += text_[end] == U'.' ? 1 : 0;
      ++end;
    }
    if (dots < 2) return false;
    std::u32string words;
    for (std::size_t i = at_; i < end; ++i) {
      words += text_[i] == U'.' ? U"点" : zh_digits(text_.substr(i, 1), false);
    }
    return put(words, end);
  }

  bool fraction(const Figure& f) {
    if (!f.fraction.empty() || char_at(f.end) != U'/') {
      if (f.fraction.empty() && (char_at(f.end) == U':' || char_at(f.end) == U'：') &&
          is_digit(char_at(f.end + 1))) {
        const auto other = figure_at(text_, f.end + 1);
        return put(plain_number(f.whole) + U"比" + figure_words(*other), other->end);
      }
      return false;
    }
    const auto other = figure_at(text_, f.end + 1);
    if (!other || !other->fraction.empty()) return false;
    const auto a = value_of(f.whole);
    const auto b = value_of(other->whole);
    constexpr std::array<View, 8> kDayWords{U"在",   U"于", U"到", U"日期",
                                            U"期限", U"至", U"约", U"从"};
    const bool month_day = a >= 1 && a <= 12 && b >= 1 && b <= 31;
    const bool as_day = month_day && (b > 12 || one_of(other->end, U"日号前上下早晚中") ||
                                      said_before(at_, kDayWords, 2));
    if (as_day) {
      const bool named = one_of(other->end, U"日号");
      return put(zh_number(a) + U"月" + zh_number(b) + (named ? U"" : U"日"), other->end);
    }
    if (a >= 0 && b > 0) return put(zh_number(b) + U"分之" + zh_number(a), other->end);
    return false;
  }

  /// 3-5天, 10%-20%, 100~150元, 8至10人: the mark is read 到.
  bool range(const Figure& f) {
    std::size_t mark = f.end;
    if (char_at(mark) == U'%') ++mark;
    if (!one_of(mark, U"-~—–～")) return false;
    const std::size_t second =
        mark + 1 + (char_at(mark + 1) == char_at(mark) && char_at(mark) == U'—' ? 1 : 0);
    const auto other = figure_at(text_, second);
    if (!other || f.whole.size() > 7 || other->whole.size() > 7 || f.whole[0] == U'0') return false;
    // codes such as 12-3456-7 are no ranges
    if (char_at(other->end) == U'-' && is_digit(char_at(other->end + 1))) return false;
    if (is_word_letter(char_at(at_ == 0 ? text_.size() : at_ - 1))) return false;
    std::u32string words = char_at(f.end) == U'%' ? U"百分之" + figure_words(f) : figure_words(f);
    put(words + U"到", second);
    return quantity(*other);
  }

  bool code(const Figure& f) {
    if (!f.fraction.empty() || f.grouped) return false;
    const std::size_t n = f.whole.size();
    const bool letter_before = at_ > 0 && is_latin(text_[at_ - 1]);
    const bool measured =
        is_han(char_at(f.end)) && !one_of(f.end, U"的了，、是吗呢吧或和转按进咨询号");
    const bool percent = char_at(f.end) == U'%';
    const bool hotline =
        (n == 5 &&
         (starts_with(at_, U"95") || starts_with(at_, U"10") || starts_with(at_, U"12"))) ||
        (n == 3 &&
         (starts_with(at_, U"110") || starts_with(at_, U"120") || starts_with(at_, U"119")) &&
         !measured);
    const bool spelled = (n > 1 && f.whole[0] == U'0') || n >= 9 || (letter_before && n >= 2) ||
                         (hotline && !measured && !percent) ||
                         (n >= 3 && !measured && !percent && said_before(at_, kCodeWords, 6));
    if (!spelled) return false;
    return put(zh_digits(f.whole, true), f.end);
  }

  bool quantity(const Figure& f) {
    if (char_at(f.end) == U'%') return put(U"百分之" + figure_words(f), f.end + 1);
    if (char_at(f.end) == U'‰') return put(U"千分之" + figure_words(f), f.end + 1);
    if (f.fraction.size() == 2 && one_of(f.end, U"元块")) {
      const View unit = char_at(f.end) == U'元' ? U"元" : U"块";
      return put(money_words(f, unit), f.end + 1);
    }
    for (const Unit& unit : kUnits) {
      if (!starts_with(f.end, unit.written)) continue;
      const std::size_t end = f.end + unit.written.size();
      if (is_latin(unit.written.back()) && is_word_letter(char_at(end))) continue;
      return put(figure_words(f) + std::u32string(unit.spoken), end);
    }
    const bool liang = f.fraction.empty() && f.whole == U"2" &&
                       kLiangBefore.find(char_at(f.end)) != View::npos && char_at(f.end) != 0 &&
                       !(at_ > 0 && text_[at_ - 1] == U'第') && char_at(f.end + 1) != U'月' &&
                       !(char_at(f.end) == U'年' && is_digit(char_at(f.end + 1)));
    return put(liang ? std::u32string(U"两") : figure_words(f), f.end);
  }

  View text_;
  Output& out_;
  std::size_t at_ = 0;
};

}  // namespace

void read_zh(View text, Output& out) { Reader(text, out).run(); }

}  // namespace yyc3::text::norm
