#include "worker/homophone_corrector.hpp"

#include <sstream>

#include "engine/text/utf8.hpp"
#include "worker/phrases.hpp"
#include "worker/worker_test_support.hpp"

namespace yyc3::worker {
namespace {

const HomophoneCorrector& customers() {
  static const HomophoneCorrector made(testing::tables(), said_zh(), "");
  return made;
}

/// Heard so that every other character is `behind` nats less likely.
std::string correct(const HomophoneCorrector& by, std::string_view heard, float behind) {
  return text::encode_utf8(
      by.correct(text::decode_utf8(heard), [behind](std::size_t, char32_t) { return behind; }));
}

constexpr float kUnsure = 2;

TEST_CASE("characters heard unsurely become the ones people say") {
  const std::pair<const char*, const char*> cases[] = {
      {"学费能分三次教吗?", "学费能分三次交吗?"},
      {"不敢兴趣，挂了。", "不感兴趣，挂了。"},
      {"到楼下给我打电话", "到楼下给我打电话"},  // right already
      {"刀楼下给我打电话", "到楼下给我打电话"},  // another tone
      {"张单我还没收到", "账单我还没收到"}};
  for (const auto& [heard, right] : cases) CHECK(correct(customers(), heard, kUnsure) == right);
}

TEST_CASE("what was clearly heard stays, though nobody in the model says it") {
  for (const char* said : {"我是李明的妻子", "我住在朝阳区望京街道", "这个手机是华为的",
                           "我下个月要去新加坡出差", "孔子说学而时习之", "我叫赵晓燕"})
    CHECK(correct(customers(), said, HomophoneCorrector::kBehindMax) == said);
}

TEST_CASE("a character that sounds otherwise wins only where the recogniser nearly wrote it") {
  const std::u32string heard = U"后接上午我有空";
  const auto near = [&](char32_t close, float behind) {
    return text::encode_utf8(customers().correct(heard, [=](std::size_t at, char32_t other) {
      return at == 1 && other == close ? behind : HomophoneCorrector::kBehindMax;
    }));
  };
  CHECK(near(U'天', 1) == "后天上午我有空");
  CHECK(near(U'天', 6) == "后接上午我有空");
}

TEST_CASE("what is not Chinese stays, and a text keeps its length") {
  const auto unsure = [](std::string_view heard) { return correct(customers(), heard, kUnsure); };
  CHECK(unsure("").empty());
  CHECK(unsure("I'd like to, thanks.") == "I'd like to, thanks.");
  const std::string mixed = unsure("我的WiFi坏了，九十9块8。龘");
  CHECK(mixed.find("WiFi") != std::string::npos);
  CHECK(text::decode_utf8(mixed).size() == 16);
  const std::string digits(3000, '1');
  CHECK(unsure(digits + "点").starts_with(digits));
}

TEST_CASE("a numeral never becomes another one") {
  const HomophoneCorrector ten(testing::tables(), "明天上午十点\n明天上午十点吧\n", "");
  CHECK(correct(ten, "明天上午四点", 5) == "明天上午四点");
  CHECK(correct(ten, "明天上午是点", 5) == "明天上午十点");
}

TEST_CASE("short answers stay, however unsure") {
  for (const char* said :
       {"是",   "是的",   "对",     "对的",   "不对", "好",      "好的",     "行",       "不行",
        "不",   "不要",   "不用",   "不是",   "别",   "有",      "没有",     "要",       "可以",
        "喂",   "你好",   "嗯",     "啊",     "停",   "等一下",  "什么",     "再说一遍", "谢谢",
        "再见", "零",     "一",     "二",     "两",   "三",      "四",       "五",       "六",
        "七",   "八",     "九",     "十",     "十点", "四点",    "下午四点", "周四",     "十号",
        "四号", "转人工", "你是谁", "打错了", "没空", "考虑一下"})
    CHECK(correct(customers(), said, kUnsure) == said);
}

TEST_CASE("the operator's words are written his way") {
  const HomophoneCorrector own(testing::tables(), said_zh(), "云杉口腔\n");
  CHECK(correct(own, "请问是云山口腔吗", kUnsure) == "请问是云杉口腔吗");
  CHECK(correct(customers(), "请问是云山口腔吗", kUnsure) != "请问是云杉口腔吗");
}

TEST_CASE("what people say is left as they say it") {
  std::size_t lines = 0;
  std::size_t changed = 0;
  std::istringstream in{std::string(said_zh())};
  for (std::string line; std::getline(in, line); ++lines) {
    if (lines % 50 == 0 && correct(customers(), line, kUnsure) != line) ++changed;
  }
  CHECK(changed * 100 <= lines / 50);
}

}  // namespace
}  // namespace yyc3::worker
