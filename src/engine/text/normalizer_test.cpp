#include "engine/text/normalizer.hpp"

#include <doctest/doctest.h>

#include "engine/text/numbers.hpp"
#include "engine/text/utf8.hpp"

using namespace yyc3::text;

namespace {
struct Case {
  const char* in;
  const char* out;
};
}  // namespace

TEST_CASE("Chinese: symbols and figures become words by context") {
  const Case cases[] = {
      {"2026年11月24日", "二零二六年十一月二十四日"},
      {"2026-11-24", "二零二六年十一月二十四日"},
      {"11/24前还款", "十一月二十四日前还款"},
      {"15:30", "十五点三十分"},
      {"下午3:30", "下午三点半"},
      {"上午9:00-11:05", "上午九点到十一点零五分"},
      {"尾号1138", "尾号幺幺三八"},
      {"13800138000", "幺三八，零零幺三，八零零零"},
      {"请拨打95588", "请拨打九五五八八"},
      {"100-150元", "一百到一百五十元"},
      {"3-5天", "三到五天"},
      {"10%-20%", "百分之十到百分之二十"},
      {"12.5%", "百分之十二点五"},
      {"¥12.50", "十二元五角"},
      {"￥1,234.56", "一千二百三十四元五角六分"},
      {"12.05元", "十二元零五分"},
      {"$20", "二十美元"},
      {"-5℃", "零下五摄氏度"},
      {"2个人2点到，2号楼", "两个人两点到，二号楼"},
      {"第2次", "第二次"},
      {"1/3", "三分之一"},
      {"3:2", "三比二"},
      {"10km", "十公里"},
      {"10086", "幺零零八六"},
      {"20000元", "二万元"},
      {"1.2.3版", "一点二点三版"},
      {"10年", "十年"},
      {"１２３元", "一百二十三元"},
      {"验证码是 004213。", "验证码是 零零四二幺三。"},
      {"400-820-8820", "四零零，八二零，八八二零"},
  };
  for (const auto& c : cases)
    CHECK(normalize(std::string_view(c.in), Language::kZh).utf8() == c.out);
}

TEST_CASE("English: symbols and figures become words by context") {
  const Case cases[] = {
      {"325 people", "three hundred and twenty-five people"},
      {"$12.50", "twelve dollars and fifty cents"},
      {"$1", "one dollar"},
      {"at 3:30 pm", "at three thirty pm"},
      {"at 3:05", "at three oh five"},
      {"November 24, 2026", "November twenty-fourth, twenty twenty-six"},
      {"2026-11-24", "November twenty-fourth, twenty twenty-six"},
      {"on 11/24", "on November twenty-fourth"},
      {"the 21st", "the twenty-first"},
      {"12.5%", "twelve point five percent"},
      {"3-5 days", "three to five days"},
      {"code 1138", "code one one three eight"},
      {"Dr. Lee", "Doctor Lee"},
      {"1,234", "one thousand two hundred and thirty-four"},
      {"10 km", "ten kilometers"},
      {"A & B", "A  and  B"},
  };
  for (const auto& c : cases)
    CHECK(normalize(std::string_view(c.in), Language::kEn).utf8() == c.out);
}

TEST_CASE("every spoken character knows where it came from") {
  const std::string in = "共12.5元，13800138000";
  const std::u32string chars = decode_utf8(in);
  const SpokenText spoken = normalize(std::string_view(in), Language::kZh);
  REQUIRE(spoken.origin.size() == spoken.text.size());
  std::size_t before = 0;
  for (const Span& span : spoken.origin) {
    CHECK(span.begin >= before);
    CHECK(span.end <= chars.size());
    CHECK(span.begin < span.end);
    before = span.begin;
  }
  CHECK(spoken.origin[1] == Span{1, 5});  // 十 of "12.5"
}

TEST_CASE("hostile text is survived") {
  for (const char* text :
       {"\xff\xfe", "\xed\xa0\x80", "1:2:3:4:5", "99999999999999999999999999", "$", "-", "1-",
        "1/0", "0/0/0", "....", "%%%", "1,2,3", "+", "+1", "\x01\x02", "2026-13-45"}) {
    CHECK_NOTHROW((void)normalize(std::string_view(text), Language::kZh));
    CHECK_NOTHROW((void)normalize(std::string_view(text), Language::kEn));
  }
}

TEST_CASE("numbers are read and parsed") {
  struct Number {
    const char* text;
    long long value;  // -1: none
  };
  const Number cases[] = {
      {"三百二十五", 325},
      {"两万三", 23000},
      {"十五", 15},
      {"一千零五", 1005},
      {"两百五", 250},
      {"幺三八", 138},
      {"325", 325},
      {"1万", 10000},
      {"一亿", 100000000},
      {"百", -1},
      {"你好", -1},
      {"", -1},
      {"three hundred and twenty five", 325},
      {"two thousand and one", 2001},
      {"twenty-six", 26},
      {"five five", -1},
      {"九千九百九十九万亿", -1},
      {"99999999999999999999", -1},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    CHECK(parse_number(c.text).value_or(-1) == c.value);
  }
  for (const std::int64_t n : {0, 7, 10, 11, 20, 101, 110, 1001, 1010, 20304, 100000, 100010001})
    CHECK(parse_number(encode_utf8(zh_number(n))).value_or(-1) == n);
  CHECK(parse_digits("幺三八 零零一三 八零零零") == "13800138000");
  CHECK(parse_digits("one three eight oh double five") == "138055");
  CHECK(parse_digits("我的号码是138，三十五") == "13835");
  CHECK(parse_digits("twenty five") == "25");
  CHECK(parse_digits("没有").empty());
}
