#include "worker/bpe_tokenizer.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace yyc3::worker {

BpeTokenizer::BpeTokenizer(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {
  numbers_.reserve(pieces_.size());
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (!pieces_[i].empty()) numbers_.try_emplace(pieces_[i], static_cast<Token>(i));
  }
}

std::vector<BpeTokenizer::Token> BpeTokenizer::encode(std::string_view word) const {
  constexpr Token kNone = std::numeric_limits<Token>::max();
  const auto number = [this](std::string_view bytes) {
    const auto found = numbers_.find(bytes);
    return found == numbers_.end() ? kNone : found->second;
  };
  struct Part {
    std::size_t begin;
    std::size_t size;
    Token joined;  // number of the token made of this part and the next, or kNone
  };
  std::vector<Part> parts;
  parts.reserve(word.size());
  for (std::size_t i = 0; i < word.size(); ++i) {
    parts.push_back({i, 1, i + 1 < word.size() ? number(word.substr(i, 2)) : kNone});
  }
  const auto join_next = [&](std::size_t i) {
    if (i + 1 == parts.size()) return kNone;
    return number(word.substr(parts[i].begin, parts[i].size + parts[i + 1].size));
  };
  while (!parts.empty()) {
    const auto best = std::ranges::min_element(parts, {}, &Part::joined);
    if (best->joined == kNone) break;
    best->size += (best + 1)->size;
    const auto at = static_cast<std::size_t>(best - parts.begin());
    parts.erase(best + 1);
    parts[at].joined = join_next(at);
    if (at > 0) parts[at - 1].joined = join_next(at - 1);
  }
  std::vector<Token> out;
  for (const Part& part : parts) {
    const Token token = number(word.substr(part.begin, part.size));
    if (token != kNone) out.push_back(token);
  }
  return out;
}

}  // namespace yyc3::worker
