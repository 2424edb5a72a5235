#pragma once

#include <string>
#include <vector>

#include "engine/speech/recognizer.hpp"
#include "engine/text/cleanup.hpp"

namespace yyc3::speech {

/// The phrases a closed grammar can hear, as a recogniser writes them. Empty for kinds that are
/// decoded freely (free, digits, time). @param options used with kOptions.
[[nodiscard]] std::vector<std::string> phrases_of(GrammarKind kind, Language language,
                                                  const std::vector<std::string>& options);

/// For each of phrases_of() what it means: equal numbers are said for the same thing ("是",
/// "对的").
/// @param options how many, with kOptions: each means something else.
[[nodiscard]] std::vector<std::size_t> meanings_of(GrammarKind kind, Language language,
                                                   std::size_t options);

/// Whether what it means answers the question; false: it is said instead of an answer ("你是谁").
[[nodiscard]] bool is_answer(GrammarKind kind, std::size_t meaning);

/// What HeardText::text promises, of a recogniser's raw text: valid UTF-8, simplified script, no
/// repetition loops, trimmed. @param tables may be null: the script then stays as it is.
[[nodiscard]] text::CutText tidy_text(const text::TablesPtr& tables, Language language,
                                      std::string_view raw);

/// For a recogniser that cannot decode under a grammar: `text` as the one of `phrases` it sounds
/// like as a whole, or as it is when it sounds like none (a longer sentence is the dialogue's to
/// read).
/// @param tables may be null: `text` then stays.
[[nodiscard]] std::string hold_to(const text::TablesPtr& tables,
                                  const std::vector<std::string>& phrases, std::string text);

/// Said of a text whose recogniser tells no probabilities; the dialogue believes it.
inline constexpr double kConfidenceUntold = 0.8;

}  // namespace yyc3::speech
