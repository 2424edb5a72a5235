#include "worker/grammars.hpp"

namespace yyc3::worker {
namespace {

using speech::GrammarKind;
using speech::Language;

const std::vector<std::string>& yes_no(Language language) {
  static const std::vector<std::string> zh{
      "是",       "是的",   "对",   "对的", "好",   "好的",   "可以", "行",     "有",
      "需要",     "同意",   "愿意", "当然", "肯定", "没问题", "知道", "知道了", "不是",
      "不",       "不要",   "不用", "不对", "不行", "不可以", "没有", "不需要", "不同意",
      "不愿意",   "不知道", "不必", "算了", "停",   "别",     "也许", "可能",   "考虑",
      "考虑一下", "没关系", "喂",   "嗯",   "谢谢", "再见"};
  static const std::vector<std::string> en{
      "yes",     "yeah",         "yep",          "sure",    "okay",      "of course",
      "correct", "that's right", "I do",         "I can",   "no",        "nope",
      "not now", "no thanks",    "no thank you", "I don't", "I can't",   "stop",
      "maybe",   "I don't know", "hello",        "goodbye", "not really"};
  return language == Language::kChinese ? zh : en;
}

const std::vector<std::string>& digit(Language language) {
  // Arabic numerals are what the model writes for a spoken Chinese digit; both spellings count.
  static const std::vector<std::string> zh{"0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",
                                           "8",  "9",  "10", "零", "一", "二", "三", "四",
                                           "五", "六", "七", "八", "九", "十", "两", "幺"};
  static const std::vector<std::string> en{"zero", "one",   "two",   "three", "four", "five",
                                           "six",  "seven", "eight", "nine",  "ten",  "oh"};
  return language == Language::kChinese ? zh : en;
}

}  // namespace

std::vector<std::string> phrases_of(GrammarKind kind, Language language,
                                    const std::vector<std::string>& options) {
  switch (kind) {
    case GrammarKind::kYesNo:
      return yes_no(language);
    case GrammarKind::kDigit:
      return digit(language);
    case GrammarKind::kOptions:
      return options;
    case GrammarKind::kFree:
    case GrammarKind::kDigits:
    case GrammarKind::kTime:
      break;
  }
  return {};
}

}  // namespace yyc3::worker
