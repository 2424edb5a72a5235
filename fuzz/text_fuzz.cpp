#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/bytes.hpp"
#include "engine/text/cleanup.hpp"
#include "engine/text/normalizer.hpp"
#include "engine/text/understand.hpp"
#include "engine/text/utf8.hpp"

using namespace yyc3::text;

// What needs no tables, since a fuzzer's machine may have none: everything that reads hostile text.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::u32string chars = decode_utf8(text);
  if (!yyc3::is_utf8(encode_utf8(chars))) std::abort();
  for (const Language language : {Language::kZh, Language::kEn}) {
    const SpokenText spoken = normalize(text, language);
    if (spoken.origin.size() != spoken.text.size()) std::abort();
    std::size_t before = 0;
    for (std::size_t i = 0; i < spoken.text.size(); ++i) {
      const Span span = spoken.origin[i];
      if (is_digit(spoken.text[i]) || span.begin < before || span.end > chars.size()) std::abort();
      before = span.begin;
    }
    const WhenReading when = parse_when(text, {{2026, 11, 24}, {14, 40}}, language);
    if (when.date && !is_real(*when.date)) std::abort();
    if (when.time && (when.time->hour < 0 || when.time->hour > 23)) std::abort();
  }
  const CutText cut = cut_repetition(text);
  if (!yyc3::is_utf8(cut.text)) std::abort();
  if (parse_digits(text).size() > 64) std::abort();
  (void)parse_number(text);
  (void)parse_yes_no(text);
  return 0;
}
