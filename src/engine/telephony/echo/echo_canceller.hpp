#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "base/clock.hpp"
#include "engine/telephony/codec/frame.hpp"

namespace yyc3::echo {

/// Takes the bot's own voice out of what comes back from the line. Two stages: an adaptive filter
/// (SpeexDSP's MDF, Valin 2007, "On adjusting the learning rate in frequency domain echo
/// cancellation with double-talk") removes what it can model; a gate that knows what was played
/// and how much of it is usually left softens the rest. Adds no delay. While the bot is silent
/// nothing is touched, bit by bit.
/// Threads: none. About 50 us of work a frame while the bot is heard; 101 KB with a tail of 400 ms.
class EchoCanceller {
 public:
  enum class Verdict {
    kClear,   ///< the bot was silent for the whole tail: what was heard is left alone
    kEcho,    ///< no more than the bot's voice is usually left: 20 dB softer
    kSpeech,  ///< somebody speaks over the bot: what was heard without its voice
  };
  static constexpr Milliseconds kTailMin{40};
  static constexpr Milliseconds kTailMax{500};

  /// @param tail how late an echo comes back; kTailMin..kTailMax, others are brought into it.
  explicit EchoCanceller(Milliseconds tail);

  /// 20 ms of both directions at one place of the sample clock, one after the other.
  /// @param out what was heard, without the echo; may not be `heard`.
  Verdict process(const codec::Frame& heard, const codec::Frame& played, codec::Frame& out);

 private:
  struct Free {
    void operator()(void* state) const;
  };
  /// Does the loudness of what is heard follow that of what was played? An echo's does.
  class Loudness {
   public:
    Loudness();
    void add(float heard_dbov, float played_dbov);
    /// Of this frame and so many before it, dBov.
    [[nodiscard]] float loudest_played(std::size_t frames) const;
    /// @param lags frames that an echo may be late, 0..25.
    [[nodiscard]] bool follows(std::size_t lags) const;

   private:
    static constexpr std::size_t kKept = 48;
    [[nodiscard]] std::size_t before(std::size_t frames) const {
      return (next_ + kKept - 1 - frames) % kKept;
    }
    std::array<float, kKept> heard_{};  // dBov
    std::array<float, kKept> played_{};
    std::size_t next_ = 0;
  };
  /// What is usually left of the bot's voice, as levels below the loudest that was played: a
  /// histogram of 1 dB that forgets within seconds.
  class Residual {
   public:
    Residual();
    void learn(float below_db, float weight);
    /// Above this somebody speaks, dB below the loudest played.
    [[nodiscard]] float limit_db() const;

   private:
    std::array<float, 64> share_{};
  };

  std::unique_ptr<void, Free> filter_;
  std::size_t tail_frames_;
  Loudness loudness_;
  Residual residual_;
  int hold_ = 0;  ///< frames that the gate stays open
};

}  // namespace yyc3::echo
