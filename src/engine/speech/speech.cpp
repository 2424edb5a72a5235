#include <fmt/format.h>
#include <string_view>

#include "engine/speech/recognizer.hpp"
#include "engine/speech/synthesizer.hpp"

namespace yyc3::speech {

const char* code_of(Language language) { return language == Language::kChinese ? "zh" : "en"; }

std::optional<Language> language_of(std::string_view code) {
  if (code == "zh") return Language::kChinese;
  if (code == "en") return Language::kEnglish;
  return std::nullopt;
}

std::string SpeakRequest::cache_key() const {
  return fmt::format("{}|{}|{:.2f}|{}", code_of(language), voice, speed, text);
}

}  // namespace yyc3::speech
