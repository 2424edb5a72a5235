#include "worker/hot_words.hpp"

#include <algorithm>

namespace yyc3::worker {
namespace {

using Token = HotWords::Token;

/// `text` holds `word` and `last` behind it.
bool holds(std::span<const Token> text, std::span<const Token> word, Token last) {
  const std::size_t n = word.size();
  for (std::size_t at = 0; at + n < text.size(); ++at) {
    if (text[at + n] == last && std::ranges::equal(text.subspan(at, n), word)) return true;
  }
  return false;
}

}  // namespace

void HotWords::add(std::span<const Token> word) {
  if (word.size() < 2) return;
  longest_ = std::max(longest_, word.size());
  std::size_t at = 0;
  for (const Token token : word) {
    const auto [next, fresh] = nodes_[at].next.try_emplace(token, nodes_.size());
    at = next->second;
    if (fresh) nodes_.emplace_back();
  }
  nodes_[at].whole = true;
}

HotWords::Place HotWords::find(std::span<const Token> text, std::size_t n) const {
  const auto before = text.first(text.size() - n);
  const auto word = text.last(n);
  Place place{nodes_.data(), 0};
  for (std::size_t i = 0; i < n; ++i) {
    const auto next = place.node->next.find(word[i]);
    if (next == place.node->next.end()) return {nullptr, 0};
    place.node = &nodes_[next->second];
    if (place.node->whole)
      place.lent = 0;
    else if (!holds(before, word.first(i), word[i]))
      place.lent += bonus_;
  }
  return place;
}

float HotWords::bonuses(std::span<const Token> text, std::vector<Bonus>& out) const {
  out.clear();
  float lent = -1;  // of the longest beginning of a word that the text ends with
  for (std::size_t n = std::min(text.size(), longest_) + 1; n-- > 0;) {
    const Place place = find(text, n);
    if (place.node == nullptr) continue;
    if (lent < 0) lent = place.lent;
    const auto longer = out.size();
    for (const auto& [token, to] : place.node->next) {
      const std::span<const Bonus> known(out.data(), longer);
      if (std::ranges::find(known, token, &Bonus::token) != known.end()) continue;
      const bool again = holds(text.first(text.size() - n), text.last(n), token);
      out.push_back({token, place.lent + (again ? 0 : bonus_)});
    }
  }
  return -lent;
}

float HotWords::total(std::span<const Token> text) const {
  float sum = 0;
  std::vector<Bonus> some;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    sum += bonuses(text.first(i), some);
    if (i == text.size()) break;
    const auto found = std::ranges::find(some, text[i], &Bonus::token);
    if (found != some.end()) sum += found->more;
  }
  return sum;
}

}  // namespace yyc3::worker
