#include "worker/phrase_scorer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace yyc3::worker {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();
constexpr int kSettlingMax = 16;  // steps, 6 to 12 ms each
constexpr double kSure = 0.5;

double log_add(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kNever ? a : a + std::log1p(std::exp(b - a));
}

}  // namespace

PhraseScorer::PhraseScorer(std::vector<Phrase> phrases, Tokens ends)
    : phrases_(std::move(phrases)), ends_(std::move(ends)), nodes_(1) {
  nodes_[0].bias_min = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < phrases_.size(); ++i) {
    for (const Tokens& spelling : phrases_[i].spellings) insert(spelling, i);
  }
}

void PhraseScorer::insert(const Tokens& spelling, std::size_t phrase) {
  if (spelling.empty()) return;
  const double bias = phrases_[phrase].bias;
  std::size_t at = 0;
  nodes_[at].bias_min = std::min(nodes_[at].bias_min, bias);
  const std::size_t meaning = phrases_[phrase].meaning;
  for (const int token : spelling) {
    const auto [place, fresh] = nodes_[at].next.try_emplace(token, nodes_.size());
    at = place->second;
    if (fresh) {
      nodes_.emplace_back();
      nodes_.back().bias_min = bias;
      nodes_.back().meaning = meaning;
    }
    nodes_[at].mixed = nodes_[at].mixed || nodes_[at].meaning != meaning;
    nodes_[at].bias_min = std::min(nodes_[at].bias_min, bias);
  }
  nodes_[at].complete.push_back(phrase);
}

double PhraseScorer::end_of(std::span<const float> log_p) const {
  double sum = kNever;
  for (const int token : ends_) {
    sum = log_add(sum, static_cast<double>(log_p[static_cast<std::size_t>(token)]));
  }
  return sum;
}

PhraseScorer::Best PhraseScorer::best(const Network& network, int steps_max) const {
  std::vector<Open> open{{-nodes_[0].bias_min, 0, 0, {}}};
  const auto worse = [](const Open& a, const Open& b) { return a.bound < b.bound; };
  std::vector<double> score(phrases_.size(), kNever);
  Best best;
  best.score = kNever;
  int settling = 0;  // steps taken only to learn how sure the best is
  while (!open.empty() && best.steps < steps_max &&
         (open.front().bound > best.score ||
          (settling++ < kSettlingMax && share_of(best, score, open) < kSure))) {
    std::ranges::pop_heap(open, worse);
    const Open current = std::move(open.back());
    open.pop_back();
    const std::span<const float> log_p = network(current.prefix);
    ++best.steps;
    if (log_p.empty()) {
      best.stopped = true;
      return best;
    }
    const Node& node = nodes_[current.node];
    for (const std::size_t phrase : node.complete) {
      const double whole = current.log_p + end_of(log_p) - phrases_[phrase].bias;
      score[phrase] = log_add(score[phrase], whole);
      if (score[phrase] > best.score) {
        best.score = score[phrase];
        best.index = phrase;
      }
    }
    for (const auto& [token, next] : node.next) {
      const double p = current.log_p + static_cast<double>(log_p[static_cast<std::size_t>(token)]);
      Open child{p - nodes_[next].bias_min, p, next, current.prefix};
      child.prefix.push_back(token);
      open.push_back(std::move(child));
      std::ranges::push_heap(open, worse);
    }
  }
  best.share = share_of(best, score, open);
  return best;
}

/// What was not searched to its end counts by its bound against the best, unless it can only mean
/// the same.
double PhraseScorer::share_of(const Best& best, std::span<const double> score,
                              std::span<const Open> open) const {
  if (best.score == kNever) return 0;
  const std::size_t meaning = phrases_[best.index].meaning;
  double same = kNever;
  double other = kNever;
  for (std::size_t i = 0; i < score.size(); ++i) {
    double& to = phrases_[i].meaning == meaning ? same : other;
    to = log_add(to, score[i]);
  }
  for (const Open& branch : open) {
    const Node& node = nodes_[branch.node];
    if (node.mixed || node.meaning != meaning) other = log_add(other, branch.bound);
  }
  return std::exp(same - log_add(same, other));
}

void PhraseScorer::visit(const Open& open, const Network& network, std::vector<double>& out,
                         bool& ok) const {
  if (!ok) return;
  const std::span<const float> seen = network(open.prefix);
  if (seen.empty()) {
    ok = false;
    return;
  }
  const std::vector<float> log_p(seen.begin(), seen.end());  // the network reuses its memory
  const Node& node = nodes_[open.node];
  for (const std::size_t phrase : node.complete) {
    out[phrase] = log_add(out[phrase], open.log_p + end_of(log_p));
  }
  for (const auto& [token, next] : node.next) {
    Open child{0, open.log_p + static_cast<double>(log_p[static_cast<std::size_t>(token)]), next,
               open.prefix};
    child.prefix.push_back(token);
    visit(child, network, out, ok);
  }
}

std::vector<double> PhraseScorer::all(const Network& network) const {
  std::vector<double> out(phrases_.size(), kNever);
  bool ok = true;
  visit(Open{0, 0, 0, {}}, network, out, ok);
  if (!ok) out.clear();
  return out;
}

}  // namespace yyc3::worker
