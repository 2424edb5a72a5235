#include "engine/text/segmenter.hpp"

#include <array>
#include <cmath>
#include <cstring>

#include "engine/text/utf8.hpp"

namespace yyc3::text {
namespace {

constexpr std::size_t kMaxRun = 512;  // longer runs are cut in pieces: the work stays bounded
constexpr double kImpossible = -3.14e30;

enum State : std::size_t { kBegin, kEnd, kMiddle, kSingle };  // order of zh-hmm.tbl
constexpr std::array<double, 4> kStart{-0.26268660809250016, kImpossible, kImpossible,
                                       -1.4652633398537678};
/// log P(column | row), trained by jieba (MIT); impossible transitions are left out.
constexpr std::array<std::array<double, 4>, 4> kStep{{
    {kImpossible, -0.510825623765990, -0.916290731874155, kImpossible},
    {-0.5897149736854513, kImpossible, kImpossible, -0.8085250474669937},
    {kImpossible, -0.33344856811948514, -1.2603623820268226, kImpossible},
    {-0.7211965654669841, kImpossible, kImpossible, -0.6658631448798212},
}};
constexpr std::array<std::array<State, 2>, 4> kBefore{{
    {kEnd, kSingle},
    {kBegin, kMiddle},
    {kMiddle, kBegin},
    {kSingle, kEnd},
}};

using Scores = std::array<double, 4>;

Scores emission(const Table& hmm, char32_t c) {
  Scores out{kImpossible, kImpossible, kImpossible, kImpossible};
  std::string key;
  append_utf8(key, c);
  const auto value = hmm.get(key);
  for (std::size_t s = 0; value && s < 4; ++s) {
    float score = 0;
    std::memcpy(&score, value->data() + s * 4, sizeof score);
    out[s] = score;
  }
  return out;
}

double frequency(std::string_view value) {
  std::uint32_t n = 0;
  std::memcpy(&n, value.data(), sizeof n);
  return n > 0 ? n : 1;  // jieba counts a known word of frequency 0 as 1
}

}  // namespace

std::vector<Span> Segmenter::cut(std::u32string_view text) const {
  std::vector<Span> out;
  const auto run_end = [&](std::size_t from, auto inside) {
    std::size_t end = from + 1;
    while (end < text.size() && end - from < kMaxRun && inside(text[end])) ++end;
    return end;
  };
  const auto in_word = [](char32_t c) { return is_word_letter(c) || is_digit(c) || c == U'\''; };
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    if (is_han(text[at])) {
      end = run_end(at, is_han);
      cut_han(text, {at, end}, out);
    } else {
      if (in_word(text[at])) end = run_end(at, in_word);
      out.push_back({at, end});
    }
    at = end;
  }
  return out;
}

void Segmenter::cut_han(std::u32string_view text, Span run, std::vector<Span>& out) const {
  const Table& words = tables_->words();
  const std::size_t n = run.end - run.begin;
  const double log_total = std::log(tables_->total_frequency());
  std::vector<double> best(n + 1, 0.0);  // of the text from here to the end of the run
  std::vector<std::size_t> next(n + 1, n);
  for (std::size_t i = n; i-- > 0;) {
    best[i] = -log_total + best[i + 1];  // a lone unknown character counts as frequency 1
    next[i] = i + 1;
    bool any = false;
    Table::Range range = words.all();
    std::size_t depth = 0;
    for (std::size_t j = i; j < n && range.begin < range.end; ++j) {
      std::string step;
      append_utf8(step, text[run.begin + j]);
      range = words.narrow(range, depth, step);
      depth += step.size();
      if (range.begin == range.end || words.key(range.begin).size() != depth) continue;
      const double score = std::log(frequency(words.value(range.begin))) - log_total + best[j + 1];
      if (!any || score >= best[i]) {  // on a tie the longer word, as jieba does
        best[i] = score;
        next[i] = j + 1;
      }
      any = true;
    }
  }
  std::size_t lone = n;  // where a run of single characters began; n: none
  const auto flush = [&](std::size_t upto) {
    if (lone < upto) cut_unknown(text, {run.begin + lone, run.begin + upto}, out);
    lone = n;
  };
  for (std::size_t i = 0; i < n; i = next[i]) {
    if (next[i] - i == 1) {
      if (lone == n) lone = i;
      continue;
    }
    flush(i);
    out.push_back({run.begin + i, run.begin + next[i]});
  }
  flush(n);
}

bool Segmenter::is_word(std::u32string_view text) const {
  return tables_->words().find(encode_utf8(text)).has_value();
}

void Segmenter::cut_unknown(std::u32string_view text, Span run, std::vector<Span>& out) const {
  const std::size_t n = run.end - run.begin;
  if (n == 1 || is_word(text.substr(run.begin, n))) {
    // jieba leaves a buffer that is itself a word in single characters
    for (std::size_t i = run.begin; i < run.end; ++i) out.push_back({i, i + 1});
    return;
  }
  std::vector<Scores> score(n);
  std::vector<std::array<State, 4>> from(n);
  const Scores first = emission(tables_->hmm(), text[run.begin]);
  for (std::size_t s = 0; s < 4; ++s) score[0][s] = kStart[s] + first[s];
  for (std::size_t i = 1; i < n; ++i) {
    const Scores emit = emission(tables_->hmm(), text[run.begin + i]);
    for (std::size_t s = 0; s < 4; ++s) {
      const auto [a, b] = kBefore[s];
      const double via_a = score[i - 1][a] + kStep[a][s];
      const double via_b = score[i - 1][b] + kStep[b][s];
      from[i][s] = via_a >= via_b ? a : b;
      score[i][s] = std::max(via_a, via_b) + emit[s];
    }
  }
  std::vector<State> path(n);
  path[n - 1] = score[n - 1][kSingle] >= score[n - 1][kEnd] ? kSingle : kEnd;
  for (std::size_t i = n - 1; i > 0; --i) path[i - 1] = from[i][path[i]];
  std::size_t begin = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (path[i] == kBegin || path[i] == kMiddle) {
      if (path[i] == kBegin) begin = i;
      continue;
    }
    if (path[i] == kSingle) begin = i;
    out.push_back({run.begin + begin, run.begin + i + 1});
    begin = i + 1;
  }
  if (begin < n) out.push_back({run.begin + begin, run.end});
}

}  // namespace yyc3::text
