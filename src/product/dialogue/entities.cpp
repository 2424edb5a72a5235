#include "product/dialogue/entities.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <optional>

#include "engine/text/numbers.hpp"
#include "engine/text/utf8.hpp"

namespace yyc3::dialogue {
namespace {

constexpr std::size_t kEntitiesMax = 8;
constexpr std::size_t kCharactersMax = 400;

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_mobile(std::string_view digits) {
  return digits.size() == 11 && digits[0] == '1' && digits[1] >= '3';
}

void add_digits(std::string_view text, std::vector<Entity>& out) {
  const std::string digits = text::parse_digits(text);
  if (digits.size() < 3) return;  // one or two are mostly part of something else
  if (is_mobile(digits)) {
    out.push_back({EntityKind::kPhone, digits, 0.95});
  } else if (is_id_number(digits)) {
    out.push_back({EntityKind::kIdNumber, digits, 0.98});
  } else if ((digits.size() >= 10 && digits.size() <= 12 && digits[0] == '0') ||
             digits.size() == 10) {
    out.push_back({EntityKind::kPhone, digits, 0.7});
  } else {
    out.push_back({EntityKind::kDigits, digits, 0.6});
  }
}

bool counts(char32_t c) {
  return text::is_digit(c) || c == U'.' || c == U',' ||
         std::u32string_view(U"零〇一二两三四五六七八九十百千万亿半点").find(c) !=
             std::u32string_view::npos;
}

/// "120.5", "两百", "一千二" → smallest units.
std::optional<std::int64_t> amount(std::u32string text) {
  std::erase(text, U',');
  const std::size_t dot = std::min(text.find(U'.'), text.find(U'点'));
  const std::string whole = text::encode_utf8(text.substr(0, dot));
  const std::optional<std::int64_t> units = text::parse_number(whole);
  if (!units || *units < 0 || *units > 1'000'000'000'000) return std::nullopt;
  std::int64_t cents = 0;
  if (dot < text.size()) {
    std::string fraction = text::parse_digits(text::encode_utf8(text.substr(dot + 1)));
    fraction.resize(2, '0');
    cents = number(fraction).value_or(0);
  }
  return *units * 100 + cents;
}

void add_money_zh(std::u32string_view text, std::vector<Entity>& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != U'块' && text[i] != U'元' && text[i] != U'¥') continue;
    std::size_t from = i;
    while (from > 0 && counts(text[from - 1])) --from;
    if (from == i) continue;
    if (const auto cents = amount(std::u32string(text.substr(from, i - from)))) {
      out.push_back({EntityKind::kMoney, std::to_string(*cents), 0.9});
      return;
    }
  }
}

void add_money_en(std::u32string_view text, std::vector<Entity>& out) {
  std::size_t at = text.find(U'$');
  std::size_t end = at + 1;
  if (at != std::u32string_view::npos) {
    while (end < text.size() &&
           (text::is_digit(text[end]) || text[end] == U'.' || text[end] == U','))
      ++end;
    if (const auto cents = amount(std::u32string(text.substr(at + 1, end - at - 1))))
      out.push_back({EntityKind::kMoney, std::to_string(*cents), 0.95});
    return;
  }
  at = text.find(U" dollar");
  if (at == std::u32string_view::npos) return;
  // the longest run of number words before it, at most six
  std::size_t from = at;
  std::optional<std::int64_t> best;
  for (int words = 0; words < 6 && from > 0; ++words) {
    from = text.rfind(U' ', from - 1);
    const std::size_t start = from == std::u32string_view::npos ? 0 : from + 1;
    if (const auto cents = amount(std::u32string(text.substr(start, at - start)))) best = cents;
    if (from == std::u32string_view::npos) break;
  }
  if (best) out.push_back({EntityKind::kMoney, std::to_string(*best), 0.85});
}

constexpr std::u32string_view kSurnames =
    U"王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏"
    U"吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱"
    U"严覃武戴莫孔向汤";

bool title_at(std::u32string_view text, std::size_t at) {
  const std::u32string_view next = text.substr(at, 2);
  return next == U"先生" || next == U"女士" || next == U"小姐";
}

void add_name_zh(std::u32string_view text, std::vector<Entity>& out) {
  constexpr std::array<std::u32string_view, 6> kLeads{U"我的名字是", U"我的名字叫", U"我名叫",
                                                      U"我叫",       U"免贵姓",     U"我姓"};
  constexpr std::u32string_view kStops = U"，。,. 的是吧啊呀呢吗";
  for (const auto lead : kLeads) {
    const std::size_t at = text.find(lead);
    if (at == std::u32string_view::npos) continue;
    const std::size_t from = at + lead.size();
    std::size_t end = from;
    const std::size_t longest = lead.ends_with(U'姓') ? 2 : 4;
    while (end < text.size() && end - from < longest && text::is_han(text[end]) &&
           kStops.find(text[end]) == std::u32string_view::npos && !title_at(text, end))
      ++end;
    if (end == from) return;
    const bool known = kSurnames.find(text[from]) != std::u32string_view::npos;
    const std::size_t keep = lead.ends_with(U'姓') && known ? 1 : end - from;
    out.push_back(
        {EntityKind::kPersonName, text::encode_utf8(text.substr(from, keep)), known ? 0.85 : 0.5});
    return;
  }
}

