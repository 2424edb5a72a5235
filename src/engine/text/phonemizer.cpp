#include "engine/text/phonemizer.hpp"

#include <algorithm>
#include <array>

#include "engine/text/utf8.hpp"

namespace yyc3::text {
namespace {

/// The mark a voice knows for a punctuation character; 0 when it makes no pause.
char mark_of(char32_t c) {
  switch (c) {
    case U'，':
    case U'、':
    case U',':
    case U'…':
    case U'—':
    case U'–':
      return ',';
    case U'。':
    case U'．':
    case U'.':
      return '.';
    case U'！':
    case U'!':
      return '!';
    case U'？':
    case U'?':
      return '?';
    case U'；':
    case U';':
      return ';';
    case U'：':
    case U':':
      return ':';
    default:
      return 0;
  }
}

/// Brackets, quotes and joiners: silent, and no loss.
bool is_silent(char32_t c) {
  constexpr std::u32string_view kSilent =
      U"\"'“”‘’()（）《》〈〉「」『』【】[]{}-_/\\·|<>~^`\uFEFF\u200B";
  return is_blank(c) || kSilent.find(c) != std::u32string_view::npos;
}

/// Kokoro writes diphthongs and affricates as one capital or ligature; espeak's IPA spells them
/// out.
std::string to_piper(std::string_view kokoro) {
  constexpr std::array<std::pair<char32_t, std::string_view>, 11> kMap{{{U'A', "eɪ"},
                                                                        {U'I', "aɪ"},
                                                                        {U'O', "oʊ"},
                                                                        {U'Q', "əʊ"},
                                                                        {U'W', "aʊ"},
                                                                        {U'Y', "ɔɪ"},
                                                                        {U'ʤ', "dʒ"},
                                                                        {U'ʧ', "tʃ"},
                                                                        {U'ᵊ', "ə"},
                                                                        {U'T', "ɾ"},
                                                                        {U'ᵻ', "ɪ"}}};
  std::string out;
  for (const char32_t c : decode_utf8(kokoro)) {
    const auto* found =
        std::find_if(kMap.begin(), kMap.end(), [c](auto& p) { return p.first == c; });
    if (found != kMap.end()) {
      out += found->second;
    } else {
      append_utf8(out, c);
    }
  }
  return out;
}

bool ends_with_any(std::string_view text, std::initializer_list<std::string_view> ends) {
  return std::any_of(ends.begin(), ends.end(),
                     [&](std::string_view e) { return text.ends_with(e); });
}

std::string add_s(const std::string& stem) {
  if (ends_with_any(stem, {"s", "z", "ʃ", "ʒ", "ʧ", "ʤ"})) return stem + "ᵻz";
  return stem + (ends_with_any(stem, {"p", "t", "k", "f", "θ"}) ? "s" : "z");
}

std::string add_ed(const std::string& stem) {
  if (ends_with_any(stem, {"t", "d"})) return stem + "ᵻd";
  return stem + (ends_with_any(stem, {"p", "k", "f", "θ", "ʃ", "s", "ʧ"}) ? "t" : "d");
}

bool starts_with_vowel(std::string_view phonemes) {
  const std::u32string chars = decode_utf8(phonemes);
  constexpr std::u32string_view kVowels = U"AIOQWYaeiouɑɐæɔəɛɜɪʊʌᵻ";
  const auto first =
      std::find_if(chars.begin(), chars.end(), [](char32_t c) { return c != U'ˈ' && c != U'ˌ'; });
  return first != chars.end() && kVowels.find(*first) != std::u32string_view::npos;
}

/// "running" → "run": what the stem may be, without its doubled consonant.
std::string undoubled(std::string stem) {
  const std::size_t n = stem.size();
  if (n >= 3 && stem[n - 1] == stem[n - 2]) stem.pop_back();
  return stem;
}

Span merged(const SpokenText& spoken, Span run) {
  Span out = spoken.origin[run.begin];
  for (std::size_t i = run.begin; i < run.end; ++i) {
    out.begin = std::min(out.begin, spoken.origin[i].begin);
    out.end = std::max(out.end, spoken.origin[i].end);
  }
  return out;
}

}  // namespace

std::string Phonemes::joined() const {
  std::string out;
  for (const PhonemeUnit& unit : units) {
    if (!unit.pause && !out.empty()) out += ' ';
    out += unit.phonemes;
  }
  return out;
}

std::string Phonemizer::known_english(const std::string& word) const {
  const Table& table = pinyin_.tables().english();
  std::string low = word;
  std::transform(low.begin(), low.end(), low.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  std::string name = low;
  if (!name.empty() && name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 32);
  for (const std::string* key :
       {&word, static_cast<const std::string*>(&low), static_cast<const std::string*>(&name)}) {
    if (const auto found = table.get(*key)) return std::string(*found);
  }
  return {};
}

std::string Phonemizer::inflected_english(const std::string& word) const {
  const std::size_t n = word.size();
  const auto cut = [&](std::size_t k) { return word.substr(0, n - k); };
  const auto first_known = [&](std::initializer_list<std::string> stems) {
    for (const std::string& stem : stems) {
      std::string found = stem.size() >= 2 ? known_english(stem) : std::string();
      if (!found.empty()) return found;
    }
    return std::string();
  };
  std::string stem;
  if (n > 2 && (word.ends_with("'s") || word.ends_with("s'"))) {
    stem = first_known({cut(2), cut(1)});
    return stem.empty() ? stem : add_s(stem);
  }
  if (n > 4 && word.ends_with("ing")) {
    stem = first_known({cut(3), cut(3) + "e", undoubled(cut(3))});
    return stem.empty() ? stem : stem + "ɪŋ";
  }
  if (n > 3 && word.ends_with("ed")) {
    stem =
        first_known({cut(1), cut(2), undoubled(cut(2)), word.ends_with("ied") ? cut(3) + "y" : ""});
    return stem.empty() ? stem : add_ed(stem);
  }
  if (n > 2 && word.ends_with("s")) {
    stem = first_known(
        {cut(1), word.ends_with("es") ? cut(2) : "", word.ends_with("ies") ? cut(3) + "y" : ""});
    return stem.empty() ? stem : add_s(stem);
  }
  if (n > 3 && word.ends_with("ly")) {
    stem = first_known({cut(2)});
    return stem.empty() ? stem : stem + "li";
  }
  return {};
}

std::string Phonemizer::english_word(std::string_view word) const {
  std::string plain(word.substr(0, 64));
  const std::size_t letters = plain.size();
  const bool capitals = letters > 1 && std::all_of(plain.begin(), plain.end(),
                                                   [](char c) { return c >= 'A' && c <= 'Z'; });
  const bool vowel = plain.find_first_of("AEIOUY") != std::string::npos;
  const bool exact = pinyin_.tables().english().find(plain).has_value();
  if (exact || !capitals || (letters > 3 && vowel)) {
    std::string found = known_english(plain);
    if (found.empty()) found = inflected_english(plain);
    if (!found.empty()) return found;
  }
  std::string out;  // letter by letter
  for (const char32_t c : decode_utf8(plain)) {
    if (!is_latin(c)) continue;
    const std::string name = known_english(std::string(1, static_cast<char>(lower(c) - 32)));
    if (name.empty()) continue;
    if (!out.empty()) out += ' ';
    out += name;
  }
  return out;
}

void Phonemizer::add_han(const SpokenText& spoken, Span run, Phonemes& out) const {
  const std::u32string_view text =
      std::u32string_view(spoken.text).substr(run.begin, run.end - run.begin);
  const std::vector<Syllable> syllables = pinyin_.read(text, Pinyin::Tones::kSpoken);
  out.unspeakable += text.size() - syllables.size();
  for (std::size_t i = 0; i < syllables.size();) {
    PhonemeUnit unit;
    const std::size_t first = i;
    for (; i < syllables.size() && syllables[i].word == syllables[first].word; ++i) {
      unit.parts.push_back(
          {decode_utf8(unit.phonemes).size(), spoken.origin[run.begin + syllables[i].at].begin});
      unit.phonemes += pinyin_.tables().kokoro(syllables[i].id);
    }
    unit.origin =
        merged(spoken, {run.begin + syllables[first].at, run.begin + syllables[i - 1].at + 1});
    if (!unit.phonemes.empty()) out.units.push_back(std::move(unit));
  }
}

void Phonemizer::add_english(const SpokenText& spoken, Span run, PhonemeSet set,
                             Phonemes& out) const {
  const std::string word =
      encode_utf8(std::u32string_view(spoken.text).substr(run.begin, run.end - run.begin));
  PhonemeUnit unit;
  unit.phonemes = english_word(word);
  unit.origin = merged(spoken, run);
  // the vowel of "the" and the article "a" depend on what follows; a lone letter in Chinese is a
  // name
  const auto next_word = [&]() -> std::string {
    std::size_t i = run.end;
    while (i < spoken.text.size() && is_blank(spoken.text[i])) ++i;
    std::size_t end = i;
    while (end < spoken.text.size() && is_word_letter(spoken.text[end])) ++end;
    return encode_utf8(std::u32string_view(spoken.text).substr(i, end - i));
  };
  if (word == "a" || word == "A" || word == "the" || word == "The") {
    const std::string next = next_word();
    const bool article = !next.empty() && next.size() > 1;
    if ((word == "a" || word == "A") && article && set != PhonemeSet::kKokoro) unit.phonemes = "ɐ";
    if ((word == "a" || word == "A") && article && next[0] >= 'a' && next[0] <= 'z')
      unit.phonemes = "ɐ";
    if ((word == "the" || word == "The") && !starts_with_vowel(english_word(next)))
      unit.phonemes = "ðə";
  }
  if (set == PhonemeSet::kPiper) unit.phonemes = to_piper(unit.phonemes);
  if (unit.phonemes.empty()) {
    out.unspeakable += run.end - run.begin;
    return;
  }
  out.units.push_back(std::move(unit));
}

Phonemes Phonemizer::phonemes(std::string_view text, Language language, PhonemeSet set) const {
  std::u32string chars = decode_utf8(text.substr(0, kMaxCharacters * 4));
  if (chars.size() > kMaxCharacters) chars.resize(kMaxCharacters);
  for (char32_t& c : chars) c = pinyin_.tables().simplified(c == U'’' ? U'\'' : c);
  const SpokenText spoken = normalize(std::u32string_view(chars), language);
  Phonemes out;
  const auto run_while = [&](std::size_t from, auto inside) {
    std::size_t end = from;
    while (end < spoken.text.size() && inside(spoken.text[end])) ++end;
    return end;
  };
  for (std::size_t at = 0; at < spoken.text.size();) {
    const char32_t c = spoken.text[at];
    std::size_t end = at + 1;
    if (is_han(c)) {
      end = run_while(at, is_han);
      if (set == PhonemeSet::kKokoro) {
        add_han(spoken, {at, end}, out);
      } else {
        out.unspeakable += end - at;
      }
    } else if (is_word_letter(c)) {
      end = run_while(at, [](char32_t x) { return is_word_letter(x) || x == U'\''; });
      add_english(spoken, {at, end}, set, out);
    } else if (const char mark = mark_of(c)) {
      if (!out.units.empty() && !out.units.back().pause) {
        out.units.push_back({std::string(1, mark), spoken.origin[at], true});
      }
    } else if (!is_silent(c)) {
      ++out.unspeakable;
    }
    at = end;
  }
  return out;
}

}  // namespace yyc3::text
