#include "engine/speech/grammars.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "engine/text/match.hpp"

namespace yyc3::speech {
namespace {

/// Phrases that mean the same stand together.
using Meanings = std::vector<std::vector<std::string>>;

/// Yes and no first, then what is said instead of them: it must never be taken for one of the two.
const Meanings& yes_no(Language language) {
  static const Meanings zh{
      {"是",         "是的",         "对",           "对的",     "好",         "好的",
       "可以",       "行",           "有",           "需要",     "同意",       "愿意",
       "当然",       "肯定",         "没问题",       "没错",     "我是",       "是我",
       "我就是",     "是啊",         "对啊",         "对，我是", "对，是我",   "对，我就是",
       "是的，我是", "是的，我就是", "嗯，是我",     "嗯，我是", "是的，可以", "好的，可以",
       "对，没问题", "好的，没问题", "可以，没问题", "对，没错"},
      {"不是",   "不",           "不要",         "不用",       "不对",      "不行",
       "不可以", "没有",         "不需要",       "不同意",     "不愿意",    "不必",
       "算了",   "停",           "别",           "不是我",     "我不是",    "没有了",
       "不用了", "没有了，谢谢", "不用了，谢谢", "没有，谢谢", "不用，谢谢"},
      {"知道", "知道了"},
      {"不知道", "也许", "可能", "考虑", "考虑一下"},
      {"没关系"},
      {"喂"},
      {"嗯"},
      {"谢谢"},
      {"再见"},
      {"别打了", "别再打了", "不要打了", "不要再打了", "别给我打电话", "不要打电话", "别再打电话了",
       "别骚扰我", "退订"},
      {"转人工", "人工", "人工客服", "找人工"},
      {"打错了", "你打错了", "打错电话了"},
      {"你是谁", "你谁啊", "你是哪位", "哪位"},
      {"在开会", "在开车", "我在忙"},
      {"没空", "没时间"},
      {"等一下"},
      {"你说什么", "再说一遍"},
      {"我要投诉"},
      {"不感兴趣"}};
  static const Meanings en{
      {"yes", "yeah", "yep", "sure", "okay", "of course", "correct", "that's right", "I do",
       "I can", "speaking", "this is she", "this is he"},
      {"no", "nope", "no thanks", "no thank you", "I don't", "I can't", "stop", "not really"},
      {"not now", "no time"},
      {"I'm busy", "I'm driving"},
      {"maybe", "I don't know"},
      {"hello"},
      {"goodbye"},
      {"stop calling", "stop calling me", "don't call me", "don't call again", "do not call me",
       "remove me", "unsubscribe"},
      {"wrong number", "you have the wrong number"},
      {"who is this", "who are you"},
      {"operator", "a human please", "speak to a human"},
      {"hold on", "one moment"},
      {"pardon", "say that again", "what did you say"},
      {"I want to complain"},
      {"not interested"}};
  return language == Language::kChinese ? zh : en;
}

const Meanings& digit(Language language) {
  // Arabic numerals are what the model writes for a spoken Chinese digit; both spellings count.
  static const Meanings zh{{"0", "零"}, {"1", "一", "幺"}, {"2", "二", "两"}, {"3", "三"},
                           {"4", "四"}, {"5", "五"},       {"6", "六"},       {"7", "七"},
                           {"8", "八"}, {"9", "九"},       {"10", "十"}};
  static const Meanings en{{"zero", "oh"}, {"one"},   {"two"},   {"three"}, {"four"}, {"five"},
                           {"six"},        {"seven"}, {"eight"}, {"nine"},  {"ten"}};
  return language == Language::kChinese ? zh : en;
}

const Meanings* meanings(GrammarKind kind, Language language) {
  if (kind == GrammarKind::kYesNo) return &yes_no(language);
  return kind == GrammarKind::kDigit ? &digit(language) : nullptr;
}

}  // namespace

std::vector<std::string> phrases_of(GrammarKind kind, Language language,
                                    const std::vector<std::string>& options) {
  if (kind == GrammarKind::kOptions) return options;
  std::vector<std::string> out;
  if (const Meanings* all = meanings(kind, language))
    for (const auto& meaning : *all) out.insert(out.end(), meaning.begin(), meaning.end());
  return out;
}

std::vector<std::size_t> meanings_of(GrammarKind kind, Language language, std::size_t options) {
  std::vector<std::size_t> out;
  const Meanings* all = meanings(kind, language);
  if (all == nullptr && kind == GrammarKind::kOptions)
    for (std::size_t i = 0; i < options; ++i) out.push_back(i);
  for (std::size_t i = 0; all != nullptr && i < all->size(); ++i)
    out.insert(out.end(), (*all)[i].size(), i);
  return out;
}

bool is_answer(GrammarKind kind, std::size_t meaning) {
  return kind != GrammarKind::kYesNo || meaning < 2;
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
