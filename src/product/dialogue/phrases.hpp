#pragma once

#include <span>
#include <string_view>

#include "product/dialogue/understanding.hpp"

/// The phrases behind the rules. Data of the room: no other room includes this.
namespace yyc3::dialogue {

struct RequestPhrase {
  Request request;
  std::string_view text;
};
struct KeywordPhrase {
  Intent intent;
  std::string_view text;
};

[[nodiscard]] std::span<const RequestPhrase> request_phrases(text::Language language);
/// The keyword rules of B1, also the baseline the model is measured against.
[[nodiscard]] std::span<const KeywordPhrase> keyword_phrases(text::Language language);
/// Signs of listening.
[[nodiscard]] std::span<const std::string_view> back_channels(text::Language language);

}  // namespace yyc3::dialogue
