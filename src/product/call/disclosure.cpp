#include "product/call/disclosure.hpp"

#include <algorithm>

#include "product/call/sample_pos.hpp"

namespace yyc3::call {

namespace {

/// End of the clause that says an AI is calling, in bytes; 0 when none does. What follows it, the
/// name of the person called for one, is no part of it.
std::size_t disclosure_end(const std::string& text) {
  for (const char* marker : {"智能语音助手", "智能助手", "AI", "人工智能"}) {
    const std::size_t at = text.find(marker);
    if (at == std::string::npos) continue;
    std::size_t end = text.size();
    for (const char* stop : {"。", "！", "？", "，", "；", ". ", "! ", ", ", "; "}) {
      const std::size_t found = text.find(stop, at);
      if (found != std::string::npos) end = std::min(end, found + std::string_view(stop).size());
    }
    return end;
  }
  return 0;
}

}  // namespace

std::optional<DisclosureHeard> disclosure_heard(const Spoken& spoken) {
  const std::size_t end = disclosure_end(spoken.text);
  if (end == 0) return std::nullopt;
  const auto ms = [](std::uint64_t samples) {
    return Milliseconds{static_cast<std::int64_t>(samples / kSamplesPerMs)};
  };
  // Played up to the clause's end is played whole, whatever was cut behind it.
  const bool whole = spoken.heard_unbroken >= end;
  return DisclosureHeard{
      spoken.text.substr(0, end), spoken.started_at, ms(spoken.samples),
      whole ? ms(spoken.samples) : ms(std::max(spoken.samples_whole, spoken.samples + 8))};
}

}  // namespace yyc3::call
