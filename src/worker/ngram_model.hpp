#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace yyc3::worker {

/// What people say, as a trigram model over a recogniser's own tokens or over characters, smoothed
/// after Witten and Bell (1991): p(w | h) = (count(h w) + kinds(h) p(w | h′)) / (count(h) +
/// kinds(h)), h′ one token shorter, and at the end a uniform share of the vocabulary. Uses: shallow
/// fusion (Gulcehre et al. 2015), a decoder adds weight × gain to its logits; and, over characters,
/// HomophoneCorrector. Threads: built on one, then immutable.
class NgramModel {
 public:
  using Token = std::int32_t;
  static constexpr Token kStart = -1;  ///< before the first token of a sentence
  struct Gain {
    Token token = 0;
    float log_ratio = 0;  ///< ln p(token | history) − ln p(any token never seen | history), ≥ 0
  };

  /// @param vocabulary number of tokens there are, ≥ 1.
  /// @param end token that ends a sentence.
  NgramModel(std::int32_t vocabulary, Token end) : vocabulary_(vocabulary), end_(end) {}

  /// Counts one sentence, without its end.
  void add(std::span<const Token> sentence);
  /// The gain of every token seen in training (the end among them) after `history` (its last two
  /// tokens count; empty: the start of a sentence); tokens that are not listed have a gain of 0.
  void gains(std::span<const Token> history, std::vector<Gain>& out) const;
  /// ln p(token | the last two of history), any token.
  class After;
  [[nodiscard]] After after(std::span<const Token> history) const;
  [[nodiscard]] bool empty() const { return known_.empty(); }
  [[nodiscard]] Token end() const { return end_; }

 private:
  struct Followers {
    /// index into known_, count; by index
    std::vector<std::pair<std::uint32_t, std::uint32_t>> counts;
    std::uint32_t total = 0;
  };
  using Contexts = std::unordered_map<std::uint64_t, Followers>;
  std::uint32_t count(Token token);
  [[nodiscard]] static const Followers* find(const Contexts& contexts, Token before, Token last);

  std::int32_t vocabulary_;
  Token end_;
  std::vector<Token> known_;
  std::vector<std::uint32_t> times_;  ///< of known_
  std::uint32_t total_ = 0;
  std::unordered_map<Token, std::uint32_t> index_;
  Contexts after_one_;
  Contexts after_two_;
};

/// A history looked up once, asked about many tokens. Valid as long as its model.
class NgramModel::After {
 public:
  [[nodiscard]] double log_p(Token token) const;

 private:
  friend class NgramModel;
  After(const NgramModel& model, const Followers* one, const Followers* two)
      : model_(model), one_(one), two_(two) {}
  const NgramModel& model_;
  const Followers* one_;  ///< of the last token; null: it never went on
  const Followers* two_;  ///< of the last two
};

}  // namespace yyc3::worker
