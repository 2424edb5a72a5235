#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "engine/inference/openai_messages.hpp"
#include "engine/inference/sse_parser.hpp"

namespace {

using namespace yyc3::inference;

void require(bool good) {
  if (!good) std::abort();
}

std::vector<std::string> read_in_pieces(std::string_view body, std::size_t size) {
  SseParser parser;
  std::vector<std::string> all;
  for (std::size_t at = 0; at < body.size(); at += size) {
    const auto events = parser.feed(body.substr(at, size));
    if (!events) return all;
    all.insert(all.end(), events->begin(), events->end());
  }
  return all;
}

}  // namespace

/// An engine's stream: how it is cut makes no difference, and what is taken of it is in range.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto events = read_in_pieces(body, body.size() + 1);
  require(events == read_in_pieces(body, 1) && events == read_in_pieces(body, 7));
  const std::vector<std::string> choices{"yes", "no"};
  for (const std::string& event : events) {
    const auto delta = decode_delta(event);
    if (delta)
      require(yyc3::is_utf8(delta->text) && delta->tokens >= 0 && delta->prompt_tokens >= 0);
    else
      require(!delta.error().detail.empty());
    const auto choice = choice_in(event, choices);
    require(!choice || *choice == "yes" || *choice == "no");
  }
  return 0;
}
