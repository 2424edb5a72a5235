#include "product/dialogue/answer.hpp"

#include <algorithm>
#include <array>
#include <ranges>

#include "engine/text/numbers.hpp"
#include "engine/text/understand.hpp"
#include "engine/text/utf8.hpp"
#include "product/dialogue/entities.hpp"

namespace yyc3::dialogue {
namespace {

/// The one digit that all of the answer is: "2", "第二个", "number two". 0: "等一下" names no
/// option.
char digit_named(std::string_view heard, text::Language language) {
  std::string rest;
  if (language == text::Language::kZh) {
    constexpr std::u32string_view kAround = U" 第个选项号吧种我就那要按";
    for (const char32_t c : text::decode_utf8(plain_text(heard)))
      if (kAround.find(c) == std::u32string_view::npos) text::append_utf8(rest, c);
    if (text::decode_utf8(rest).size() != 1) return 0;
  } else {
    constexpr std::array<std::string_view, 6> kAround{"the",   "option", "number",
                                                      "press", "please", "key"};
    const std::string plain = plain_text(heard);
    for (const auto word : std::views::split(plain, ' ')) {
      const std::string_view one(word.begin(), word.end());
      if (std::ranges::find(kAround, one) != kAround.end()) continue;
      if (!rest.empty()) return 0;
      rest = one;
    }
  }
  const std::string digits = text::parse_digits(rest);
  return digits.size() == 1 ? digits[0] : char{0};
}

Answer choose(const Ask& ask, const PhraseBook& book, std::string_view heard,
              text::Language language, const Understood& understood) {
  if (const auto found = book.find(heard, language)) {
    const Option& option = ask.options[found->label];
    return {option.value, option.value, std::nullopt, true};
  }
  for (const Option& option : ask.options) {
    const bool yes = option.means_yes && understood.yes_no == text::YesNo::kYes;
    const bool no = option.means_no && understood.yes_no == text::YesNo::kNo;
    if (yes || no) return {option.value, option.value, std::nullopt, false};
  }
  if (const char digit = digit_named(heard, language); digit != 0)
    for (const Option& option : ask.options)
      if (option.key == digit) return {option.value, option.value, std::nullopt, true};
  return {};
}

text::LocalTime in_part(text::LocalTime time, text::DayPart part) {
  const bool early = part == text::DayPart::kMorning;
  if (early && time.hour > 12) time.hour -= 12;
  if (!early && time.hour < 12 && time.hour > 0) time.hour += 12;
  return time;
}

int two(std::string_view keys, std::size_t at) {
  return (keys[at] - '0') * 10 + (keys[at + 1] - '0');
}

bool ends_with_word(std::string_view text, std::initializer_list<std::string_view> ends) {
  return std::ranges::any_of(ends, [text](auto end) { return text.ends_with(end); });
}

}  // namespace

Answer answer_to(const Ask& ask, const PhraseBook& book, std::string_view heard,
                 text::Language language, const Understood& understood) {
  switch (ask.grammar) {
    case Grammar::kFree:
      return {"match", std::string(heard), std::nullopt, false};
    case Grammar::kYesNo:
      if (understood.yes_no == text::YesNo::kYes) return {"yes", "yes", std::nullopt, false};
      if (understood.yes_no == text::YesNo::kNo) return {"no", "no", std::nullopt, false};
      return {};
    case Grammar::kOptions:
      return choose(ask, book, heard, language, understood);
    case Grammar::kDigit:
    case Grammar::kDigits: {
      const std::string digits = text::parse_digits(heard);
      const auto size = static_cast<int>(digits.size());
      const int most = ask.grammar == Grammar::kDigit ? 1 : ask.digits_max;
      const int least = ask.grammar == Grammar::kDigit ? 1 : ask.digits_min;
      if (size < least || size > most) return {};
      return {"digits", digits, std::nullopt, true};
    }
    case Grammar::kTime:
      break;  // needs what was said before: merge_time
  }
  return {};
}

std::string_view state_of_time(const text::WhenReading& when, const text::LocalDateTime& now) {
  if (const auto moment = when.moment()) return *moment <= now ? "past" : "complete";
  if (when.date) return *when.date < now.date ? "past" : "date_only";
  return when.time ? "time_only" : "";
}

Answer merge_time(const TimeSoFar& so_far, const text::WhenReading& heard,
                  const text::LocalDateTime& now) {
  Answer out;
  out.firm = true;
  out.part = heard.part ? heard.part : so_far.part;
  if (heard.impossible) {
    out.label = "impossible";
    return out;
  }
  if (!heard.date && !heard.time && !heard.part) return {};
  text::WhenReading whole;
  whole.date = heard.date ? heard.date : so_far.when.date;
  whole.time = heard.time;
  if (whole.time && heard.half_day_guessed && !heard.part && so_far.part)
    whole.time = in_part(*whole.time, *so_far.part);
  // Another day at the hour agreed before; but "Friday evening" asks for a new hour.
  if (!whole.time && so_far.when.time) {
    whole.time = so_far.when.time;
    if (heard.part) whole.time = in_part(*whole.time, *heard.part);
  }
  out.value = when_text(whole);
  out.label = state_of_time(whole, now);
  if (out.label.empty()) return {};  // "下午" alone: neither day nor hour
  return out;
}

std::optional<text::WhenReading> time_of_keys(std::string_view keys,
                                              const text::LocalDateTime& now) {
  if (keys.size() != 4 && keys.size() != 8) return std::nullopt;
  text::WhenReading out;
  text::LocalDate date{now.date.year, two(keys, 0), two(keys, 2)};
  if (text::is_real(date) && date < now.date) ++date.year;
  if (!text::is_real(date)) return std::nullopt;
  out.date = date;
  if (keys.size() == 4) return out;
  const text::LocalTime time{two(keys, 4), two(keys, 6)};
  if (time.hour > 23 || time.minute > 59) return std::nullopt;
  out.time = time;
  return out;
}

bool sounds_unfinished(std::string_view heard, text::Language language) {
  std::string plain = plain_text(heard);
  if (language == text::Language::kZh) {
    std::erase(plain, ' ');
    // Said alone, these open a sentence; behind words they do not leave it open ("谢谢，不好意思").
    for (const std::string_view opening :
         {"嗯", "呃", "啊", "哦", "那个", "这个", "不好意思", "请问", "那", "那我", "我", "麻烦"})
      if (plain == opening) return true;
    if (plain.ends_with("我就是")) return false;
    // Verbs without their object, prepositions, conjunctions, a day without its hour's half.
    return ends_with_word(
        plain,
        {"我想", "我要", "想要",   "改到",     "改成",   "换到",   "换成",       "就是",   "那个",
         "这个", "然后", "因为",   "所以",     "但是",   "可是",   "不过",       "而且",   "还有",
         "或者", "如果", "能不能", "可不可以", "是不是", "有没有", "我看看",     "我想想", "等一下",
         "等等", "请问", "想问",   "问一下",   "想问问", "问问",   "咨询一下",   "麻烦您", "麻烦你",
         "帮我", "给我", "你们",   "我们",     "大概",   "应该是", "我的电话是", "星期",   "礼拜",
         "下午", "上午", "晚上",   "下周",     "那就",   "那天",   "的话",       "一次要", "几点"});
  }
  plain = " " + plain;
  return ends_with_word(
      plain, {" um",   " uh",  " and", " but",        " to",      " the",       " i want", " can i",
              " at",   " on",  " my",  " is",         " so",      " because",   " or",     " maybe",
              " like", " i'd", " for", " let me see", " hold on", " could you", " next"});
}

bool is_short(std::string_view heard, text::Language language) {
  std::string plain = plain_text(heard);
  if (language == text::Language::kEn) return std::ranges::count(plain, ' ') < 3;
  std::erase(plain, ' ');
  return text::decode_utf8(plain).size() <= 6;
}

bool sounds_closed(std::string_view heard, text::Language language) {
  std::string plain = plain_text(heard);
  if (language == text::Language::kEn) {
    plain.insert(0, 1, ' ');
    // Behind a word these round it off; said alone, more may come ("thanks, but …").
    for (const std::string_view end : {" thanks", " thank you", " thats all", " thats it",
                                       " no problem", " i am", " thats me", " speaking"})
      if (plain.size() > end.size() && plain.ends_with(end)) return true;
    return false;
  }
  std::erase(plain, ' ');
  for (const std::string_view end :
       {"谢谢", "谢谢你", "谢谢您", "谢谢了", "我是", "我就是", "是我", "可以"})
    if (plain.size() > end.size() && plain.ends_with(end)) return true;
  return ends_with_word(plain,
                        {"就这样", "就这样吧", "没问题", "没别的事了", "没有别的事了", "没事了"});
}

bool sounds_like_question(std::string_view heard, text::Language language) {
  if (language == text::Language::kZh) {
    for (const std::string_view mark : {"吗", "呢", "多少", "什么", "怎么", "哪", "几", "?", "？",
                                        "请问", "想问", "问一下", "可不可以", "啥"})
      if (heard.find(mark) != std::string_view::npos) return true;
    return text::asks_either_way(heard);
  }
  if (heard.find('?') != std::string_view::npos) return true;
  const std::string plain = " " + plain_text(heard) + " ";
  for (const std::string_view mark :
       {" what ", " whats ", " where ", " wheres ", " how ", " when ", " which ", " why ", " do i ",
        " do you ", " is there ", " can i ", " should i ", " are there ", " tell me "})
    if (plain.find(mark) != std::string::npos) return true;
  return false;
}

}  // namespace yyc3::dialogue
