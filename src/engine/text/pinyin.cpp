#include "engine/text/pinyin.hpp"

#include <algorithm>
#include <cstring>

#include "engine/text/utf8.hpp"

namespace yyc3::text {
namespace {

bool among(char32_t c, std::u32string_view set) { return set.find(c) != std::u32string_view::npos; }

constexpr std::u32string_view kNumerals = U"零〇一二三四五六七八九十百千万亿两幺点";

int tone_of(const Tables& tables, const Syllable& s) {
  const std::string_view toned = tables.syllable(s.id);
  return toned.empty() ? 5 : toned.back() - '0';
}

/// 一 keeps its first tone as a figure: counting, ordinals, dates, the end of a word.
bool is_plain_one(std::u32string_view text, const std::vector<Syllable>& in, std::size_t i) {
  const std::size_t at = in[i].at;
  if (at > 0 && (among(text[at - 1], kNumerals) || among(text[at - 1], U"第初周期拜"))) return true;
  const bool last_of_word = i + 1 >= in.size() || in[i + 1].word != in[i].word;
  const bool first_of_word = i == 0 || in[i - 1].word != in[i].word;
  if (last_of_word && !first_of_word) return true;
  if (at + 1 >= text.size() || !is_han(text[at + 1])) return true;
  return among(text[at + 1], U"零〇一二三四五六七八九月号日") && text[at + 1] != U'百';
}

void change_bu_and_yi(const Tables& tables, std::u32string_view text, std::vector<Syllable>& in) {
  for (std::size_t i = 0; i + 1 < in.size(); ++i) {
    const char32_t c = text[in[i].at];
    if (in[i + 1].at != in[i].at + 1) continue;
    const int next = tone_of(tables, in[i + 1]);
    if (c == U'不' && next == 4) in[i].id = tables.with_tone(in[i].id, 2);
    if (c != U'一') continue;
    if (is_plain_one(text, in, i)) {  // phrase tables print some changed tones: 一点 as yì diǎn
      in[i].id = tables.with_tone(in[i].id, 1);
      continue;
    }
    const bool between_twins = i > 0 && text[in[i - 1].at] == text[in[i + 1].at];  // 看一看
    const bool measure = text[in[i + 1].at] == U'个';
    const int tone = between_twins ? 5 : (next == 4 || measure) ? 2 : next == 5 ? 1 : 4;
    in[i].id = tables.with_tone(in[i].id, tone);
  }
}

void change_third_tones(const Tables& tables, std::vector<Syllable>& in) {
  const auto third = [&](std::size_t i) { return tone_of(tables, in[i]) == 3; };
  const auto adjacent = [&](std::size_t i) { return in[i + 1].at == in[i].at + 1; };
  std::vector<bool> rise(in.size(), false);
  for (std::size_t i = 0; i + 1 < in.size(); ++i) {
    const bool same = in[i].word == in[i + 1].word;
    if (same && adjacent(i) && third(i) && third(i + 1)) rise[i] = true;
  }
  const auto alone = [&](std::size_t i) {
    const bool begins = i == 0 || in[i - 1].word != in[i].word;
    const bool ends = i + 1 >= in.size() || in[i + 1].word != in[i].word;
    return begins && ends;
  };
  for (std::size_t i = 0; i + 1 < in.size(); ++i) {
    if (in[i].word == in[i + 1].word || !adjacent(i) || !third(i) || !third(i + 1)) continue;
    if (rise[i + 1] && !alone(i)) continue;  // the next word already begins with a rising tone
    if (alone(i) || alone(i + 1)) rise[i] = true;
  }
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (rise[i]) in[i].id = tables.with_tone(in[i].id, 2);
  }
}

/// Characters standing alone as a word, whose neighbours decide: 还, 得, 地. A reading the rules do
/// not give leaves the dictionary's.
std::string_view reading_alone(std::u32string_view text, Span before, std::size_t at) {
  const char32_t next = at + 1 < text.size() ? text[at + 1] : 0;
  const bool ends = next == 0 || !is_han(next);
  const char32_t last = at > 0 ? text[at - 1] : 0;
  switch (text[at]) {
    case U'还':  // to give back, not "still": 还了, 没还。
      return next == U'了' || (ends && at > 0 && is_han(last)) || among(next, U"款钱债贷清")
                 ? "huan2"
                 : "";
    case U'得':  // 我得走 must; 跑得快 how
      if (ends) return "";
      return at == 0 || !is_han(last) || among(last, U"我你您他她它们也还都就只总可又定") ? "dei3"
                                                                                          : "de5";
    case U'地':  // 慢慢地说 how
      return before.end == at && before.end - before.begin >= 2 && !ends && is_han(last) ? "de5"
                                                                                         : "";
    default:
      return {};
  }
}

}  // namespace

