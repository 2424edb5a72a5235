#include "product/dialogue/sentiment.hpp"

#include <algorithm>
#include <cmath>

#include "product/dialogue/understanding.hpp"

namespace yyc3::dialogue {
namespace {

struct Word {
  std::string_view text;
  double weight;
};

// Longer words first where one holds another ("不满意" before "满意").
constexpr Word kZh[] = {
    {"不满意", -0.6},   {"不耐烦", -0.6},   {"不靠谱", -0.6},   {"不像话", -0.8},
    {"不负责任", -0.8}, {"不讲理", -0.7},   {"受不了", -0.8},   {"没完没了", -0.8},
    {"烦死了", -0.9},   {"烦不烦", -0.9},   {"有病", -0.9},     {"骗子", -0.9},
    {"骗人", -0.8},     {"诈骗", -0.8},     {"垃圾", -0.9},     {"混蛋", -1.0},
    {"王八蛋", -1.0},   {"滚", -1.0},       {"他妈", -1.0},     {"妈的", -1.0},
    {"傻逼", -1.0},     {"神经病", -0.9},   {"去死", -1.0},     {"恶心", -0.8},
    {"太差劲", -0.9},   {"差劲", -0.7},     {"差评", -0.7},     {"太差", -0.7},
    {"很差", -0.6},     {"糟糕", -0.6},     {"糟透", -0.8},     {"失望", -0.6},
    {"生气", -0.6},     {"气死", -0.9},     {"愤怒", -0.8},     {"恼火", -0.7},
    {"讨厌", -0.6},     {"骚扰", -0.7},     {"投诉", -0.5},     {"举报", -0.6},
    {"曝光", -0.6},     {"欺骗", -0.8},     {"坑人", -0.8},     {"太坑", -0.7},
    {"黑心", -0.8},     {"无语", -0.5},     {"敷衍", -0.6},     {"推卸", -0.6},
    {"态度差", -0.7},   {"态度恶劣", -0.9}, {"恶劣", -0.7},     {"难吃", -0.5},
    {"难用", -0.5},     {"太慢", -0.5},     {"太贵", -0.4},     {"坏了", -0.4},
    {"麻烦死", -0.6},   {"郁闷", -0.5},     {"后悔", -0.5},     {"过分", -0.6},
    {"离谱", -0.6},     {"胡说", -0.6},     {"浪费时间", -0.6}, {"一点用都没", -0.7},
    {"烦", -0.4},       {"非常满意", 0.9},  {"很满意", 0.8},    {"满意", 0.6},
    {"太好了", 0.8},    {"太棒了", 0.9},    {"真棒", 0.8},      {"很棒", 0.8},
    {"不错", 0.5},      {"挺好", 0.5},      {"很好", 0.6},      {"非常好", 0.8},
    {"喜欢", 0.5},      {"感谢", 0.5},      {"谢谢", 0.3},      {"多谢", 0.4},
    {"开心", 0.6},      {"高兴", 0.6},      {"贴心", 0.7},      {"耐心", 0.5},
    {"专业", 0.4},      {"热情", 0.5},      {"周到", 0.6},      {"给力", 0.7},
    {"赞", 0.5},        {"辛苦了", 0.4},    {"好吃", 0.5},      {"方便多了", 0.5},
    {"点赞", 0.7},      {"表扬", 0.7},      {"好评", 0.7},      {"推荐给", 0.5},
    {"放心", 0.4},      {"舒服", 0.5},      {"及时", 0.3},      {"很快", 0.3}};
constexpr Word kEn[] = {{"not happy", -0.6},    {"waste of time", -0.7}, {"fed up", -0.8},
                        {"sick of", -0.8},      {"rip off", -0.8},       {"ridiculous", -0.7},
                        {"terrible", -0.8},     {"horrible", -0.8},      {"awful", -0.8},
                        {"worst", -0.9},        {"disgusting", -0.9},    {"useless", -0.7},
                        {"unacceptable", -0.8}, {"scam", -0.9},          {"fraud", -0.7},
                        {"liar", -0.9},         {"liars", -0.9},         {"bullshit", -1.0},
                        {"fuck", -1.0},         {"fucking", -1.0},       {"shit", -0.9},
                        {"idiot", -0.9},        {"idiots", -0.9},        {"stupid", -0.7},
                        {"angry", -0.7},        {"furious", -1.0},       {"annoyed", -0.6},
                        {"annoying", -0.6},     {"frustrated", -0.6},    {"frustrating", -0.6},
                        {"disappointed", -0.6}, {"disappointing", -0.6}, {"upset", -0.5},
                        {"hate", -0.7},         {"rude", -0.6},          {"poor", -0.4},
                        {"bad", -0.4},          {"broken", -0.4},        {"unhappy", -0.6},
                        {"complaint", -0.4},    {"harassing", -0.8},     {"harassment", -0.8},
                        {"joke", -0.3},         {"too expensive", -0.4}, {"shut up", -0.9},
                        {"hell", -0.5},         {"pathetic", -0.8},      {"incompetent", -0.8},
                        {"great", 0.6},         {"excellent", 0.8},      {"awesome", 0.8},
                        {"wonderful", 0.8},     {"amazing", 0.8},        {"fantastic", 0.8},
                        {"perfect", 0.6},       {"love", 0.6},           {"loved", 0.6},
                        {"like it", 0.4},       {"good", 0.4},           {"nice", 0.4},
                        {"happy", 0.5},         {"pleased", 0.6},        {"thanks", 0.3},
                        {"thank you", 0.3},     {"appreciate", 0.5},     {"helpful", 0.5},
                        {"satisfied", 0.6},     {"friendly", 0.5},       {"impressed", 0.7},
                        {"best", 0.6},          {"delighted", 0.9},      {"recommend", 0.4}};

struct Reading {
  double sum = 0;
  double worst = 0;
  double best = 0;
  std::vector<std::string> words;
};

bool ends_with_any(std::string_view text, std::initializer_list<std::string_view> ends) {
  return std::ranges::any_of(ends, [text](auto end) { return text.ends_with(end); });
}

double weight_at(std::string_view before, double weight, bool zh) {
  const bool negated =
      zh ? ends_with_any(before, {"不", "没", "不太", "不是很", "不怎么", "没有", "别", "没那么"})
         : ends_with_any(before, {" not ", " no ", " never ", " isnt ", " wasnt ", " not very ",
                                  " not a ", " dont ", " not so ", " didnt ", " cant "});
  const bool strong =
      zh ? ends_with_any(before, {"太", "非常", "特别", "真", "简直", "实在", "极其", "超级"})
         : ends_with_any(before, {" very ", " really ", " so ", " absolutely ", " extremely ",
                                  " totally ", " completely ", " too "});
  if (negated) return weight > 0 ? -0.6 * weight - 0.1 : -0.5 * weight;  // "not bad" is mild praise
  return strong ? std::clamp(weight * 1.4, -1.0, 1.0) : weight;
}

void take(std::string& text, const Word& word, bool zh, Reading& out) {
  const std::string wanted = zh ? std::string(word.text) : " " + std::string(word.text) + " ";
  for (std::size_t at = text.find(wanted); at != std::string::npos; at = text.find(wanted, at)) {
    const std::string_view before = std::string_view(text).substr(0, zh ? at : at + 1);
    const double weight = weight_at(before, word.weight, zh);
    out.sum += weight;
    out.worst = std::min(out.worst, weight);
    out.best = std::max(out.best, weight);
    if (out.words.size() < 8 && std::ranges::find(out.words, word.text) == out.words.end())
      out.words.emplace_back(word.text);
    // blanked, not removed: its parts must not be read again, and places stay
    std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(at + (zh ? 0 : 1)), word.text.size(),
                '_');
  }
}

}  // namespace

const char* name_of(Sentiment sentiment) {
  switch (sentiment) {
    case Sentiment::kNegative:
      return "negative";
    case Sentiment::kPositive:
      return "positive";
    case Sentiment::kNeutral:
      break;
  }
  return "neutral";
}

SentimentReading read_sentiment(std::string_view text, text::Language language) {
  const bool zh = language == text::Language::kZh;
  std::string plain = plain_text(text);
  if (zh)
    std::erase(plain, ' ');
  else
    plain = " " + plain + " ";
  Reading reading;
  if (zh)
    for (const Word& word : kZh) take(plain, word, true, reading);
  else
    for (const Word& word : kEn) take(plain, word, false, reading);
  // The strongest word leads; the others push it further or pull it back.
  const double lead = -reading.worst >= reading.best ? reading.worst : reading.best;
  SentimentReading out;
  out.score = std::clamp(lead + 0.25 * (reading.sum - lead), -1.0, 1.0);
  out.keywords = std::move(reading.words);
  if (out.score >= 0.25) out.sentiment = Sentiment::kPositive;
  if (out.score <= -0.25) out.sentiment = Sentiment::kNegative;
  return out;
}

}  // namespace yyc3::dialogue
