#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace yyc3::worker {

/// Finds the phrase of a closed list that a recogniser finds likeliest, without sampling: phrases
/// become a tree of tokens, searched best first, so that only promising branches cost a network
/// step. Sans model: the network is a function. Threads: none.
class PhraseScorer {
 public:
  using Tokens = std::vector<int>;
  /// Log-probabilities of every next token after `prefix`; empty: stopped or failed.
  using Network = std::function<std::span<const float>(const Tokens& prefix)>;

  struct Phrase {
    std::vector<Tokens> spellings;  ///< ways to write it; at least one, none empty
    double bias = 0;                ///< subtracted from its log-probability (prior of the model)
    std::size_t meaning = 0;        ///< equal: said for the same thing
  };
  struct Best {
    std::size_t index = 0;  ///< into the phrases
    double score = 0;       ///< log-probability − bias
    /// 0..1, a lower bound: likelihood of what it means among all meanings.
    double share = 0;
    int steps = 0;         ///< network steps taken
    bool stopped = false;  ///< the network gave nothing: no result
  };

  /// @param ends tokens that may follow a whole phrase (end of text, full stop …).
  PhraseScorer(std::vector<Phrase> phrases, Tokens ends);

  /// @param steps_max bound on network steps; the best complete phrase so far wins then.
  [[nodiscard]] Best best(const Network& network, int steps_max = 64) const;
  /// The log-probability (without bias) of every phrase; for calibration. Empty when stopped.
  [[nodiscard]] std::vector<double> all(const Network& network) const;

 private:
  struct Node {
    std::map<int, std::size_t> next;    ///< token → node
    std::vector<std::size_t> complete;  ///< phrases that end here
    double bias_min = 0;                ///< smallest bias below: the bound of the branch
    std::size_t meaning = 0;            ///< of all phrases below
    bool mixed = false;                 ///< they mean different things
  };
  struct Open {
    double bound;
    double log_p;
    std::size_t node;
    Tokens prefix;
  };
  [[nodiscard]] double end_of(std::span<const float> log_p) const;
  [[nodiscard]] double share_of(const Best& best, std::span<const double> score,
                                std::span<const Open> open) const;
  void insert(const Tokens& spelling, std::size_t phrase);
  void visit(const Open& open, const Network& network, std::vector<double>& out, bool& ok) const;
  std::vector<Phrase> phrases_;
  Tokens ends_;
  std::vector<Node> nodes_;
};

}  // namespace yyc3::worker
