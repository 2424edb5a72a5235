#include "engine/speech/grammars.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "engine/text/match.hpp"

namespace yyc3::speech {
namespace {

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

text::CutText tidy_text(const text::TablesPtr& tables, Language language, std::string_view raw) {
  std::string text = sanitize_utf8(raw);
  if (tables && language == Language::kChinese) text = text::to_simplified(*tables, text);
  text::CutText cut = text::cut_repetition(text);
  constexpr const char* kBlank = " \n\r\t";
  cut.text.erase(cut.text.find_last_not_of(kBlank) + 1);
  cut.text.erase(0, cut.text.find_first_not_of(kBlank));
  return cut;
}

std::string hold_to(const text::TablesPtr& tables, const std::vector<std::string>& phrases,
                    std::string text) {
  if (!tables || phrases.empty()) return text;
  const text::SoundMatcher matcher(tables);
  const text::PinyinKey heard = matcher.key(text);
  double nearest = 1 - text::SoundMatcher::kThreshold;
  const std::string* best = nullptr;
  for (const std::string& phrase : phrases) {
    const text::PinyinKey key = matcher.key(phrase);
    const auto units = static_cast<double>(std::max(heard.units.size(), key.units.size()));
    const double off = units > 0 ? text::SoundMatcher::distance(heard, key) / units : 1;
    if (off >= nearest) continue;
    nearest = off;
    best = &phrase;
  }
  return best != nullptr ? *best : text;
}

}  // namespace yyc3::speech