void apply_tone_sandhi(const Tables& tables, std::u32string_view text, std::vector<Syllable>& in) {
  change_bu_and_yi(tables, text, in);
  change_third_tones(tables, in);
}

void Pinyin::read_word(std::u32string_view text, Span word, std::size_t number,
                       std::vector<Syllable>& out) const {
  const Table& phrases = tables_->phrases();
  for (std::size_t at = word.begin; at < word.end;) {
    // the longest phrase from here on; a word of the dictionary is one itself or reads plainly
    std::size_t taken = 0;
    std::string_view reading;
    Table::Range range = phrases.all();
    std::size_t depth = 0;
    for (std::size_t j = at; j < word.end && range.begin < range.end; ++j) {
      std::string step;
      append_utf8(step, text[j]);
      range = phrases.narrow(range, depth, step);
      depth += step.size();
      if (range.begin == range.end || phrases.key(range.begin).size() != depth) continue;
      taken = j + 1 - at;
      reading = phrases.value(range.begin);
    }
    if (taken > 0 && reading.size() == 2 * taken) {
      for (std::size_t k = 0; k < taken; ++k) {
        SyllableId id = 0;
        std::memcpy(&id, reading.data() + 2 * k, sizeof id);
        out.push_back({at + k, id, number});
      }
      at += taken;
      continue;
    }
    if (const auto id = tables_->first_reading(text[at])) out.push_back({at, *id, number});
    ++at;
  }
}

std::vector<Syllable> Pinyin::read(std::u32string_view text, Tones tones) const {
  std::vector<Syllable> out;
  std::size_t number = 0;
  Span before;
  for (const Span word : segmenter_.cut(text)) {
    if (is_han(text[word.begin])) read_word(text, word, number, out);
    const bool alone = word.end - word.begin == 1 && !out.empty() && out.back().at == word.begin;
    const std::string_view better = alone ? reading_alone(text, before, word.begin) : "";
    if (!better.empty()) out.back().id = tables_->find_syllable(better).value_or(out.back().id);
    before = word;
    ++number;
  }
  if (tones == Tones::kSpoken) apply_tone_sandhi(*tables_, text, out);
  return out;
}

std::string Pinyin::spell(std::string_view text, Tones tones) const {
  const std::u32string chars = decode_utf8(text);
  const std::vector<Syllable> syllables = read(chars, tones);
  std::string out;
  std::size_t next = 0;
  bool glue = true;  // the next character goes on with a run of other text
  for (std::size_t i = 0; i < chars.size(); ++i) {
    const bool read_here = next < syllables.size() && syllables[next].at == i;
    if (is_blank(chars[i])) {
      glue = false;
      continue;
    }
    if (!out.empty() && (read_here || !glue)) out += ' ';
    if (read_here) {
      out += tables_->syllable(syllables[next++].id);
    } else {
      append_utf8(out, chars[i]);
    }
    glue = !read_here;
  }
  return out;
}

}  // namespace yyc3::text
