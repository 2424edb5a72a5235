#include "worker/hot_words.hpp"

#include <map>

#include "worker/worker_test_support.hpp"

namespace yyc3::worker {
namespace {

using Tokens = std::vector<HotWords::Token>;

/// What each token gets after `text`; 0 stands for all that are not listed.
std::map<int, float> given(const HotWords& words, const Tokens& text) {
  std::vector<HotWords::Bonus> out;
  const float all = words.bonuses(text, out);
  std::map<int, float> each{{0, all}};
  for (const auto& bonus : out) {
    CHECK_MESSAGE(each.try_emplace(bonus.token, all + bonus.more).second, bonus.token, " twice");
  }
  return each;
}

TEST_CASE("hot words: each token of a word earns the bonus, the end of the word keeps it") {
  HotWords words(0.5F);
  CHECK(words.empty());
  words.add(Tokens{1, 2, 3});
  CHECK_FALSE(words.empty());
  using Given = std::map<int, float>;
  CHECK(given(words, {}) == Given{{0, 0}, {1, 0.5F}});
  CHECK(given(words, {7, 1}) == Given{{0, -0.5F}, {1, -0.5F}, {2, 0.5F}});
  CHECK(given(words, {1, 2}) == Given{{0, -1}, {1, -1}, {3, 0.5F}});
  CHECK(given(words, {1, 2, 3}) == Given{{0, 0}, {1, 0}});
  CHECK(words.total(Tokens{7, 1, 2, 3, 8}) == doctest::Approx(1.5));
}

TEST_CASE(
    "hot words: a word that breaks off gives back what it was lent, at the end of the text too") {
  HotWords words(0.5F);
  words.add(Tokens{1, 2, 3});
  CHECK(words.total(Tokens{1, 2, 8}) == 0);
  CHECK(words.total(Tokens{1, 2}) == 0);
  CHECK(words.total(Tokens{1, 1, 2, 3}) == doctest::Approx(1));
  CHECK(words.total(Tokens{}) == 0);
}

TEST_CASE("hot words: a word within another, one that begins as another ends") {
  HotWords words(1);
  words.add(Tokens{1, 2});
  words.add(Tokens{1, 2, 3, 4});
  CHECK(words.total(Tokens{1, 2, 9}) == 2);     // the shorter one is kept
  CHECK(words.total(Tokens{1, 2, 3, 9}) == 2);  // only what was lent since is given back
  CHECK(words.total(Tokens{1, 2, 3, 4}) == 4);
  words.add(Tokens{3, 5});
  CHECK(words.total(Tokens{1, 2, 3, 5}) == 4);  // 1 2, then 3 5
}

TEST_CASE("hot words: said again, a word earns nothing") {
  HotWords words(1);
  words.add(Tokens{1, 2});
  words.add(Tokens{1, 3});
  CHECK(words.total(Tokens{1, 2, 9, 1, 2, 1, 2}) == 2);
  CHECK(words.total(Tokens{1, 2, 9, 1, 3}) == 3);  // only its second token is new
  CHECK(words.total(Tokens{1, 2, 9, 1, 9}) == 2);
  CHECK(words.total(Tokens{1, 9, 1, 2}) == 1);
}

TEST_CASE("hot words: nothing named, or a single token, changes nothing") {
  HotWords words(1);
  words.add(Tokens{4});
  words.add(Tokens{});
  CHECK(words.empty());
  CHECK(given(words, {4}) == std::map<int, float>{{0, 0}});
}

}  // namespace
}  // namespace yyc3::worker
