#pragma once

#include <string>
#include <vector>

#include "engine/speech/recognizer.hpp"

namespace yyc3::worker {

/// The phrases a closed grammar can hear, as the model writes them. Empty for kinds that are
/// decoded freely (free, digits, time). @param options used with kOptions.
[[nodiscard]] std::vector<std::string> phrases_of(speech::GrammarKind kind,
                                                  speech::Language language,
                                                  const std::vector<std::string>& options);

}  // namespace yyc3::worker
