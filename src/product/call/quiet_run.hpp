#pragma once

#include <array>
#include <cstdint>

#include "product/call/sample_pos.hpp"

namespace yyc3::call {

/// Where a speaker fell silent, by loudness alone: quiet is what lies 35 dB below the loudest of
/// the last seconds. The probability of speech falls 100 ms later (median, Silero on 167 turns).
/// On a noisy line nothing is so quiet, and this finds nothing.
/// Threads: none. No allocation.
class QuietRun {
 public:
  struct Span {
    SamplePos from = 0;
    SamplePos to = 0;
    [[nodiscard]] SamplePos length() const { return to - from; }
  };

  /// The samples [from, to), one after another, 20 ms each, with their level (codec::level_dbov).
  void on_level(SamplePos from, SamplePos to, float dbov);

  /// The unbroken quiet that reaches up to now; empty while there is sound.
  [[nodiscard]] Span now() const { return now_; }
  /// The last quiet of kLeast or more, which may be over. Probabilities come later than levels.
  [[nodiscard]] Span last() const { return last_; }

  /// The unbroken sound that reaches up to now; empty while it is quiet.
  [[nodiscard]] Span sound() const { return sounding_ ? sound_ : Span{}; }

  /// Shorter than this it is the closure of a plosive.
  static constexpr SamplePos kLeast = 60 * kSamplesPerMs;

 private:
  static constexpr std::size_t kSustained = 3;  ///< frames: a click is no loud voice

  std::array<float, kSustained> recent_{-96, -96, -96};
  std::size_t next_ = 0;
  float loudest_ = -96;
  Span now_;
  Span last_;
  Span sound_;
  bool sounding_ = false;
};

}  // namespace yyc3::call
