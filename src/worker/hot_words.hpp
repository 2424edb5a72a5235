#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace yyc3::worker {

/// Words that a recogniser shall take rather than others that sound alike: contextual biasing in
/// shallow fusion (Zhao et al. 2019) by a tree over its tokens. Every token of a word earns a bonus
/// while the word goes on; a word that breaks off gives back what it was lent. What was said before
/// earns nothing again, or a text that goes round in circles would win.
/// Threads: built on one, then immutable.
class HotWords {
 public:
  using Token = std::int32_t;
  struct Bonus {
    Token token = 0;
    float more = 0;  ///< nats, beside what every other token gets
  };

  /// @param bonus of one token, nats, > 0.
  explicit HotWords(float bonus) : bonus_(bonus) {}
  /// Adds a word; one of a single token needs no help and is left out.
  void add(std::span<const Token> word);
  /// What to add to ln p after `text`: `out` for the tokens listed, and the returned value (≤ 0)
  /// for every token, these included.
  float bonuses(std::span<const Token> text, std::vector<Bonus>& out) const;
  /// What all tokens of `text` and its end were given together.
  [[nodiscard]] float total(std::span<const Token> text) const;
  [[nodiscard]] bool empty() const { return nodes_.size() == 1; }

 private:
  struct Node {
    std::map<Token, std::size_t> next;  ///< index into nodes_
    bool whole = false;                 ///< a word ends here
  };
  struct Place {
    const Node* node;
    float lent;  ///< for the tokens since the last whole word on the way here
  };
  /// Where exactly the last `n` tokens of `text` lead; no node: no word begins so.
  [[nodiscard]] Place find(std::span<const Token> text, std::size_t n) const;

  float bonus_;
  std::size_t longest_ = 0;  ///< tokens
  std::vector<Node> nodes_{1};
};

}  // namespace yyc3::worker
