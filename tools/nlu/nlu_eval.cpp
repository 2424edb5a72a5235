// Measures the intents on texts never trained on: nlu_eval MODEL TEXTS_DIR [zh|en FILE.tsv]…
// Prints accuracy and macro-F1 of rules + model beside the keyword rules alone, by class and
// source. Exit 1 when a language of TEXTS_DIR is below 85 % or above two fifths fewer errors is not
// reached.
#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <map>

#include "corpus.hpp"
#include "product/dialogue/understanding.hpp"

using namespace yyc3;
using dialogue::Intent;
using dialogue::kIntents;

namespace {

struct Score {
  std::array<std::array<int, kIntents>, kIntents> table{};  ///< [true][guessed]
  int right = 0;
  int all = 0;
  void add(Intent truth, Intent guess) {
    ++table[static_cast<std::size_t>(truth)][static_cast<std::size_t>(guess)];
    ++all;
    right += truth == guess ? 1 : 0;
  }
  [[nodiscard]] double accuracy() const { return all == 0 ? 0 : 100.0 * right / all; }
  [[nodiscard]] double recall(std::size_t c) const {
    int row = 0;
    for (const int n : table[c]) row += n;
    return row == 0 ? 0 : 100.0 * table[c][c] / row;
  }
  [[nodiscard]] double macro_f1() const {
    double sum = 0;
    for (std::size_t c = 0; c < kIntents; ++c) {
      int row = 0;
      int column = 0;
      for (std::size_t o = 0; o < kIntents; ++o) {
        row += table[c][o];
        column += table[o][c];
      }
      if (row + column > 0) sum += 200.0 * table[c][c] / (row + column);
    }
    return sum / static_cast<double>(kIntents);
  }
};

bool measure(const dialogue::Understanding& understanding, std::vector<nlu::Example> texts,
             text::Language language, bool gate) {
  std::erase_if(texts, [language](const nlu::Example& e) { return e.language != language; });
  Score full;
  Score rules;
  double calibration = 0;
  std::map<std::string, Score> by_source;
  std::vector<double> took;
  for (const nlu::Example& example : texts) {
    const auto begun = std::chrono::steady_clock::now();
    const auto guess = understanding.intent_of(example.text, language);
    took.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun)
            .count());
    full.add(example.intent, guess.intent);
    by_source[example.source].add(example.intent, guess.intent);
    calibration += guess.confidence;
    rules.add(example.intent, understanding.intent_by_rules(example.text, language).intent);
  }
  std::ranges::sort(took);
  const double fewer = 100.0 * (1 - static_cast<double>(full.all - full.right) /
                                        std::max(1, rules.all - rules.right));
  fmt::print(
      "{}: {} held-out sentences: accuracy {:.1f} %, macro-F1 {:.1f}; keyword rules {:.1f} %, "
      "{:.1f}; {:.0f} % fewer errors\n",
      language == text::Language::kZh ? "zh" : "en", full.all, full.accuracy(), full.macro_f1(),
      rules.accuracy(), rules.macro_f1(), fewer);
  fmt::print("  recall:");
  for (std::size_t c = 0; c < kIntents; ++c)
    fmt::print(" {} {:.0f} % (rules {:.0f})", name_of(dialogue::kAllIntents[c]), full.recall(c),
               rules.recall(c));
  fmt::print("\n  by source:");
  for (const auto& [source, score] : by_source)
    fmt::print(" {} {:.1f} % of {}", source, score.accuracy(), score.all);
  fmt::print("\n  mean confidence {:.3f}; one sentence p50 {:.0f} us, p99 {:.0f} us\n",
             calibration / std::max(1, full.all), took[took.size() / 2],
             took[took.size() * 99 / 100]);
  return !gate || (full.accuracy() >= 85 && fewer >= 40);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return fmt::print(stderr, "usage: nlu_eval MODEL TEXTS_DIR [zh|en FILE]...\n"), 2;
  auto model = dialogue::IntentModel::load(argv[1]);
  if (!model) return fmt::print(stderr, "nlu_eval: {}\n", model.error().detail), 1;
  const auto corpus = nlu::read_corpus(argv[2]);
  if (!corpus) return fmt::print(stderr, "nlu_eval: {}\n", corpus.error().detail), 1;
  const dialogue::Understanding understanding({nullptr, *model});
  bool good = true;
  for (const auto language : {text::Language::kZh, text::Language::kEn})
    good = measure(understanding, corpus->heldout, language, true) && good;
  for (int i = 3; i + 1 < argc; i += 2) {
    const auto language =
        std::string_view(argv[i]) == "en" ? text::Language::kEn : text::Language::kZh;
    const auto extra = nlu::read_examples(argv[i + 1], language, false);
    if (!extra) return fmt::print(stderr, "nlu_eval: {}\n", extra.error().detail), 1;
    if (!extra->empty()) measure(understanding, *extra, language, false);
  }
  if (!good) fmt::print("below 85 % or less than 40 % fewer errors than the rules\n");
  return good ? 0 : 1;
}
