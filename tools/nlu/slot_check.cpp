// Compares what was heard with what was said, as the product understands it: characters and slot
// words. slot_check TEXT_TABLES < lines "said<TAB>heard"; in `said` [words of the request] {day and
// time} <number> are slots. Prints for each line: characters said, characters wrong, slots, slots
// wrong, the wrong ones joined by "|".
#include <algorithm>
#include <fmt/format.h>
#include <iostream>
#include <numeric>

#include "engine/text/normalizer.hpp"
#include "engine/text/numbers.hpp"
#include "engine/text/utf8.hpp"
#include "product/dialogue/understanding.hpp"

using namespace yyc3;

namespace {

constexpr text::LocalDateTime kNow{{2026, 11, 24}, {10, 0}};
constexpr auto kZh = text::Language::kZh;

struct Slot {
  char kind = '[';
  std::string words;
};

struct Said {
  std::string text;
  std::vector<Slot> slots;
};

Said read_marked(std::string_view marked) {
  Said said;
  bool open = false;
  for (const char c : marked) {
    if (c == '[' || c == '{' || c == '<') {
      said.slots.push_back({c, {}});
      open = true;
    } else if (c == ']' || c == '}' || c == '>') {
      open = false;
    } else {
      said.text += c;
      if (open) said.slots.back().words += c;
    }
  }
  return said;
}

/// Han and letters alone; 两 and 二, 幺 and 一 are one word said in two ways.
std::u32string letters_of(std::u32string_view spoken) {
  std::u32string out;
  for (char32_t c : spoken) {
    if (c == U'两') c = U'二';
    if (c == U'幺') c = U'一';
    if (text::is_han(c) || text::is_word_letter(c) || text::is_digit(c)) out += text::lower(c);
  }
  return out;
}

/// Every figure read digit by digit: 4709 is 四七零九 as often as 四千七百零九.
std::u32string by_digits(std::string_view heard) {
  std::u32string out;
  for (const char32_t c : text::decode_utf8(heard))
    out += text::is_digit(c) ? text::zh_digits(std::u32string(1, c), false) : std::u32string(1, c);
  return out;
}

std::size_t edits(std::u32string_view a, std::u32string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t other = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({other, row[j + 1] + 1, row[j] + 1});
    }
  }
  return row.back();
}

class Judge {
 public:
  explicit Judge(text::TablesPtr tables)
      : matcher_(tables), understanding_(dialogue::Understanding::Parts{tables, nullptr}) {}

  [[nodiscard]] bool right(const Slot& slot, const Said& said, const std::string& heard) const {
    if (slot.kind == '<') return number(slot.words, heard);
    if (slot.kind == '{' && !text::parse_when(slot.words, kNow, kZh).empty())
      return sounds_in(slot.words, heard) ||
             same_time(understanding_.read(said.text, kZh, kNow).when,
                       understanding_.read(heard, kZh, kNow).when);
    dialogue::PhraseBook book = understanding_.new_book();
    book.add(slot.words, 0, kZh);
    return book.find(heard, kZh).has_value();
  }

 private:
  static bool same_time(const text::WhenReading& a, const text::WhenReading& b) {
    return a.date == b.date && a.time == b.time && (a.time || a.part == b.part);
  }
  /// The same sounds in a row, or the same digits.
  [[nodiscard]] bool number(const std::string& words, const std::string& heard) const {
    const std::string digits = text::parse_digits(words);
    if (digits.size() > 1 && text::parse_digits(heard).find(digits) != std::string::npos)
      return true;
    return sounds_in(words, heard);
  }
  /// Every syllable in a row, whatever the characters; figures read as a number or digit by digit.
  [[nodiscard]] bool sounds_in(const std::string& words, const std::string& heard) const {
    const std::string sought = sound(letters_of(text::decode_utf8(words)));
    return sound(letters_of(text::normalize(heard, kZh).text)).find(sought) != std::string::npos ||
           sound(letters_of(by_digits(heard))).find(sought) != std::string::npos;
  }
  [[nodiscard]] std::string sound(const std::u32string& letters) const {
    return " " + matcher_.pinyin_key(text::encode_utf8(letters)) + " ";
  }
  text::SoundMatcher matcher_;
  dialogue::Understanding understanding_;
};

}  // namespace

int main(int argc, char** argv) {
  const auto tables = text::Tables::load(argc > 1 ? argv[1] : "");
  if (!tables) return fmt::print(stderr, "{}\n", tables.error().detail), 1;
  const Judge judge(*tables);
  for (std::string line; std::getline(std::cin, line);) {
    const auto tab = line.find('\t');
    if (tab == std::string::npos) return fmt::print(stderr, "no tab in: {}\n", line), 2;
    const Said said = read_marked(std::string_view(line).substr(0, tab));
    const std::string heard = line.substr(tab + 1);
    const std::u32string wanted = letters_of(text::decode_utf8(said.text));
    const std::size_t wrong = std::min(edits(wanted, letters_of(text::normalize(heard, kZh).text)),
                                       edits(wanted, letters_of(by_digits(heard))));
    std::string missed;
    std::size_t count = 0;
    for (const Slot& slot : said.slots) {
      if (judge.right(slot, said, heard)) continue;
      ++count;
      missed += (missed.empty() ? "" : "|") + slot.words;
    }
    fmt::print("{}\t{}\t{}\t{}\t{}\n", wanted.size(), wrong, said.slots.size(), count, missed);
  }
}
