#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "language/chat_body.hpp"

/// A client's question to the language worker: read within its bounds, or refused with the field.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace yyc3::language;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto read = read_chat(body);
  const auto require = [](bool good) {
    if (!good) std::abort();
  };
  if (!read) {
    require(!read.error().detail.empty());
    return 0;
  }
  require(!read->messages.empty() && read->messages.size() <= 64);
  require(read->tokens_max >= 1 && read->tokens_max <= 4096);
  require(read->grammar.size() < (1u << 20));
  if (read->choice)
    for (std::size_t i = 0; i < read->choice->choices.size(); ++i) {
      const std::string text = choice_text(*read->choice, i);
      require(yyc3::is_utf8(text) && yyc3::parse_json(text).has_value());
    }
  return 0;
}
