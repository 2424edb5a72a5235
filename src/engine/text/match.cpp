#include "engine/text/match.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/text/utf8.hpp"

namespace yyc3::text {
namespace {

constexpr std::array<std::string_view, 24> kInitials{"",  "b", "p", "m",  "f",  "d",  "t", "n",
                                                     "l", "g", "k", "h",  "j",  "q",  "x", "r",
                                                     "z", "c", "s", "zh", "ch", "sh", "y", "w"};
constexpr std::array<std::string_view, 37> kFinals{
    "",    "a",    "o",   "e",    "i",  "u",   "v",   "ai",   "ei",  "ui",  "ao",  "ou",  "iu",
    "ie",  "ve",   "er",  "an",   "en", "in",  "un",  "vn",   "ang", "eng", "ing", "ong", "ia",
    "ian", "iang", "iao", "iong", "ua", "uai", "uan", "uang", "uo",  "van", "ueng"};

struct Confusion {
  std::string_view a;
  std::string_view b;
  float cost;
};
constexpr Confusion kInitialPairs[] = {
    {"z", "zh", 0.15F}, {"c", "ch", 0.15F}, {"s", "sh", 0.15F}, {"n", "l", 0.15F},
    {"f", "h", 0.2F},   {"r", "l", 0.2F},   {"w", "h", 0.3F},   {"b", "p", 0.3F},
    {"d", "t", 0.3F},   {"g", "k", 0.3F},   {"j", "q", 0.3F},   {"z", "c", 0.3F},
    {"zh", "ch", 0.3F}, {"j", "zh", 0.3F},  {"q", "ch", 0.3F},  {"x", "sh", 0.3F},
    {"x", "s", 0.3F},   {"j", "z", 0.3F},   {"q", "c", 0.3F},   {"m", "n", 0.3F},
    {"k", "h", 0.35F},  {"r", "zh", 0.35F}, {"c", "s", 0.35F},  {"ch", "sh", 0.35F},
    {"q", "x", 0.35F},  {"j", "x", 0.35F},  {"zh", "sh", 0.4F}, {"z", "s", 0.4F},
    {"", "y", 0.3F},    {"", "w", 0.3F}};
constexpr Confusion kFinalPairs[] = {
    {"in", "ing", 0.15F},   {"en", "eng", 0.15F},   {"an", "ang", 0.15F},   {"ian", "iang", 0.15F},
    {"uan", "uang", 0.15F}, {"un", "ong", 0.25F},   {"eng", "ong", 0.2F},   {"vn", "iong", 0.25F},
    {"o", "uo", 0.1F},      {"e", "o", 0.25F},      {"e", "uo", 0.25F},     {"an", "uan", 0.25F},
    {"ang", "uang", 0.25F}, {"ai", "uai", 0.25F},   {"a", "ua", 0.25F},     {"a", "ia", 0.25F},
    {"an", "ian", 0.3F},    {"ang", "iang", 0.25F}, {"ao", "iao", 0.25F},   {"ou", "iu", 0.2F},
    {"ei", "ui", 0.2F},     {"en", "un", 0.2F},     {"ie", "ve", 0.25F},    {"i", "v", 0.25F},
    {"u", "v", 0.3F},       {"in", "vn", 0.25F},    {"ian", "van", 0.25F},  {"ao", "ou", 0.3F},
    {"ai", "ei", 0.3F},     {"ei", "i", 0.3F},      {"i", "e", 0.35F},      {"en", "in", 0.3F},
    {"eng", "ing", 0.3F},   {"en", "an", 0.3F},     {"ie", "ian", 0.35F},   {"uo", "ou", 0.3F},
    {"u", "ou", 0.3F},      {"u", "uo", 0.3F},      {"ueng", "eng", 0.15F}, {"uan", "van", 0.2F},
    {"un", "vn", 0.2F},     {"e", "er", 0.2F},      {"ing", "ian", 0.35F},  {"an", "ai", 0.35F},
    {"a", "an", 0.35F},     {"a", "ang", 0.35F}};

constexpr float kOther = 0.5F;       // unlike initial or final
constexpr float kSameSound = 0.05F;  // another character of the same sound
constexpr float kRareReading = 0.05F;
constexpr float kGap = 1.0F;
constexpr float kGapInLong = 0.8F;  // one sound lost matters less in four or more
constexpr float kGapNegation = 1.5F;
constexpr std::size_t kLong = 4;

template <std::size_t N>
using CostTable = std::array<std::array<float, N>, N>;

template <std::size_t N, std::size_t M>
CostTable<N> make_costs(const std::array<std::string_view, N>& names, const Confusion (&pairs)[M]) {
  CostTable<N> out{};
  for (std::size_t i = 0; i < N; ++i) {
    for (std::size_t j = 0; j < N; ++j) out[i][j] = i == j ? 0.0F : kOther;
  }
  for (const Confusion& pair : pairs) {
    const auto i =
        static_cast<std::size_t>(std::find(names.begin(), names.end(), pair.a) - names.begin());
    const auto j =
        static_cast<std::size_t>(std::find(names.begin(), names.end(), pair.b) - names.begin());
    out.at(i).at(j) = out.at(j).at(i) = pair.cost;
  }
  return out;
}

const CostTable<24>& initial_costs() {
  static const CostTable<24> table = make_costs(kInitials, kInitialPairs);
  return table;
}
const CostTable<37>& final_costs() {
  static const CostTable<37> table = make_costs(kFinals, kFinalPairs);
  return table;
}

bool is_vowel(char32_t c) {
  return std::u32string_view(U"aeiouy").find(c) != std::u32string_view::npos;
}

float unit_cost(const PinyinKey::Unit& a, const PinyinKey::Unit& b) {
  if (a.character == b.character) return 0;
  if (a.count == 0 || b.count == 0) {
    return a.count == b.count && is_vowel(a.character) && is_vowel(b.character) ? 0.5F : 1.0F;
  }
  const auto& initials = initial_costs();
  const auto& finals = final_costs();
  float best = 1.0F;
  for (std::size_t i = 0; i < a.count; ++i) {
    for (std::size_t j = 0; j < b.count; ++j) {
      const float rare = (i > 0 ? kRareReading : 0.0F) + (j > 0 ? kRareReading : 0.0F);
      const float cost = initials[a.initial[i]][b.initial[j]] + finals[a.final[i]][b.final[j]];
      best = std::min(best, cost + rare + kSameSound);
    }
  }
  return best;
}

float gap_cost(const PinyinKey::Unit& unit, float plain) {
  const bool negation = unit.character == U'不' || unit.character == U'没' ||
                        unit.character == U'别' || unit.character == U'无';
  return negation ? kGapNegation : plain;
}

/// One table for both comparisons: with `inside`, the ends of `text` are free.
float align(const PinyinKey& text, const PinyinKey& phrase, bool inside) {
  const auto& t = text.units;
  const auto& p = phrase.units;
  const float plain = inside && p.size() >= kLong ? kGapInLong : kGap;
  std::array<float, PinyinKey::kMaxUnits + 1> row{};
  for (std::size_t j = 1; j <= t.size(); ++j) {
    row[j] = inside ? 0.0F : row[j - 1] + gap_cost(t[j - 1], plain);
  }
  for (const auto& unit : p) {
    const float lost = gap_cost(unit, plain);
    float diagonal = row[0];
    row[0] += lost;
    for (std::size_t j = 1; j <= t.size(); ++j) {
      const float matched = diagonal + unit_cost(t[j - 1], unit);
      diagonal = row[j];
      row[j] = std::min({matched, row[j] + lost, row[j - 1] + gap_cost(t[j - 1], plain)});
    }
  }
  if (!inside) return row[t.size()];
  return *std::min_element(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(t.size()) + 1);
}

}  // namespace

Sound sound_of(std::string_view toned) {
  std::string_view rest = toned.substr(0, toned.empty() ? 0 : toned.size() - 1);
  std::uint8_t initial = 0;
  for (std::size_t k = 1; k < kInitials.size(); ++k) {
    const bool longer = kInitials[k].size() > kInitials[initial].size();
    if (longer && rest.substr(0, kInitials[k].size()) == kInitials[k]) {
      initial = static_cast<std::uint8_t>(k);
    }
  }
  const std::string_view name = kInitials[initial];
  std::string tail(rest.substr(name.size()));
  const bool umlaut = name == "j" || name == "q" || name == "x" || name == "y";
  // the u after j, q, x, y is a ü
  if (umlaut && !tail.empty() && tail[0] == 'u' && tail != "uo") tail[0] = 'v';
  if (tail == "ue") tail = "ve";
  const auto found = std::find(kFinals.begin(), kFinals.end(), tail);
  const auto index = found == kFinals.end() ? 0 : found - kFinals.begin();
  return {initial, static_cast<std::uint8_t>(index)};
}

float sound_distance(Sound a, Sound b) {
  return initial_costs()[a.initial][b.initial] + final_costs()[a.final][b.final];
}

PinyinKey SoundMatcher::key(std::string_view text) const {
  std::u32string chars = decode_utf8(text);
  const Tables& tables = pinyin_.tables();
  for (char32_t& c : chars) c = lower(narrow(tables.simplified(c)));
  if (chars.size() > 4 * PinyinKey::kMaxUnits) chars.resize(4 * PinyinKey::kMaxUnits);
  const std::vector<Syllable> syllables = pinyin_.read(chars);
  PinyinKey out;
  const auto push = [&out](const PinyinKey::Unit& unit) {
    if (out.units.size() < PinyinKey::kMaxUnits) out.units.push_back(unit);
  };
  // Latin words carry a blank on either side, so that "no" is not found inside "know"
  const PinyinKey::Unit blank{U' ', 0, {}, {}};
  std::size_t next = 0;
  bool in_word = false;
  for (std::size_t i = 0; i < chars.size(); ++i) {
    const bool letter = is_word_letter(chars[i]);
    if (letter != in_word) push(blank);
    in_word = letter;
    PinyinKey::Unit unit;
    unit.character = chars[i];
    if (next < syllables.size() && syllables[next].at == i) {
      const auto add = [&](SyllableId id) {
        const Sound sound = sound_of(tables.syllable(id));
        for (std::size_t k = 0; k < unit.count; ++k) {
          if (unit.initial[k] == sound.initial && unit.final[k] == sound.final) return;
        }
        if (unit.count == 4) return;
        unit.initial[unit.count] = sound.initial;
        unit.final[unit.count++] = sound.final;
      };
      add(syllables[next++].id);
      for (const SyllableId id : tables.readings(chars[i])) add(id);
      push(unit);
    } else if (letter || is_digit(chars[i])) {
      push(unit);
    }
  }
  if (in_word) push(blank);
  return out;
}

std::string SoundMatcher::pinyin_key(std::string_view text) const {
  std::u32string chars = decode_utf8(text);
  for (char32_t& c : chars) c = lower(narrow(pinyin_.tables().simplified(c)));
  const std::vector<Syllable> syllables = pinyin_.read(chars);
  std::string out;
  std::size_t next = 0;
  bool glue = false;
  for (std::size_t i = 0; i < chars.size(); ++i) {
    const bool read = next < syllables.size() && syllables[next].at == i;
    const bool plain = !read && (is_word_letter(chars[i]) || is_digit(chars[i]));
    if ((read || (plain && !glue)) && !out.empty()) out += ' ';
    if (read) {
      const std::string_view toned = pinyin_.tables().syllable(syllables[next++].id);
      out += toned.substr(0, toned.size() - 1);
    } else if (plain) {
      append_utf8(out, chars[i]);
    }
    glue = plain;
  }
  return out;
}

double SoundMatcher::distance(const PinyinKey& a, const PinyinKey& b) {
  return static_cast<double>(align(a, b, false));
}

double SoundMatcher::pinyin_distance(std::string_view a, std::string_view b) const {
  return distance(key(a), key(b));
}

double SoundMatcher::score_within(const PinyinKey& text, const PinyinKey& phrase) {
  if (phrase.units.empty() || text.units.empty()) return 0;
  const double cost = static_cast<double>(align(text, phrase, true));
  return std::max(0.0, 1.0 - cost / static_cast<double>(phrase.units.size()));
}

std::optional<Match> SoundMatcher::best_match(const PinyinKey& text,
                                              std::span<const PinyinKey> candidates,
                                              double threshold) {
  std::optional<Match> best;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const double score = score_within(text, candidates[i]);
    if (score < threshold || score <= 0) continue;
    const bool better = !best || score > best->score + 1e-6 ||
                        (score > best->score - 1e-6 &&
                         candidates[i].units.size() > candidates[best->index].units.size());
    if (better) best = Match{i, score};
  }
  return best;
}

std::optional<Match> SoundMatcher::best_match(std::string_view text,
                                              std::span<const std::string> candidates,
                                              double threshold) const {
  std::vector<PinyinKey> keys;
  keys.reserve(candidates.size());
  for (const std::string& candidate : candidates) keys.push_back(key(candidate));
  return best_match(key(text), keys, threshold);
}

}  // namespace yyc3::text
