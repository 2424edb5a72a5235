#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace yyc3::worker {

/// What customers say on the telephone, in Chinese: one utterance a line, no marks
/// (data/said_zh.txt).
std::string_view said_zh();

constexpr std::size_t kPhrasesBytesMax = std::size_t{1} << 20U;

/// The operator's own phrases: UTF-8, one a line (`speech.phrases_zh`). Errors: kNotFound, kInvalid
/// (more than kPhrasesBytesMax, not UTF-8); the detail names the key.
Result<std::string> read_phrases(const std::filesystem::path& file);

}  // namespace yyc3::worker
