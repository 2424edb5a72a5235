#pragma once

#include <functional>
#include <span>
#include <vector>

namespace yyc3::worker {

/// Finds a likely text token by token: the likeliest next one each time, then again from where the
/// network was torn between two (limited discrepancy search, Harvey and Ginsberg 1995). A beam
/// finds as much but pays for every step; here a sure text costs nothing more. The likeliest whole
/// text wins: judged by the mean of its tokens, one that says everything twice would.
/// Sans model: the network is a function. Threads: none.
class TokenSearch {
 public:
  using Tokens = std::vector<int>;
  /// Log-probabilities of every next token after `prefix`; empty: stopped or failed. Prefixes grow
  /// by one token, or go back to one that was asked before and grow from there.
  using Network = std::function<std::span<const float>(const Tokens& prefix)>;

  struct Config {
    int end = 0;            ///< token that ends a text
    int tokens_max = 64;    ///< longer texts are cut
    int readings_max = 6;   ///< other readings tried, 0: the first one is taken
    int steps_max = 16;     ///< network steps of all other readings together (6 to 12 ms each)
    double torn = 2.0;      ///< ln p(likeliest) − ln p(next) below which the next is tried
    double hopeless = 3.0;  ///< a reading so far behind the best (ln p) is dropped on its way
  };
  struct Reading {
    Tokens tokens;         ///< without the end
    double log_p = 0;      ///< of the tokens and the end
    bool looped = false;   ///< one piece over and over: ended there
    bool stopped = false;  ///< the network gave nothing: no result
    [[nodiscard]] double mean() const { return log_p / static_cast<double>(tokens.size() + 1); }
  };

  explicit TokenSearch(Config config) : config_(config) {}
  [[nodiscard]] Reading best(const Network& network) const;

 private:
  struct Fork {
    Tokens prefix;  ///< the other token is its last
    double log_p;   ///< of the prefix
    double behind;  ///< of the likeliest token, ≥ 0
  };
  /// Goes on from `reading` to its end, noting where it was torn. False: it fell below `floor`,
  /// or no more of the `steps` were left, from which each is taken.
  bool go_on(Reading& reading, const Network& network, double floor, std::vector<Fork>& forks,
             int& steps) const;
  Config config_;
};

/// True when the end of `tokens` is one piece said over and over: 9 equal tokens, 5 equal pairs,
/// 3 equal groups of four … a longer piece twice. Real speech does not reach these.
bool loops(std::span<const int> tokens);

}  // namespace yyc3::worker
