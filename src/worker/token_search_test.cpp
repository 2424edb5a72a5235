#include "worker/token_search.hpp"

#include <cmath>
#include <doctest/doctest.h>
#include <map>
#include <utility>

namespace yyc3::worker {
namespace {

using Tokens = TokenSearch::Tokens;

/// Four tokens, 0 ends. What follows a prefix that is not named: the end, surely.
struct Network {
  std::map<Tokens, std::vector<double>> after;
  std::vector<float> row = {};
  int asked = 0;
  int stops_after = 1000;
  std::span<const float> operator()(const Tokens& prefix) {
    if (++asked > stops_after) return {};
    const auto found = after.find(prefix);
    const std::vector<double> p =
        found != after.end() ? found->second : std::vector<double>{0.97, 0.01, 0.01, 0.01};
    row.assign(p.size(), 0);
    for (std::size_t i = 0; i < p.size(); ++i) row[i] = static_cast<float>(std::log(p[i]));
    return row;
  }
};

/// Torn at the first token; the likelier one leads nowhere.
Network torn() { return {{{{}, {0.01, 0.50, 0.45, 0.04}}, {{1}, {0.30, 0.24, 0.24, 0.22}}}}; }

TokenSearch::Reading best(Network& network, int readings = 4, int tokens = 16) {
  TokenSearch::Config config;
  config.tokens_max = tokens;
  config.readings_max = readings;
  return TokenSearch(config).best([&network](const Tokens& prefix) { return network(prefix); });
}

TEST_CASE("a sure text is asked for once, token by token") {
  Network sure{{{{}, {0.01, 0.97, 0.01, 0.01}}, {{1}, {0.01, 0.01, 0.01, 0.97}}}};
  const auto found = best(sure);
  CHECK(found.tokens == Tokens{1, 3});
  CHECK(found.log_p == doctest::Approx(3 * std::log(0.97)).epsilon(1e-4));
  CHECK(found.mean() == doctest::Approx(std::log(0.97)).epsilon(1e-4));
  CHECK(sure.asked == 3);
}

TEST_CASE("where it was torn the other token is tried, and the likelier text wins") {
  Network network = torn();
  CHECK(best(network).tokens == Tokens{2});
  network = torn();
  CHECK(best(network, 0).tokens == Tokens{1});
}

TEST_CASE("a longer text is not better for its sure repetitions") {
  Network network{{{{}, {0.01, 0.50, 0.45, 0.04}},
                   {{1}, {0.80, 0.10, 0.05, 0.05}},  // 0.50 × 0.80 = 0.40
                   {{2}, {0.05, 0.03, 0.90, 0.02}},
                   {{2, 2}, {0.05, 0.03, 0.90, 0.02}},  // 0.45 × 0.90 × 0.90 × 0.97 = 0.35
                   {{2, 2, 2}, {0.97, 0.01, 0.01, 0.01}}}};
  CHECK(best(network).tokens == Tokens{1});
}

TEST_CASE("another reading that falls far behind is dropped on its way") {
  Network network{{{{}, {0.01, 0.50, 0.45, 0.04}},
                   {{2}, {0.001, 0.033, 0.033, 0.033}},
                   {{2, 1}, {0.001, 0.033, 0.033, 0.033}}}};
  CHECK(best(network, 1).tokens == Tokens{1});
  CHECK(network.asked == 3);  // {}, {1}, {2}
}

TEST_CASE("looking again is bounded: a text torn everywhere costs so many steps more") {
  Network network;
  const std::vector<double> torn_row{0.01, 0.50, 0.45, 0.04};
  Tokens prefix;
  network.after[prefix] = torn_row;
  for (int i = 0; i < 8; ++i) {
    prefix.push_back(1 + i % 2);
    network.after[prefix] = i < 7 ? std::vector<double>{0.01, 0.46, 0.49, 0.04}
                                  : std::vector<double>{0.97, 0.01, 0.01, 0.01};
  }
  for (const int more : {0, 3, 5}) {
    TokenSearch::Config config;
    config.tokens_max = 12;
    config.hopeless = 100;
    config.steps_max = more;
    network.asked = 0;
    const auto found = TokenSearch(config).best([&](const Tokens& p) { return network(p); });
    CHECK_FALSE(found.stopped);
    CHECK(found.tokens.size() >= 1);
    config.readings_max = 0;
    const int with = std::exchange(network.asked, 0);
    static_cast<void>(TokenSearch(config).best([&](const Tokens& p) { return network(p); }));
    CHECK(with <= network.asked + more);
    CHECK(with >= network.asked + std::min(more, 3));
  }
}

TEST_CASE("stopped: no result before the first text is whole, that text after it") {
  Network network = torn();
  network.stops_after = 1;
  CHECK(best(network).stopped);
  network = torn();
  network.stops_after = 2;  // the first text needs two
  const auto found = best(network);
  CHECK_FALSE(found.stopped);
  CHECK(found.tokens == Tokens{1});
}

TEST_CASE("a text that does not end is cut, one that loops ends there and loses to any other") {
  Network endless{{}};
  for (Tokens prefix; prefix.size() < 40; prefix.push_back(prefix.size() % 3 == 0 ? 1 : 3)) {
    endless.after[prefix] = {0.01, 0.01, 0.01, 0.01};
    endless.after[prefix][prefix.size() % 3 == 0 ? 1 : 3] = 0.97;
  }
  CHECK(best(endless, 4, 10).tokens.size() == 10);
  Network looping{{{{}, {0.01, 0.50, 0.45, 0.04}}}};
  for (Tokens prefix{1}; prefix.size() < 40; prefix.push_back(1)) {
    looping.after[prefix] = {0.01, 0.97, 0.01, 0.01};
  }
  CHECK(best(looping, 0, 30).looped);
  CHECK(best(looping, 0, 30).tokens.size() == 9);
  CHECK(best(looping, 4, 30).tokens == Tokens{2});
}

}  // namespace
}  // namespace yyc3::worker
