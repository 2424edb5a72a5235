#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace yyc3::app {

/// Cuts 8 kHz audio at its silences into stretches of at most 20 s that can be recognised one by
/// one, [first, past the last) sample. By level alone: 35 dB under the loudest 20 ms is silence;
/// gaps under 500 ms do not cut; 200 ms are kept around each stretch.
std::vector<std::pair<std::size_t, std::size_t>> speech_segments(std::span<const std::int16_t> pcm);

}  // namespace yyc3::app
