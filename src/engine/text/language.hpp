#pragma once

namespace yyc3::text {

/// The language a line is written and read in; a Chinese line may hold English words.
enum class Language { kZh, kEn };

}  // namespace yyc3::text
