#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "platform/net/http.hpp"
#include "platform/net/http_client.hpp"

using namespace yyc3::net;

// What a stranger may put into a request line or a Range header.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto query = parse_query(text)) {
    for (const auto& [name, value] : *query) {  // what was read can be written and read again
      const auto again = parse_query(percent_encode(name) + "=" + percent_encode(value));
      if (!again || again->begin()->first != name || again->begin()->second != value) std::abort();
    }
  }
  if (const auto path = parse_path(text)) {
    if (!path->starts_with('/') || path->find('\0') != std::string::npos) std::abort();
    if ((*path + "/").find("/../") != std::string::npos) std::abort();
  }
  const std::uint64_t length = size * 7;
  if (const auto range = parse_range(text, length); range && *range) {
    if ((*range)->first > (*range)->last || (*range)->last >= length) std::abort();
  }
  if (const auto endpoint = Endpoint::parse(text); endpoint && endpoint->host.empty()) std::abort();
  return 0;
}
