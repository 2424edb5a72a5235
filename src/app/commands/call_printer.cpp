#include "app/commands/call_printer.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

namespace yyc3::app {

namespace {

constexpr std::int64_t kMsPerBlock = 100;
constexpr std::int64_t kBlocksMax = 30;

std::string blocks(std::int64_t ms) {
  std::string out;
  for (std::int64_t i = 0; i < std::clamp<std::int64_t>((ms + 50) / kMsPerBlock, 0, kBlocksMax);
       ++i)
    out += "▇";
  return out;
}

std::string clock_of(std::int64_t ms) {
  return fmt::format("{:>2}:{:04.1f}", ms / 60'000, static_cast<double>(ms % 60'000) / 1000);
}

}  // namespace

CallPrinter::CallPrinter(std::FILE* out)
    : out_(out), colours_(out != nullptr && isatty(fileno(out)) == 1) {}

/// Silence until the end of turn was sure, recognition beyond it, understanding, voice, sending.
std::string CallPrinter::bar(const call::Stages& s) const {
  const std::int64_t sending = std::max<std::int64_t>(
      0, s.first_packet_ms - s.end_of_turn_ms - s.understanding_ms - s.model_ms - s.voice_ms);
  const std::array<std::pair<std::int64_t, int>, 5> parts{{{s.end_of_turn_ms, 36},
                                                           {s.understanding_ms, 35},
                                                           {s.model_ms, 33},
                                                           {s.voice_ms, 32},
                                                           {sending, 34}}};
  std::string out;
  for (const auto& [ms, colour] : parts) {
    const std::string part = blocks(ms);
    out += colours_ && !part.empty() ? fmt::format("\x1b[{}m{}\x1b[0m", colour, part) : part;
  }
  return out;
}

void CallPrinter::show_turn(const call::TurnRecord& turn) {
  const bool bot = turn.speaker == "bot";
  const char* who = bot ? "bot     " : "customer";
  std::string line =
      fmt::format("{}  {}  {}", clock_of(turn.started_ms), who, bot ? turn.spoken : turn.text);
  if (!turn.unsaid.empty()) line += fmt::format(" ⟂ ({})", turn.unsaid);
  if (turn.stages && turn.stages->first_packet_ms > 0)
    line += fmt::format(
        "\n           {} {} ms = end of turn {} ({}; recognised in {}) + understanding "
        "{} + voice {}",
        bar(*turn.stages), turn.stages->first_packet_ms, turn.stages->end_of_turn_ms,
        turn.stages->judged, turn.stages->asr_ms, turn.stages->understanding_ms,
        turn.stages->voice_ms);
  fmt::print(out_, "{}\n", line);
}

void CallPrinter::show(const call::CallDetail& detail) {
  if (out_ == nullptr) return;
  for (; transitions_ < detail.transitions.size(); ++transitions_) {
    const auto& step = detail.transitions[transitions_];
    fmt::print(out_, "[{}]{}{}\n", call::name_of(step.state), step.reason.empty() ? "" : " ",
               step.reason);
  }
  for (const auto& turn : detail.turns) {
    if (turn.seq <= last_seq_) continue;
    last_seq_ = turn.seq;
    show_turn(turn);
  }
  std::fflush(out_);
}

}  // namespace yyc3::app