void add_name_en(std::u32string_view text, std::vector<Entity>& out) {
  for (const std::u32string_view lead : {U"my name is ", U"my names ", U"my name's "}) {
    std::u32string lowered(text);
    std::ranges::transform(lowered, lowered.begin(), text::lower);
    const std::size_t at = lowered.find(lead);
    if (at == std::u32string_view::npos) continue;
    const std::size_t from = at + lead.size();
    std::size_t end = from;
    int words = 1;
    while (end < text.size() && (text::is_word_letter(text[end]) || text[end] == U' ')) {
      if (text[end] == U' ' && ++words > 2) break;
      ++end;
    }
    while (end > from && text[end - 1] == U' ') --end;
    if (end > from)
      out.push_back(
          {EntityKind::kPersonName, text::encode_utf8(text.substr(from, end - from)), 0.8});
    return;
  }
}

}  // namespace

const char* name_of(EntityKind kind) {
  switch (kind) {
    case EntityKind::kTime:
      return "time";
    case EntityKind::kPhone:
      return "phone";
    case EntityKind::kMoney:
      return "money";
    case EntityKind::kIdNumber:
      return "id_number";
    case EntityKind::kPersonName:
      return "person_name";
    case EntityKind::kDigits:
      break;
  }
  return "digits";
}

bool is_id_number(std::string_view digits) {
  if (digits.size() != 18) return false;
  constexpr std::array<int, 17> kWeights{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  constexpr std::string_view kChecks = "10X98765432";
  int sum = 0;
  for (std::size_t i = 0; i < 17; ++i) {
    if (digits[i] < '0' || digits[i] > '9') return false;
    sum += (digits[i] - '0') * kWeights[i];
  }
  const char last = digits[17] == 'x' ? 'X' : digits[17];
  return last == kChecks[static_cast<std::size_t>(sum % 11)];
}

std::string when_text(const text::WhenReading& when) {
  std::string out;
  if (when.date)
    out = fmt::format("{:04}-{:02}-{:02}", when.date->year, when.date->month, when.date->day);
  if (when.time) out += fmt::format("T{:02}:{:02}", when.time->hour, when.time->minute);
  return out;
}

text::WhenReading when_of(std::string_view value) {
  text::WhenReading out;
  const std::size_t t = value.find('T');
  const std::string_view day = value.substr(0, t);
  if (day.size() == 10 && day[4] == '-' && day[7] == '-') {
    const auto year = number(day.substr(0, 4));
    const auto month = number(day.substr(5, 2));
    const auto of_month = number(day.substr(8, 2));
    if (year && month && of_month && text::is_real({*year, *month, *of_month}))
      out.date = text::LocalDate{*year, *month, *of_month};
  }
  if (t == std::string_view::npos) return out;
  const std::string_view clock = value.substr(t + 1);
  if (clock.size() < 5 || clock[2] != ':') return out;
  const auto hour = number(clock.substr(0, 2));
  const auto minute = number(clock.substr(3, 2));
  if (hour && minute && *hour >= 0 && *hour < 24 && *minute >= 0 && *minute < 60)
    out.time = text::LocalTime{*hour, *minute};
  return out;
}

std::vector<Entity> find_entities(std::string_view text, text::Language language,
                                  const text::LocalDateTime& now) {
  std::vector<Entity> out;
  const std::u32string all = text::decode_utf8(text);
  const std::u32string characters = all.substr(0, kCharactersMax);
  const std::string bounded = text::encode_utf8(characters);
  const text::WhenReading when = text::parse_when(bounded, now, language);
  if (const std::string value = when_text(when); !value.empty())
    out.push_back({EntityKind::kTime, value, when.half_day_guessed ? 0.7 : 0.9});
  if (language == text::Language::kZh) {
    add_money_zh(characters, out);
    add_name_zh(characters, out);
  } else {
    add_money_en(characters, out);
    add_name_en(characters, out);
  }
  const bool counted = std::ranges::any_of(out, [](const Entity& entity) {
    return entity.kind == EntityKind::kMoney || entity.kind == EntityKind::kTime;
  });
  if (!counted) add_digits(bounded, out);
  std::ranges::stable_sort(out, std::greater<>{}, &Entity::confidence);
  if (out.size() > kEntitiesMax) out.resize(kEntitiesMax);
  return out;
}

}  // namespace yyc3::dialogue
