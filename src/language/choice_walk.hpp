#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "language/sequence_table.hpp"

namespace yyc3::language {

/// One of several answers, found with as few steps of the model as possible: where all that are
/// left go on alike nothing is asked, and a single one that is left is the answer. Usually the
/// first token decides, and that is told by the prompt itself.
class ChoiceWalk {
 public:
  /// @param choices one or more, no two alike, none empty; where one begins another, give each
  /// the tokens that end it.
  explicit ChoiceWalk(std::vector<std::vector<Token>> choices);

  /// The one that is left.
  [[nodiscard]] std::optional<std::size_t> chosen() const;
  /// What all that are left go on with alike: the model reads it before `step`. It counts as read.
  std::vector<Token> common();
  /// Keeps those that go on with the likeliest token, and moves on by it. What the model has to
  /// read next is that token, then common(). @param logit of a token, after what was read.
  Token step(const std::function<float(Token)>& logit);

 private:
  std::vector<std::vector<Token>> choices_;
  std::vector<std::size_t> left_;
  std::size_t depth_ = 0;
};

}  // namespace yyc3::language
