#include <array>
#include <vector>

#include "engine/text/understand.hpp"
#include "engine/text/utf8.hpp"

namespace yyc3::text {
namespace {

enum class Sense { kYes, kNo, kOpen, kNothing };
struct Phrase {
  std::u32string_view words;
  Sense sense;
};

/// Longest first at each place, so that 不好意思 is not read as 不好. kOpen makes the answer
/// unclear, kNothing only hides the shorter phrases inside it.
constexpr Phrase kZh[] = {
    // questions and double negatives
    {U"可不可以", Sense::kOpen},
    {U"不是不", Sense::kOpen},
    {U"不一定", Sense::kOpen},
    {U"不确定", Sense::kOpen},
    {U"不肯定", Sense::kOpen},
    {U"不知道", Sense::kOpen},
    {U"不清楚", Sense::kOpen},
    {U"再说吧", Sense::kOpen},
    {U"再说", Sense::kOpen},
    {U"看情况", Sense::kOpen},
    {U"考虑", Sense::kOpen},
    {U"可以吗", Sense::kOpen},
    {U"是吗", Sense::kOpen},
    {U"行吗", Sense::kOpen},
    {U"对吗", Sense::kOpen},
    {U"好吗", Sense::kOpen},
    {U"不行吗", Sense::kOpen},
    {U"不可以吗", Sense::kOpen},
    {U"不是吗", Sense::kOpen},
    {U"没听清", Sense::kOpen},
    {U"不明白", Sense::kOpen},
    {U"不太明白", Sense::kOpen},
    {U"听不清", Sense::kOpen},
    {U"听不见", Sense::kOpen},
    {U"听不到", Sense::kOpen},
    {U"没听懂", Sense::kOpen},
    {U"没明白", Sense::kOpen},
    {U"没听见", Sense::kOpen},
    // no answer in them
    {U"不好意思", Sense::kNothing},
    {U"对不起", Sense::kNothing},
    {U"对了", Sense::kNothing},
    {U"你好", Sense::kNothing},
    {U"您好", Sense::kNothing},
    {U"还是", Sense::kNothing},
    {U"但是", Sense::kNothing},
    {U"可是", Sense::kNothing},
    {U"不过", Sense::kNothing},
    {U"就是", Sense::kNothing},
    {U"要是", Sense::kNothing},
    {U"对于", Sense::kNothing},
    {U"好像", Sense::kNothing},
    {U"只是", Sense::kNothing},
    {U"最好", Sense::kNothing},
    {U"正好", Sense::kNothing},
    {U"刚好", Sense::kNothing},
    {U"好久", Sense::kNothing},
    {U"多少", Sense::kNothing},
    {U"要么", Sense::kNothing},
    {U"需要多", Sense::kNothing},
    {U"银行", Sense::kNothing},
    {U"行动", Sense::kNothing},
    {U"不同", Sense::kNothing},
    {U"不仅", Sense::kNothing},
    {U"不但", Sense::kNothing},
    {U"要求", Sense::kNothing},
    {U"别人", Sense::kNothing},
    {U"特别", Sense::kNothing},
    {U"哪位", Sense::kNothing},
    {U"分行", Sense::kNothing},
    {U"支行", Sense::kNothing},
    {U"行业", Sense::kNothing},
    {U"对方", Sense::kNothing},
    {U"爱好", Sense::kNothing},
    {U"有点", Sense::kNothing},
    // yes although a 不 or 没 stands in it
    {U"没问题", Sense::kYes},
    {U"没有问题", Sense::kYes},
    {U"没错", Sense::kYes},
    {U"不错", Sense::kYes},
    {U"没事", Sense::kNothing},
    {U"没关系", Sense::kNothing},
    {U"没意见", Sense::kYes},
    {U"不介意", Sense::kYes},
    {U"不用改", Sense::kYes},
    // no
    {U"不需要", Sense::kNo},
    {U"不可以", Sense::kNo},
    {U"不方便", Sense::kNo},
    {U"不愿意", Sense::kNo},
    {U"不同意", Sense::kNo},
    {U"不接受", Sense::kNo},
    {U"不想要", Sense::kNo},
    {U"没兴趣", Sense::kNo},
    {U"没有兴趣", Sense::kNo},
    {U"不感兴趣", Sense::kNo},
    {U"不考虑", Sense::kNo},
    {U"没时间", Sense::kNo},
    {U"没有时间", Sense::kNo},
    {U"不合适", Sense::kNo},
    {U"打错了", Sense::kNo},
    {U"不是", Sense::kNo},
    {U"不要", Sense::kNo},
    {U"不用", Sense::kNo},
    {U"不行", Sense::kNo},
    {U"不对", Sense::kNo},
    {U"不能", Sense::kNo},
    {U"不会", Sense::kNo},
    {U"不想", Sense::kNo},
    {U"不好", Sense::kNo},
    {U"不必", Sense::kNo},
    {U"不了", Sense::kNo},
    {U"不去", Sense::kNo},
    {U"不成", Sense::kNo},
    {U"不办", Sense::kNo},
    {U"不买", Sense::kNo},
    {U"不来", Sense::kNo},
    {U"别了", Sense::kNo},
    {U"算了", Sense::kNo},
    {U"没有", Sense::kNo},
    {U"没空", Sense::kNo},
    {U"免了", Sense::kNo},
    {U"拒绝", Sense::kNo},
    {U"取消", Sense::kNo},
    {U"错了", Sense::kNo},
    {U"甭", Sense::kNo},
    {U"不", Sense::kNo},
    {U"没", Sense::kNo},
    {U"别", Sense::kNo},
    {U"否", Sense::kNo},
    // yes
    {U"当然", Sense::kYes},
    {U"肯定", Sense::kYes},
    {U"可以", Sense::kYes},
    {U"愿意", Sense::kYes},
    {U"同意", Sense::kYes},
    {U"需要", Sense::kYes},
    {U"确认", Sense::kYes},
    {U"确定", Sense::kYes},
    {U"方便", Sense::kYes},
    {U"接受", Sense::kYes},
    {U"正确", Sense::kYes},
    {U"明白", Sense::kYes},
    {U"知道了", Sense::kYes},
    {U"没毛病", Sense::kYes},
    {U"成交", Sense::kYes},
    {U"是", Sense::kYes},
    {U"对", Sense::kYes},
    {U"好", Sense::kYes},
    {U"行", Sense::kYes},
    {U"嗯", Sense::kYes},
    {U"中", Sense::kNothing},
    {U"要", Sense::kYes},
    {U"能", Sense::kYes},
    {U"会", Sense::kYes},
    {U"成", Sense::kYes},
    {U"有", Sense::kYes},
    {U"恩", Sense::kYes},
    {U"唔", Sense::kYes},
};

constexpr Phrase kEn[] = {
    {U"not sure", Sense::kOpen},
    {U"i don't know", Sense::kOpen},
    {U"maybe", Sense::kOpen},
    {U"perhaps", Sense::kOpen},
    {U"not a problem", Sense::kYes},
    {U"no problem", Sense::kYes},
    {U"why not", Sense::kYes},
    {U"no worries", Sense::kYes},
    {U"no doubt", Sense::kYes},
    {U"don't mind", Sense::kYes},
    {U"not really", Sense::kNo},
    {U"not now", Sense::kNo},
    {U"no thanks", Sense::kNo},
    {U"no thank you", Sense::kNo},
    {U"i'm good", Sense::kNo},
    {U"not interested", Sense::kNo},
    {U"that's not right", Sense::kNo},
    {U"isn't", Sense::kNo},
    {U"don't", Sense::kNo},
    {U"can't", Sense::kNo},
    {U"cannot", Sense::kNo},
    {U"won't", Sense::kNo},
    {U"never", Sense::kNo},
    {U"nope", Sense::kNo},
    {U"nah", Sense::kNo},
    {U"not", Sense::kNo},
    {U"wrong", Sense::kNo},
    {U"incorrect", Sense::kNo},
    {U"cancel", Sense::kNo},
    {U"no", Sense::kNo},
    {U"negative", Sense::kNo},
    {U"i do", Sense::kYes},
    {U"i can", Sense::kYes},
    {U"i will", Sense::kYes},
    {U"go ahead", Sense::kYes},
    {U"of course", Sense::kYes},
    {U"that's right", Sense::kYes},
    {U"that works", Sense::kYes},
    {U"works for me", Sense::kYes},
    {U"sounds good", Sense::kYes},
    {U"all right", Sense::kYes},
    {U"alright", Sense::kYes},
    {U"absolutely", Sense::kYes},
    {U"definitely", Sense::kYes},
    {U"certainly", Sense::kYes},
    {U"correct", Sense::kYes},
    {U"exactly", Sense::kYes},
    {U"perfect", Sense::kYes},
    {U"yes", Sense::kYes},
    {U"yeah", Sense::kYes},
    {U"yep", Sense::kYes},
    {U"yup", Sense::kYes},
    {U"ya", Sense::kYes},
    {U"sure", Sense::kYes},
    {U"okay", Sense::kYes},
    {U"ok", Sense::kYes},
    {U"fine", Sense::kYes},
    {U"right", Sense::kYes},
    {U"please", Sense::kYes},
    {U"great", Sense::kYes},
    {U"good", Sense::kYes},
    {U"uh huh", Sense::kYes},
};

constexpr std::size_t kMaxCharacters = 300;
constexpr std::size_t kShort = 5;  // with the blank on either side

/// Chinese characters as they are; other text lower-case, blanks single, on either side of words.
std::u32string plain(std::string_view text) {
  std::u32string out(1, U' ');
  for (const char32_t raw : decode_utf8(text)) {
    char32_t c = lower(narrow(raw));
    if (c == U'’') c = U'\'';
    if (c == U'嘅') c = U'的';
    const bool keep = is_han(c) || is_word_letter(c) || is_digit(c) || c == U'\'';
    if (!keep && out.back() == U' ') continue;
    out += keep ? c : U' ';
    if (out.size() >= kMaxCharacters) break;
  }
  out += U' ';
  return out;
}

/// "做不做", "是不是", "去没去": a question that leaves the answer open.
constexpr std::size_t kEitherWay = 3;
bool is_either_way(std::u32string_view text, std::size_t at) {
  const auto denies = [](char32_t c) { return c == U'不' || c == U'没'; };
  if (at + kEitherWay > text.size() || !is_han(text[at]) || denies(text[at])) return false;
  if (at > 0 && denies(text[at - 1])) return false;  // "不对不对"
  return text[at] == text[at + 2] && denies(text[at + 1]);
}

struct Tally {
  int yes = 0;
  int no = 0;
  bool open = false;
};

/// "那好吧", "那是我" and "我要去" answer; "那是用" and "那会用" are 那费用, the half of something
/// else.
bool ends_answer(std::u32string_view text, std::size_t at) {
  constexpr std::u32string_view kBeforeVerbs = U"要能会";
  constexpr std::u32string_view kBehind = U" 的了吧啊呀嘛呗哈哦啦我";
  const bool may_act = at > 0 && text[at - 1] != U'那';
  return (may_act && kBeforeVerbs.find(text[at]) != std::u32string_view::npos) ||
         kBehind.find(text[at + 1]) != std::u32string_view::npos;
}

void count(std::u32string_view text, Tally& tally) {
  bool clause_begins = true;  // a lone 是, 好, 要 … answers only here: "我要投诉" is no yes
  for (std::size_t at = 0; at < text.size();) {
    const Phrase* best = nullptr;
    const auto try_phrase = [&](const Phrase& p, bool latin) {
      if (text.substr(at, p.words.size()) != p.words) return;
      const std::size_t end = at + p.words.size();
      const auto letter = [](char32_t c) { return is_word_letter(c) || c == U'\''; };
      const bool inside =
          (at > 0 && letter(text[at - 1])) || (end < text.size() && letter(text[end]));
      if (latin && inside) return;
      if (best == nullptr || p.words.size() > best->words.size()) best = &p;
    };
    for (const Phrase& p : kZh) try_phrase(p, false);
    for (const Phrase& p : kEn) try_phrase(p, true);
    if ((best == nullptr || best->words.size() < kEitherWay) && is_either_way(text, at)) {
      tally.open = true;
      at += kEitherWay;
      continue;
    }
    if (best == nullptr) {
      clause_begins = text[at] == U' ';
      ++at;
      continue;
    }
    const bool weak = best->words.size() == 1 && best->sense == Sense::kYes;
    if (weak && !clause_begins && (text.size() > kShort || !ends_answer(text, at))) {
      ++at;
      continue;
    }
    clause_begins = best->sense == Sense::kYes || text[at] == U' ';
    at += best->words.size();
    tally.yes += best->sense == Sense::kYes ? 1 : 0;
    tally.no += best->sense == Sense::kNo ? 1 : 0;
    tally.open = tally.open || best->sense == Sense::kOpen;
  }
}

}  // namespace

bool asks_either_way(std::string_view text) {
  const std::u32string whole = decode_utf8(text);
  for (std::size_t at = 0; at < whole.size(); ++at)
    if (is_either_way(whole, at)) return true;
  return false;
}

YesNo parse_yes_no(std::string_view text) {
  Tally tally;
  count(plain(text.substr(0, kMaxCharacters * 4)), tally);
  if (tally.open) return YesNo::kUnclear;
  if (tally.yes == 0 && tally.no == 0) return YesNo::kUnclear;
  // "不用了，好的再见", "好的，不用了": a refusal is never overheard for a polite yes
  if (tally.no > 0) return YesNo::kNo;
  return YesNo::kYes;
}

}  // namespace yyc3::text
