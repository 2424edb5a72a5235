#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace yyc3::worker {

/// 8 kHz telephone samples → 16 kHz floats in −1..1, as Whisper takes them. Linear phase, no delay:
/// 32 taps of a windowed sinc, flat to 3.6 kHz, images below −60 dB.
[[nodiscard]] std::vector<float> to_16k(std::span<const std::int16_t> pcm8k);

/// Scales `samples` (16 kHz) so that the loudest 20 ms reach `db` dBFS (RMS); silence stays
/// silence.
void set_loudest(std::span<float> samples, float db);

}  // namespace yyc3::worker
