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
  };
  struct Best {
    std::size_t index = 0;  ///< into the phrases
    double score = 0;       ///< log-probability − bias
    double share = 0;       ///< 0..1: its likelihood among all phrases (others by their bound)
    int steps = 0;          ///< network steps taken
    bool stopped = false;   ///< the network gave nothing: no result
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
  };
  struct Open {
    double bound;
    double log_p;
    std::size_t node;
    Tokens prefix;
  };
  [[nodiscard]] double end_of(std::span<const float> log_p) const;
  void insert(const Tokens& spelling, std::size_t phrase);
  void visit(const Open& open, const Network& network, std::vector<double>& out, bool& ok) const;
  std::vector<Phrase> phrases_;
  Tokens ends_;
  std::vector<Node> nodes_;
};

}  // namespace yyc3::worker
