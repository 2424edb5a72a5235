#include "language/choice_walk.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace yyc3::language {

ChoiceWalk::ChoiceWalk(std::vector<std::vector<Token>> choices)
    : choices_(std::move(choices)), left_(choices_.size()) {
  std::iota(left_.begin(), left_.end(), std::size_t{0});
}

std::optional<std::size_t> ChoiceWalk::chosen() const {
  if (left_.size() != 1) return std::nullopt;
  return left_.front();
}

std::vector<Token> ChoiceWalk::common() {
  std::vector<Token> out;
  const auto goes_on = [this](std::size_t choice) {
    return depth_ < choices_[choice].size() &&
           choices_[choice][depth_] == choices_[left_.front()][depth_];
  };
  while (left_.size() > 1 && depth_ < choices_[left_.front()].size() &&
         std::ranges::all_of(left_, goes_on))
    out.push_back(choices_[left_.front()][depth_++]);
  return out;
}

Token ChoiceWalk::step(const std::function<float(Token)>& logit) {
  const auto ended = [this](std::size_t choice) { return depth_ >= choices_[choice].size(); };
  if (!std::ranges::all_of(left_, ended)) std::erase_if(left_, ended);
  left_.resize(ended(left_.front()) ? 1 : left_.size());
  if (ended(left_.front())) return choices_[left_.front()].back();
  Token best = choices_[left_.front()][depth_];
  for (const std::size_t choice : left_)
    if (logit(choices_[choice][depth_]) > logit(best)) best = choices_[choice][depth_];
  std::erase_if(left_, [&](std::size_t choice) { return choices_[choice][depth_] != best; });
  ++depth_;
  return best;
}

}  // namespace yyc3::language
