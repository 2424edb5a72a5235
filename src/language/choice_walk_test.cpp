#include "language/choice_walk.hpp"

#include <doctest/doctest.h>
#include <map>
#include <rapidcheck.h>
#include <set>

namespace yyc3::language {
namespace {

std::function<float(Token)> likes(std::map<Token, float> scores) {
  return [scores = std::move(scores)](Token token) {
    const auto at = scores.find(token);
    return at == scores.end() ? 0.0F : at->second;
  };
}

TEST_CASE("the first token decides where no two begin alike") {
  ChoiceWalk walk({{1, 9}, {2, 9}, {3, 9}});
  CHECK_FALSE(walk.chosen());
  CHECK(walk.common().empty());
  CHECK(walk.step(likes({{2, 1.0F}})) == 2);
  CHECK(walk.chosen() == 1);
}

TEST_CASE("what all go on with alike is read without a question") {
  ChoiceWalk walk({{5, 6, 1, 9}, {5, 6, 2, 9}, {5, 7, 9}});
  CHECK(walk.common() == std::vector<Token>{5});
  CHECK(walk.step(likes({{6, 1.0F}})) == 6);
  CHECK_FALSE(walk.chosen());
  CHECK(walk.common().empty());
  CHECK(walk.step(likes({{1, -2.0F}, {2, -1.0F}})) == 2);
  CHECK(walk.chosen() == 1);
}

TEST_CASE("a single choice is the answer at once") {
  ChoiceWalk walk({{1, 2}});
  CHECK(walk.chosen() == 0);
  CHECK(walk.common().empty());
}

TEST_CASE("one that begins another is told apart by its end") {
  ChoiceWalk walk({{1, 9}, {1, 2, 9}});
  CHECK(walk.common() == std::vector<Token>{1});
  SUBCASE("the short one") {
    CHECK(walk.step(likes({{9, 1.0F}})) == 9);
    CHECK(walk.chosen() == 0);
  }
  SUBCASE("the long one") {
    CHECK(walk.step(likes({{2, 1.0F}})) == 2);
    CHECK(walk.chosen() == 1);
  }
}

TEST_CASE("property: any choices end in one of them, whatever the model likes") {
  CHECK(rc::check([] {
    const auto some = *rc::gen::nonEmpty(rc::gen::container<std::set<std::vector<Token>>>(
        rc::gen::nonEmpty(rc::gen::container<std::vector<Token>>(rc::gen::inRange(1, 4)))));
    std::vector<std::vector<Token>> choices;
    for (auto choice : some) {
      choice.push_back(99);  // the end
      choices.push_back(std::move(choice));
    }
    ChoiceWalk walk(choices);
    std::vector<Token> read;
    for (int steps = 0; !walk.chosen(); ++steps) {
      RC_ASSERT(steps < 1000);
      for (const Token token : walk.common()) read.push_back(token);
      const auto taste = *rc::gen::inRange(0, 1000);
      read.push_back(
          walk.step([taste](Token t) { return static_cast<float>((t * 37 + taste) % 11); }));
    }
    const auto& chosen = choices[*walk.chosen()];
    RC_ASSERT(read.size() <= chosen.size());
    RC_ASSERT(std::equal(read.begin(), read.end(), chosen.begin()));
  }));
}

}  // namespace
}  // namespace yyc3::language
