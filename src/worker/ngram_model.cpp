#include "worker/ngram_model.hpp"

#include <algorithm>
#include <cmath>

namespace yyc3::worker {
namespace {

using Times = std::pair<std::uint32_t, std::uint32_t>;  // index of a token, how often

std::uint64_t context(NgramModel::Token before, NgramModel::Token last) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(before)) << 32U) |
         static_cast<std::uint32_t>(last);
}

}  // namespace

std::uint32_t NgramModel::count(Token token) {
  const auto [at, fresh] = index_.try_emplace(token, static_cast<std::uint32_t>(known_.size()));
  if (fresh) {
    known_.push_back(token);
    times_.push_back(0);
  }
  ++times_[at->second];
  ++total_;
  return at->second;
}

void NgramModel::add(std::span<const Token> sentence) {
  const auto follow = [](Followers& followers, std::uint32_t index) {
    ++followers.total;
    const auto found = std::ranges::lower_bound(followers.counts, index, {}, &Times::first);
    if (found != followers.counts.end() && found->first == index)
      ++found->second;
    else
      followers.counts.emplace(found, index, 1);
  };
  Token before = kStart;
  Token last = kStart;
  for (std::size_t i = 0; i <= sentence.size(); ++i) {
    const Token token = i < sentence.size() ? sentence[i] : end_;
    const std::uint32_t index = count(token);
    follow(after_one_[context(0, last)], index);
    follow(after_two_[context(before, last)], index);
    before = last;
    last = token;
  }
}

void NgramModel::gains(std::span<const Token> history, std::vector<Gain>& out) const {
  out.clear();
  if (known_.empty()) return;
  const auto kinds = static_cast<double>(known_.size());
  double unseen = kinds / (total_ + kinds) / vocabulary_;
  std::vector<double> p(known_.size());
  for (std::size_t i = 0; i < p.size(); ++i) p[i] = unseen + times_[i] / (total_ + kinds);
  const auto refine = [&](const Followers* followers) {
    if (followers == nullptr) return;
    const auto different = static_cast<double>(followers->counts.size());
    const double sum = followers->total + different;
    for (double& x : p) x *= different / sum;
    unseen *= different / sum;
    for (const auto& [index, times] : followers->counts) p[index] += times / sum;
  };
  const After known = after(history);
  refine(known.one_);
  refine(known.two_);
  out.reserve(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) {
    out.push_back({known_[i], static_cast<float>(std::log(p[i] / unseen))});
  }
}

const NgramModel::Followers* NgramModel::find(const Contexts& contexts, Token before, Token last) {
  const auto found = contexts.find(context(before, last));
  return found == contexts.end() ? nullptr : &found->second;
}

NgramModel::After NgramModel::after(std::span<const Token> history) const {
  const std::size_t n = history.size();
  const Token last = n > 0 ? history[n - 1] : kStart;
  const Token before = n > 1 ? history[n - 2] : kStart;
  return {*this, find(after_one_, 0, last), find(after_two_, before, last)};
}

double NgramModel::After::log_p(Token token) const {
  const auto kinds = static_cast<double>(model_.known_.size());
  const auto found = model_.index_.find(token);
  const bool known = found != model_.index_.end();
  const double times = known ? model_.times_[found->second] : 0;
  double p = (times + kinds / model_.vocabulary_) / (model_.total_ + kinds);
  for (const Followers* followers : {one_, two_}) {
    if (followers == nullptr) continue;
    const auto different = static_cast<double>(followers->counts.size());
    double seen = 0;
    if (known) {
      const auto at = std::ranges::lower_bound(followers->counts, found->second, {}, &Times::first);
      if (at != followers->counts.end() && at->first == found->second) seen = at->second;
    }
    p = (seen + different * p) / (followers->total + different);
  }
  return std::log(p);
}

}  // namespace yyc3::worker
