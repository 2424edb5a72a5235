#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "platform/storage/sql_text.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view sql(reinterpret_cast<const char*>(data), size);
  const auto numbered = yyc3::storage::number_placeholders(sql);
  if (!numbered) return 0;
  // Putting the question marks back must give the text that came in.
  std::string back;
  std::size_t next = 1;
  std::size_t at = 0;
  for (const char c : sql) {
    const std::string mark = "$" + std::to_string(next);
    const std::string_view rest = std::string_view(numbered->text).substr(at);
    const bool placed = c == '?' && rest.starts_with(mark);
    back += placed ? '?' : rest.front();
    at += placed ? mark.size() : 1;
    next += placed ? 1 : 0;
  }
  if (back != sql || at != numbered->text.size() || next != numbered->arguments + 1) std::abort();
  return 0;
}
