#include "engine/inference/sse_parser.hpp"

#include <utility>

namespace yyc3::inference {

Result<std::vector<std::string>> SseParser::feed(std::string_view bytes) {
  std::vector<std::string> events;
  for (const char c : bytes) {
    const bool second_half = std::exchange(after_return_, c == '\r') && c == '\n';
    if (second_half) continue;
    if (c == '\n' || c == '\r') {
      take_line(events);
      continue;
    }
    if (line_.size() + data_.size() >= kEventBytesMax)
      return fail(ErrorCode::kInvalid, "a server-sent event is longer than 256 KiB");
    line_ += c;
  }
  return events;
}

void SseParser::take_line(std::vector<std::string>& events) {
  std::string taken = std::exchange(line_, {});
  std::string_view line = taken;
  if (std::exchange(first_, false) && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  if (line.empty()) {
    if (std::exchange(has_data_, false)) events.push_back(std::exchange(data_, {}));
    return;
  }
  const std::size_t colon = line.find(':');
  if (line.substr(0, colon) != "data") return;
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (std::exchange(has_data_, true)) data_ += '\n';
  data_ += value;
}

}  // namespace yyc3::inference
