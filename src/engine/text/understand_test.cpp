#include "engine/text/understand.hpp"

#include <doctest/doctest.h>

using namespace yyc3::text;

namespace {

const LocalDateTime kNow{{2026, 11, 24}, {14, 40}};  // a Tuesday

/// "2026-11-25 15:30", with ? for what is missing, then flags: g guessed half, p past, !
/// impossible.
std::string when(const char* text, Language language) {
  const WhenReading r = parse_when(text, kNow, language);
  char out[64];
  std::string date = "?";
  std::string time = "?";
  if (r.date) {
    std::snprintf(out, sizeof out, "%04d-%02d-%02d", r.date->year, r.date->month, r.date->day);
    date = out;
  }
  if (r.time) {
    std::snprintf(out, sizeof out, "%02d:%02d", r.time->hour, r.time->minute);
    time = out;
  }
  std::string flags;
  if (r.half_day_guessed) flags += " g";
  if (r.in_past) flags += " p";
  if (r.impossible) flags += " !";
  return date + " " + time + flags;
}

struct Case {
  const char* in;
  const char* out;
};

}  // namespace

TEST_CASE("what a Chinese caller says about time") {
  const Case cases[] = {
      {"明天下午三点半", "2026-11-25 15:30"},
      {"后天上午十点", "2026-11-26 10:00"},
      {"周五下午", "2026-11-27 ?"},
      {"下周二上午九点一刻", "2026-12-01 09:15"},
      {"下星期天晚上八点", "2026-12-06 20:00"},
      {"25号下午两点", "2026-11-25 14:00"},
      {"二十号", "2026-12-20 ?"},
      {"12月3号15:30", "2026-12-03 15:30"},
      {"一月五号早上八点", "2027-01-05 08:00"},
      {"2026年12月25日", "2026-12-25 ?"},
      {"半小时后", "2026-11-24 15:10"},
      {"两个半小时以后", "2026-11-24 17:10"},
      {"三天后", "2026-11-27 ?"},
      {"今晚八点", "2026-11-24 20:00"},
      {"明天三点", "2026-11-25 15:00 g"},
      {"三点", "? 15:00 g"},
      {"今天上午九点", "2026-11-24 09:00 p"},
      {"周三，不对，周四下午四点", "2026-11-26 16:00"},
      {"后天吧，明天不行", "2026-11-26 ?"},
      {"晚上十二点", "? 00:00"},
      {"今晚十二点", "2026-11-25 00:00"},
      {"2月30号", "? ? !"},
      {"明天25点", "2026-11-25 ? !"},
      {"早一点", "? ?"},
      {"有时候", "? ?"},
      {"到三号楼", "? ?"},
      {"中午十二点半", "? 12:30"},
      {"下午3:30", "? 15:30"},
      {"下个月五号", "2026-12-05 ?"},
      {"你好", "? ?"},
      {"", "? ?"},
  };
  for (const auto& c : cases) {
    INFO(c.in);
    CHECK(when(c.in, Language::kZh) == c.out);
  }
}

TEST_CASE("what an English caller says about time") {
  const Case cases[] = {
      {"next Tuesday at 3 pm", "2026-12-01 15:00"},
      {"tomorrow morning at ten", "2026-11-25 10:00"},
      {"Friday afternoon", "2026-11-27 ?"},
      {"the day after tomorrow at half past three in the afternoon", "2026-11-26 15:30"},
      {"quarter to four", "? 15:45 g"},
      {"in half an hour", "2026-11-24 15:10"},
      {"in two hours", "2026-11-24 16:40"},
      {"November 25th at 3:30 pm", "2026-11-25 15:30"},
      {"the 3rd of December", "2026-12-03 ?"},
      {"on the twenty fifth", "2026-11-25 ?"},
      {"December third", "2026-12-03 ?"},
      {"tomorrow at noon", "2026-11-25 12:00"},
      {"tonight at eight", "2026-11-24 20:00"},
      {"ten thirty tomorrow", "2026-11-25 ?"},
      {"tomorrow ten thirty", "2026-11-25 10:30 g"},
      {"tomorrow doesn't work, Thursday at 2 p.m.", "2026-11-26 14:00"},
      {"hello", "? ?"},
      {"I have three questions", "? ?"},
  };
  for (const auto& c : cases) {
    INFO(c.in);
    CHECK(when(c.in, Language::kEn) == c.out);
  }
  CHECK(when("明天下午三点", Language::kEn) == "2026-11-25 15:00");
}

TEST_CASE("yes and no") {
  for (const char* text :
       {"是",         "是的",         "对",         "对对对", "好的",      "好",
        "可以",       "可以的",       "没问题",     "行",     "嗯",        "嗯对",
        "没错",       "当然可以",     "要",         "需要",   "yes",       "Yeah.",
        "sure",       "that's right", "no problem", "OK",     "of course", "sounds good",
        "好的，谢谢", "那好吧",       "那行",       "那是我", "我要去"}) {
    INFO(text);
    CHECK(parse_yes_no(text) == YesNo::kYes);
  }
  for (const char* text : {"不",           "不是",        "不要",       "不用",
                           "不用了谢谢",   "算了",        "不需要",     "没有",
                           "不行",         "不对",        "不可以",     "no",
                           "nope",         "No, thanks.", "not really", "I don't want it",
                           "好的，不用了", "不方便",      "不对不对",   "不要不要"}) {
    INFO(text);
    CHECK(parse_yes_no(text) == YesNo::kNo);
  }
  for (const char* text :
       {"",         "可不可以", "是不是",     "不好意思", "对不起", "我要投诉", "你好",
        "什么",     "maybe",    "你们做不做", "他去没去", "有没有", "好不好",   "I know",
        "我不知道", "不是不行", "hello",      "你是哪位", "那是用", "那会用",   "\xff\xff"}) {
    INFO(text);
    CHECK(parse_yes_no(text) == YesNo::kUnclear);
  }
}

TEST_CASE("a date and a time said back") {
  CHECK(say_date({2026, 11, 25}, Language::kZh) == "十一月二十五日星期三");
  CHECK(say_time({15, 30}, Language::kZh) == "下午三点半");
  CHECK(say_time({14, 5}, Language::kZh) == "下午两点零五分");
  CHECK(say_date({2026, 11, 25}, Language::kEn) == "Wednesday, November twenty-fifth");
  CHECK(say_time({15, 30}, Language::kEn) == "3:30 pm");
  CHECK(say_date({2026, 2, 30}, Language::kEn).empty());
}
