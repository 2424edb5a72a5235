#include <algorithm>
#include <array>

#include "engine/text/utf8.hpp"
#include "product/dialogue/understanding.hpp"

namespace yyc3::dialogue {
namespace {

constexpr std::size_t kTextMax = 400;  // characters looked at

// A short phrase must be heard more exactly: there is less of it to be mistaken for.
double needed(std::size_t size, double threshold) {
  constexpr std::array<double, 4> kByCharacters{1.0, 1.0, 0.92, 0.88};
  return size < kByCharacters.size() ? std::max(threshold, kByCharacters[size]) : threshold;
}

bool negated_zh(std::string_view before) {
  for (const std::string_view no : {"不", "没", "别", "甭", "无需", "不用", "不想", "不要"})
    if (before.ends_with(no)) return true;
  return false;
}

bool negated_en(std::string_view before) {
  for (const std::string_view no : {" not ", " dont ", " no ", " never ", " without ", " not to ",
                                    " dont want to ", " not want to "})
    if (before.ends_with(no)) return true;
  return false;
}

enum class Plain { kAbsent, kNegated, kThere };

/// Where blanks stood in a text before they were taken out, in bytes: a "不" before one negates
/// nothing behind it ("不，我就是").
std::vector<std::size_t> pauses_in(std::string_view plain) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < plain.size(); ++i)
    if (plain[i] == ' ') out.push_back(i - out.size());
  return out;
}

/// `text` and `phrase` are plain; English ones are padded with blanks by the caller.
Plain look(std::string_view text, std::string_view phrase, bool zh,
           const std::vector<std::size_t>& pauses) {
  Plain seen = Plain::kAbsent;
  for (std::size_t at = text.find(phrase); at != std::string_view::npos;
       at = text.find(phrase, at + 1)) {
    const bool paused = std::ranges::find(pauses, at) != pauses.end();
    const std::string_view before = text.substr(0, zh ? (paused ? 0 : at) : at + 1);
    if (!(zh ? negated_zh(before) : negated_en(before))) return Plain::kThere;
    seen = Plain::kNegated;
  }
  return seen;
}

std::string compact(std::string text) {
  std::erase(text, ' ');
  return text;
}

}  // namespace

std::string plain_text(std::string_view text) {
  std::string out;
  std::size_t read = 0;
  for (char32_t c : text::decode_utf8(text)) {
    if (++read > kTextMax) break;
    c = text::lower(text::narrow(c));
    if (c == U'\'' || c == U'’') continue;  // don't → dont
    const bool word = text::is_han(c) || text::is_digit(c) || text::is_word_letter(c);
    if (word)
      text::append_utf8(out, c);
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

void PhraseBook::add(std::string_view phrase, std::size_t label, text::Language language) {
  Entry entry;
  entry.plain = plain_text(phrase);
  entry.label = label;
  entry.language = language;
  if (entry.plain.empty()) return;
  if (language == text::Language::kZh) {
    entry.plain = compact(entry.plain);
    entry.size = text::decode_utf8(entry.plain).size();
    if (matcher_) entry.key = matcher_->key(entry.plain);
  } else {
    entry.plain = " " + entry.plain + " ";
    entry.size = static_cast<std::size_t>(std::ranges::count(entry.plain, ' ')) - 1;
  }
  entries_.push_back(std::move(entry));
}

std::vector<PhraseBook::Found> PhraseBook::find_all(std::string_view text, text::Language language,
                                                    double threshold) const {
  std::vector<Found> found;
  const bool zh = language == text::Language::kZh;
  const std::string plain = plain_text(text);
  if (plain.empty()) return found;
  const std::string looked = zh ? compact(plain) : " " + plain + " ";
  const std::vector<std::size_t> pauses = zh ? pauses_in(plain) : std::vector<std::size_t>();
  text::PinyinKey key;
  if (zh && matcher_) key = matcher_->key(looked);
  const auto better = [](const Found& a, const Found& b) {
    return a.score != b.score ? a.score > b.score : a.size > b.size;
  };
  for (const Entry& entry : entries_) {
    if (entry.language != language) continue;
    const Plain seen = look(looked, entry.plain, zh, pauses);
    double score = seen == Plain::kThere ? 1.0 : 0.0;
    if (seen == Plain::kAbsent && zh && matcher_) {
      score = text::SoundMatcher::score_within(key, entry.key);
      if (score < needed(entry.size, threshold)) score = 0;
      score = std::min(score, 0.99);
    }
    if (score < threshold || score <= 0) continue;
    const Found hit{entry.label, score, entry.size};
    const auto same = std::ranges::find(found, entry.label, &Found::label);
    if (same == found.end())
      found.push_back(hit);
    else if (better(hit, *same))
      *same = hit;
  }
  std::ranges::stable_sort(found, better);
  return found;
}

std::optional<PhraseBook::Found> PhraseBook::find(std::string_view text, text::Language language,
                                                  double threshold) const {
  const std::vector<Found> all = find_all(text, language, threshold);
  if (all.empty()) return std::nullopt;
  return all.front();
}

}  // namespace yyc3::dialogue
