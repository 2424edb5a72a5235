#include "worker/ngram_model.hpp"

#include <algorithm>
#include <cmath>

namespace yyc3::worker {
namespace {

constexpr NgramModel::Token kStart = -1;  // before the first token of a sentence

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
    const auto found =
        std::ranges::find(followers.counts, index, &std::pair<std::uint32_t, std::uint32_t>::first);
    if (found != followers.counts.end())
      ++found->second;
    else
      followers.counts.emplace_back(index, 1);
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
  const auto refine = [&](const Contexts& contexts, std::uint64_t key) {
    const auto found = contexts.find(key);
    if (found == contexts.end()) return;
    const Followers& followers = found->second;
    const auto different = static_cast<double>(followers.counts.size());
    const double sum = followers.total + different;
    for (double& x : p) x *= different / sum;
    unseen *= different / sum;
    for (const auto& [index, times] : followers.counts) p[index] += times / sum;
  };
  const std::size_t n = history.size();
  const Token last = n > 0 ? history[n - 1] : kStart;
  const Token before = n > 1 ? history[n - 2] : kStart;
  refine(after_one_, context(0, last));
  refine(after_two_, context(before, last));
  out.reserve(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) {
    out.push_back({known_[i], static_cast<float>(std::log(p[i] / unseen))});
  }
}

}  // namespace yyc3::worker
