#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "engine/telephony/echo/echo_canceller.hpp"
#include "engine/telephony/rtp/media_stream.hpp"

namespace yyc3::call {

/// What is heard on a line, without the bot's own voice that comes back over it.
/// Threads: the call's loop.
class LineInput {
 public:
  /// @param echo_tail how late an echo may come; 0: nothing is taken out.
  LineInput(rtp::MediaStream& media, Milliseconds echo_tail);

  /// As MediaStream::next_input, but of the caller alone: `vad` is false where only the bot's echo
  /// is heard. A frame waits for its comparison with what was played: no longer than one tick.
  bool next(rtp::InputFrame& out);

 private:
  struct Cleaned {
    std::uint64_t at = UINT64_MAX;
    bool echo = false;
    codec::Frame pcm{};
  };
  /// Frames that may still be asked for: the pre-roll of speech (300 ms) and what waits (640 ms).
  static constexpr std::size_t kKept = 64;

  void compare();
  [[nodiscard]] Cleaned& slot(std::uint64_t at) {
    return (*cleaned_)[at / codec::kFrameSamples % kKept];
  }

  rtp::MediaStream& media_;
  std::shared_ptr<rtp::RecordTap> tap_;  ///< null: nothing is taken out
  std::optional<echo::EchoCanceller> canceller_;
  std::unique_ptr<std::array<Cleaned, kKept>> cleaned_;
  std::uint64_t compared_to_ = 0;
  std::optional<rtp::InputFrame> waiting_;
};

}  // namespace yyc3::call
