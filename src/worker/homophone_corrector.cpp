#include "worker/homophone_corrector.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/text/utf8.hpp"
#include "worker/runs.hpp"

namespace yyc3::worker {
namespace {

// What another character costs, in nats, found on a third of the accept run's sentences: so much,
constexpr double kOther = 1.0;
constexpr double kBehindWeight = 0.7;  // … for each nat it was behind
constexpr double kOfWord = 1.0;        // … where the one heard is part of a word
constexpr double kOtherTone = 0.5;
constexpr double kDistanceWeight = 6.0;  // … for each unit of text::sound_distance
// Looked at is what was not ruled out and sounds so near, and what was so close behind.
constexpr float kDistanceMax = 0.351F;
constexpr float kBehindNear = 5;

constexpr double kRareReading = 0.1;  // share below which a reading is not looked at
constexpr std::size_t kChoices = 64;  // the cheapest of a character
constexpr std::size_t kBeam = 40;
constexpr double kBeamNats = 12;

constexpr std::int32_t kCharacters = 8000;  // in use
constexpr NgramModel::Token kEnd = 0;

bool is_numeral(char32_t c) {
  return std::u32string_view(U"〇零一二三四五六七八九十百千万亿两半").find(c) !=
         std::u32string_view::npos;
}

/// A digit counts as its numeral: 9点 goes on like 九点.
NgramModel::Token token_of(char32_t c) {
  constexpr std::u32string_view kDigits = U"零一二三四五六七八九";
  return static_cast<NgramModel::Token>(text::is_digit(c) ? kDigits[c - U'0'] : c);
}

}  // namespace

struct HomophoneCorrector::Path {
  std::array<NgramModel::Token, 2> last{NgramModel::kStart, NgramModel::kStart};
  double score = 0;  ///< ln p of the text less its costs
  std::u32string text;
};

HomophoneCorrector::HomophoneCorrector(const text::TablesPtr& tables, std::string_view said,
                                       std::string_view own)
    : pinyin_(tables), said_(kCharacters, kEnd) {
  Readings readings;
  learn(said, readings);
  learn(own, readings);
  for (const auto& [character, times] : readings) {
    double all = 0;
    for (const auto& [id, count] : times) all += count;
    for (const auto& [id, count] : times) {
      const std::string_view toned = tables->syllable(id);
      if (count >= kRareReading * all)
        spoken_.push_back({character, text::sound_of(toned), toned.back()});
    }
  }
}

void HomophoneCorrector::learn(std::string_view lines, Readings& readings) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::u32string line = text::decode_utf8(lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
    for (const text::Syllable& one : pinyin_.read(line)) ++readings[line[one.at]][one.id];
    for_each_run(line, [&](std::size_t from, std::size_t to) {
      std::vector<NgramModel::Token> tokens;
      for (std::size_t i = from; i < to; ++i) tokens.push_back(token_of(line[i]));
      said_.add(tokens);
    });
  }
}

std::vector<HomophoneCorrector::Choice> HomophoneCorrector::choices(char32_t heard,
                                                                    const text::Syllable* read,
                                                                    bool in_word,
                                                                    const Behind& behind) const {
  std::vector<Choice> out{{heard, 0}};
  if (read == nullptr) return out;
  const std::string_view toned = pinyin_.tables().syllable(read->id);
  const text::Sound sound = text::sound_of(toned);
  float behind_own = 0;  // of the character before in spoken_
  char32_t last = 0;
  for (const Spoken& other : spoken_) {
    if (other.character == heard) continue;
    if (is_numeral(heard) && is_numeral(other.character)) continue;
    if (other.character != last) behind_own = behind(read->at, other.character);
    last = other.character;
    const float distance = std::min(text::sound_distance(sound, other.sound), 1.0F);
    if (behind_own >= (distance > kDistanceMax ? kBehindNear : kBehindMax)) continue;
    const double cost = kOther + (in_word ? kOfWord : 0) +
                        kBehindWeight * static_cast<double>(behind_own) +
                        kDistanceWeight * static_cast<double>(distance) +
                        (other.tone == toned.back() ? 0 : kOtherTone);
    if (out.back().character == other.character)
      out.back().cost = std::min(out.back().cost, cost);
    else
      out.push_back({other.character, cost});
  }
  if (out.size() > kChoices) {
    std::ranges::nth_element(out, out.begin() + kChoices, {}, &Choice::cost);
    out.resize(kChoices);
  }
  return out;
}

/// Viterbi over pairs of characters, the kBeam best of them.
std::u32string HomophoneCorrector::likeliest(std::span<const std::vector<Choice>> run) const {
  struct Step {
    const Path* from;
    char32_t character;
    double score;
  };
  std::vector<Path> paths(1);
  std::vector<Step> steps;
  for (const std::vector<Choice>& choices : run) {
    steps.clear();
    for (const Path& path : paths) {
      const NgramModel::After after = said_.after(path.last);
      for (const Choice& one : choices) {
        const double log_p = after.log_p(token_of(one.character));
        steps.push_back({&path, one.character, path.score + log_p - one.cost});
      }
    }
    const double floor = std::ranges::max_element(steps, {}, &Step::score)->score - kBeamNats;
    std::erase_if(steps, [floor](const Step& step) { return step.score < floor; });
    std::ranges::sort(steps, std::ranges::greater{}, &Step::score);
    std::vector<Path> next;
    for (const Step& step : steps) {
      if (next.size() == kBeam) break;
      const std::array last{step.from->last[1], token_of(step.character)};
      // a text that ends alike and is likelier stands there already: it stays ahead
      if (std::ranges::find(next, last, &Path::last) != next.end()) continue;
      next.push_back({last, step.score, step.from->text + step.character});
    }
    paths = std::move(next);
  }
  for (Path& path : paths) path.score += said_.after(path.last).log_p(kEnd);
  return std::ranges::max_element(paths, {}, &Path::score)->text;
}

std::u32string HomophoneCorrector::correct(std::u32string_view text, const Behind& behind) const {
  std::u32string out(text);
  const std::vector<text::Syllable> read = pinyin_.read(text);
  for_each_run(text, [&](std::size_t from, std::size_t to) {
    std::vector<std::vector<Choice>> run;
    for (std::size_t i = from; i < to; ++i) {
      const auto at = std::ranges::lower_bound(read, i, {}, &text::Syllable::at);
      const bool readable = at != read.end() && at->at == i;
      const auto same = [&](auto other) { return other->word == at->word; };
      const bool in_word = readable && ((at != read.begin() && same(at - 1)) ||
                                        (at + 1 != read.end() && same(at + 1)));
      run.push_back(choices(text[i], readable ? &*at : nullptr, in_word, behind));
    }
    out.replace(from, to - from, likeliest(run));
  });
  return out;
}

}  // namespace yyc3::worker
