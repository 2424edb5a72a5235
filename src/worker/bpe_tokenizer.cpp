#include "worker/bpe_tokenizer.hpp"

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
    std::string_view bytes;
    Token joined;  // number of the token made of this part and the next, or kNone
  };
  std::vector<Part> parts;
  parts.reserve(word.size());
  for (std::size_t i = 0; i < word.size(); ++i) {
    parts.push_back({word.substr(i, 1), i + 1 < word.size() ? number(word.substr(i, 2)) : kNone});
  }
  const auto join_next = [&](std::size_t i) {
    const std::size_t end =
        i + 1 < parts.size() ? parts[i].bytes.size() + parts[i + 1].bytes.size() : 0;
    return end == 0 ? kNone : number({parts[i].bytes.data(), end});
  };
  while (true) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (parts[i].joined < parts[best].joined) best = i;
    }
    if (parts.empty() || parts[best].joined == kNone) break;
    parts[best].bytes = {parts[best].bytes.data(),
                         parts[best].bytes.size() + parts[best + 1].bytes.size()};
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    parts[best].joined = join_next(best);
    if (best > 0) parts[best - 1].joined = join_next(best - 1);
  }
  std::vector<Token> out;
  for (const Part& part : parts) {
    if (const Token token = number(part.bytes); token != kNone) out.push_back(token);
  }
  return out;
}

}  // namespace yyc3::worker
