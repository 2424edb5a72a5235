#include "product/dialogue/own_words.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.hpp"
#include "engine/text/numbers.hpp"
#include "engine/text/utf8.hpp"
#include "product/dialogue/understanding.hpp"

namespace yyc3::dialogue {

namespace {

constexpr std::size_t kClauseMax = 60;  // characters: some ten seconds
constexpr std::size_t kFirstMin = 4;    // a shorter one leaves no time for the next
constexpr std::size_t kFirstMaxWords = 8;
/// The Chinese voice takes about as long to make a clause as it lasts: one that is much longer
/// than what was heard before it leaves a hole.
constexpr std::size_t kFirstMaxZh = 8;  // without a mark; later half as much again as went before
constexpr std::size_t kWordsMinZh = 5;  // … and no less, to end with a word
constexpr std::size_t kLaterMinZh = 6;
constexpr std::size_t kLaterMinEn = 12;
constexpr std::size_t kEchoMin = 6;
constexpr std::size_t kShortMost = 2;  // times that anything shorter is said

constexpr std::u32string_view kSentenceMarks = U"。！？；!?;\n";
constexpr std::u32string_view kClauseMarks = U"，、：,:";

bool is_any(char32_t c, std::u32string_view of) { return of.find(c) != std::u32string_view::npos; }

/// Whether a full stop stands there: not that of 3.5.
bool is_point(std::u32string_view text, std::size_t at) {
  return text[at] == U'.' && (at + 1 == text.size() || text[at + 1] == U' ');
}

/// Whether a clause ends there.
bool is_mark(std::u32string_view text, std::size_t at) {
  return is_any(text[at], kSentenceMarks) || is_any(text[at], kClauseMarks) || is_point(text, at);
}

constexpr std::array<std::string_view, 15> kPriceWords{
    "免费", "优惠", "打折",     "折扣",   "赠送",  "返现",      "退款",     "赔偿",
    "便宜", "free", "discount", "refund", "cheap", "compensat", "no charge"};
constexpr std::array<std::string_view, 24> kPromiseWords{"保证",
                                                         "承诺",
                                                         "一定能",
                                                         "一定会",
                                                         "一定可以",
                                                         "肯定能",
                                                         "肯定会",
                                                         "百分之百",
                                                         "百分百",
                                                         "绝对",
                                                         "治好",
                                                         "无痛",
                                                         "不疼",
                                                         "不会痛",
                                                         "没有风险",
                                                         "最好的",
                                                         "guarantee",
                                                         "promise",
                                                         "definitely will",
                                                         "100%",
                                                         "painless",
                                                         "risk-free",
                                                         "the best",
                                                         "cure"};
constexpr std::array<std::string_view, 22> kDeedWords{
    "已经帮您", "已经为您",        "已经给您",     "已为您",    "已帮您", "已经取消",
    "已经改",   "已经登记",        "我帮您",       "我为您",    "我给您", "帮您转",
    "为您转",   "为您安排",        "给您安排",     "i have ",   "i've ",  "i will ",
    "i'll ",    "let me transfer", "we will call", "we'll call"};
constexpr std::array<std::string_view, 12> kIdentityWords{
    "我是真人",  "我是人工",   "不是机器人",  "不是ai",      "我是人类",  "我不是智能",
    "i'm human", "i am human", "real person", "not a robot", "not an ai", "a human being"};
constexpr std::array<std::string_view, 9> kContactWords{"http", "www",    "@",    "网址",  "链接",
                                                        ".com", "加微信", "扫码", "二维码"};

template <class List>
bool unfounded(std::string_view text, const List& words, std::string_view facts) {
  return std::ranges::any_of(words, [&](std::string_view word) {
    return text.find(word) != std::string_view::npos && facts.find(word) == std::string_view::npos;
  });
}

std::string lower(std::string_view text) {
  std::string out;
  for (const char32_t c : text::decode_utf8(text))
    text::append_utf8(out, text::lower(text::narrow(c)));
  return out;
}

bool is_zh_number(char32_t c) {
  return text::is_digit(c) || is_any(c, U"〇零一二两三四五六七八九十百千万亿幺");
}

/// Runs of digits and Chinese numerals as plain numbers. 一 alone is mostly no number (一下, 一些).
void add_numbers(std::string_view text, std::vector<std::string>& out) {
  std::u32string run;
  const auto close = [&] {
    if (run.empty() || run == U"一" || run == U"两") return run.clear();
    const std::string number = text::encode_utf8(run);
    const auto value = text::parse_number(number);
    out.push_back(value ? std::to_string(*value) : text::parse_digits(number));
    run.clear();
  };
  for (const char32_t wide : text::decode_utf8(text)) {
    const char32_t c = text::narrow(wide);
    if (is_zh_number(c))
      run += c;
    else
      close();
  }
  close();
  const auto words = text::words_of(text);
  for (std::size_t at = 0; at < words.size();) {
    const bool single = words[at] == U"one" || words[at] == U"a";
    const auto value = text::take_number(words, at);
    if (!value)
      ++at;
    else if (!single || *value != 1)
      out.push_back(std::to_string(*value));
  }
}

bool speaks(std::string_view clause, text::Language language) {
  std::size_t han = 0;
  std::size_t latin = 0;
  for (const char32_t c : text::decode_utf8(clause)) {
    han += text::is_han(c) ? 1 : 0;
    latin += text::is_latin(c) ? 1 : 0;
  }
  return language == text::Language::kZh ? latin <= 2 * han : han == 0;
}

}  // namespace

/// Where a clause is cut that has no mark in its first `most` characters, and more.
std::size_t ClauseStream::end_of_word(std::u32string_view text, std::size_t most) const {
  const std::u32string_view seen = text.substr(0, most + 1);
  std::vector<bool> ends(seen.size() + 1, words_ == nullptr);
  if (words_ != nullptr)
    for (const text::Span& word : words_->cut(seen)) ends[word.end] = true;
  for (std::size_t at = most; at >= kWordsMinZh; --at)
    if (ends[at] && text::is_han(seen[at - 1]) && !is_zh_number(seen[at - 1])) return at;
  return most;
}

std::size_t ClauseStream::end_of_clause(const std::u32string& text) const {
  const std::size_t unmarked = std::clamp(given_ + given_ / 2, kFirstMaxZh, kClauseMax - 1);
  const bool zh = language_ == text::Language::kZh;
  const bool first = given_ == 0;
  const std::size_t least = first ? kFirstMin : open_ ? 1 : zh ? kLaterMinZh : kLaterMinEn;
  std::size_t words = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    const std::size_t size = i + 1;
    words += c == U' ' ? 1 : 0;
    if (is_any(c, kSentenceMarks) || (size < text.size() && is_point(text, i))) return size;
    const bool alone = first && !zh && words == 0;  // "Yes," says the wrong thing if no more comes
    if (is_any(c, kClauseMarks) && size >= least && !alone) return size;
    if (zh && size > unmarked && text::is_han(c)) return end_of_word(text, unmarked);
    if (first && !zh && words >= kFirstMaxWords && c == U' ') return size;
    if (size >= kClauseMax) return size;
  }
  return 0;
}

