#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/text/pinyin.hpp"

namespace yyc3::text {

/// Initial and final of a syllable, its tone aside: numbers that only sound_distance reads.
struct Sound {
  std::uint8_t initial = 0;
  std::uint8_t final = 0;
  bool operator==(const Sound&) const = default;
};
/// Of "zhuang1": zh and uang.
[[nodiscard]] Sound sound_of(std::string_view toned);
/// How far two syllables sound apart: 0 alike; 0.15–0.4 an initial or a final that is confused with
/// the other (zh/z, n/l, an/ang …), 0.5 one that is not; the sum of both.
[[nodiscard]] float sound_distance(Sound a, Sound b);

/// How a text sounds, without tones: what fuzzy matching compares. Build once, compare often.
/// A Chinese character is one unit with every reading it may have, a Latin letter or a digit one
/// unit; punctuation and blanks are left out; traditional characters count as simplified.
struct PinyinKey {
  struct Unit {
    char32_t character = 0;  ///< equal characters cost nothing whatever their reading
    std::uint8_t count = 0;  ///< readings; 0 for a letter or a digit
    std::uint8_t initial[4] = {0, 0, 0, 0};
    std::uint8_t final[4] = {0, 0, 0, 0};  ///< the reading in this text first, then the others
  };
  std::vector<Unit> units;  ///< at most kMaxUnits; the rest of a longer text is not looked at
  static constexpr std::size_t kMaxUnits = 256;
};

/// A candidate found in a text.
struct Match {
  std::size_t index;  ///< into the candidates
  double score;       ///< 0…1; 1: the very characters
};

/// Fuzzy comparison of Chinese as it is heard: a recogniser writes the right sounds with the wrong
/// characters (海款 for 还款). Threads: immutable, any thread.
/// Cost: text × candidate units table cells; 20 × 200 candidates of 4 well under 1 ms.
class SoundMatcher {
 public:
  explicit SoundMatcher(TablesPtr tables) : pinyin_(std::move(tables)) {}

  [[nodiscard]] PinyinKey key(std::string_view text) const;
  /// "gong ke fu": toneless syllables separated by blanks; letters and digits as they are.
  [[nodiscard]] std::string pinyin_key(std::string_view text) const;

  /// Edit distance over whole texts in units: 0 equal characters, 0.05 equal sound, 0.2–0.4 sounds
  /// that are confused (zh/z, sh/s, ch/c, n/l, f/h, r/l, in/ing, en/eng, an/ang …), up to 1 others.
  [[nodiscard]] static double distance(const PinyinKey& a, const PinyinKey& b);
  [[nodiscard]] double pinyin_distance(std::string_view a, std::string_view b) const;

  /// How well `phrase` is heard somewhere inside `text` (the rest of the text costs nothing):
  /// 1 − distance / units of the phrase; 0 when the phrase is empty.
  [[nodiscard]] static double score_within(const PinyinKey& text, const PinyinKey& phrase);

  /// The candidate best heard within `text`, if its score reaches `threshold`; on equal scores the
  /// longer candidate, then the first. `threshold` 0.7 accepts one wrong sound in three or four.
  [[nodiscard]] static std::optional<Match> best_match(const PinyinKey& text,
                                                       std::span<const PinyinKey> candidates,
                                                       double threshold = kThreshold);
  [[nodiscard]] std::optional<Match> best_match(std::string_view text,
                                                std::span<const std::string> candidates,
                                                double threshold = kThreshold) const;
  static constexpr double kThreshold = 0.7;

 private:
  Pinyin pinyin_;
};

}  // namespace yyc3::text
