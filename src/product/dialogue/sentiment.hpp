#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/text/language.hpp"

namespace yyc3::dialogue {

enum class Sentiment { kNegative, kNeutral, kPositive };
[[nodiscard]] const char* name_of(Sentiment sentiment);  ///< "negative" "neutral" "positive"

struct SentimentReading {
  Sentiment sentiment = Sentiment::kNeutral;
  double score = 0;                   ///< −1 (furious) … 1 (delighted); |score| < 0.25 is neutral
  std::vector<std::string> keywords;  ///< the words that decided, as said; at most 8
  /// Anger a machine should not answer itself: the call goes to a person.
  [[nodiscard]] bool strongly_negative() const { return score <= -0.75; }
};

/// By a lexicon with negation ("不好") and degree ("太差了", "very bad"). Pure; any thread; < 0.1
/// ms.
[[nodiscard]] SentimentReading read_sentiment(std::string_view text, text::Language language);

}  // namespace yyc3::dialogue
