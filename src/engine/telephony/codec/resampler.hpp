#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.hpp"

namespace yyc3::codec {

using Samples = std::vector<std::int16_t>;

/// Streaming sample-rate conversion, mono (SpeexDSP). One object a stream and direction: it keeps
/// the filter's memory. About 3 us for 20 ms 8 → 16 kHz. Threads: one at a time.
class Resampler {
 public:
  /// @param quality 0 (worst) … 10; 3 is fine for recognition, 5 for listening.
  /// Errors: kInvalid unless both rates are 4,000–192,000 Hz and quality 0–10.
  static Result<Resampler> make(int from_hz, int to_hz, int quality = 3);

  /// Appends the converted `pcm` to `out`. Each call gives n × to / from samples, ± 1.
  void process(std::span<const std::int16_t> pcm, Samples& out);
  /// Appends what the filter still holds (its delay); the stream has ended.
  void flush(Samples& out);
  /// By how many output samples the output lags behind the input.
  [[nodiscard]] std::size_t delay() const;

 private:
  friend Result<Samples> resample(std::span<const std::int16_t> pcm, int from_hz, int to_hz,
                                  int quality);
  struct Free {
    void operator()(void* state) const;
  };
  explicit Resampler(void* state) : state_(state) {}
  std::unique_ptr<void, Free> state_;
};

/// The whole of `pcm`, without the filter's delay: result[i] is at the time of pcm[i * from / to].
/// Its length is pcm.size() × to / from, rounded. Errors: as Resampler::make.
Result<Samples> resample(std::span<const std::int16_t> pcm, int from_hz, int to_hz,
                         int quality = 5);

}  // namespace yyc3::codec