std::vector<std::string> ClauseStream::feed(std::string_view piece) {
  bytes_ += piece;
  const std::size_t whole = whole_utf8(bytes_);
  left_ += text::decode_utf8(std::string_view(bytes_).substr(0, whole));
  bytes_.erase(0, whole);
  std::vector<std::string> out;
  while (const std::size_t end = end_of_clause(left_)) {
    out.push_back(text::encode_utf8(std::u32string_view(left_).substr(0, end)));
    open_ = !is_mark(left_, end - 1);
    left_.erase(0, end);
    given_ += end;
  }
  return out;
}

std::vector<std::string> ClauseStream::finish() {
  std::vector<std::string> out;
  if (left_.find_first_not_of(U" \n") != std::u32string::npos)
    out.push_back(text::encode_utf8(left_));
  left_.clear();
  return out;
}

OwnWordsCheck::OwnWordsCheck(std::string facts, std::string heard, text::Language language)
    : facts_(lower(facts)), heard_(plain_text(heard)), language_(language) {
  add_numbers(facts, numbers_);
  add_numbers(heard, numbers_);
}

bool OwnWordsCheck::known_numbers(std::string_view clause) const {
  std::vector<std::string> found;
  add_numbers(clause, found);
  return std::ranges::all_of(found, [this](const std::string& number) {
    return std::ranges::find(numbers_, number) != numbers_.end();
  });
}

std::string_view OwnWordsCheck::objection(std::string_view clause) {
  const std::string whole = std::exchange(begun_, {}) + std::string(clause);
  const std::string text = lower(whole);
  const std::string plain = plain_text(whole);
  if (text.find_first_of("*#`<>{}[]|\\_") != std::string::npos) return "marks";
  if (!plain.empty() && !speaks(whole, language_)) return "language";
  if (!known_numbers(whole)) return "number";
  if (unfounded(text, kPriceWords, facts_)) return "price";
  if (unfounded(text, kPromiseWords, facts_)) return "promise";
  if (unfounded(text, kDeedWords, "")) return "deed";
  if (unfounded(text, kIdentityWords, "")) return "identity";
  if (unfounded(text, kContactWords, facts_)) return "contact";
  const bool longer = text::decode_utf8(plain).size() >= kEchoMin;
  if (longer && heard_.find(plain) != std::string::npos) return "echo";
  return repeats(whole) ? "repeat" : "";
}

void OwnWordsCheck::expect(std::string_view text) {
  repeats(text);
  if (const std::string rest = plain_text(std::exchange(begun_, {})); !rest.empty()) ++said_[rest];
}

/// What stands between two marks was said before; of a few characters, as often as nobody does.
/// What no mark has ended yet counts once it has one.
bool OwnWordsCheck::repeats(std::string_view text) {
  std::u32string part;
  const auto most = [](std::string_view plain) {
    return text::decode_utf8(plain).size() >= kEchoMin ? 1 : kShortMost;
  };
  const std::u32string all = text::decode_utf8(text);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!is_mark(all, i)) {
      part += all[i];
      continue;
    }
    const std::string plain = plain_text(text::encode_utf8(std::exchange(part, {})));
    if (!plain.empty() && ++said_[plain] > most(plain)) return true;
  }
  begun_ = text::encode_utf8(part);
  const std::string plain = plain_text(begun_);
  const auto before = said_.find(plain);
  return before != said_.end() && before->second >= most(plain);
}

}  // namespace yyc3::dialogue
