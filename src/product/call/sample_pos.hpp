#pragma once

#include <cstdint>

namespace yyc3::call {

/// Position on the stream's 8 kHz sample clock (8 samples = 1 ms), shared by what is heard, what is
/// played and the recording. It is also the clock of turn-taking, so a simulated call is exact.
using SamplePos = std::uint64_t;
constexpr SamplePos kSamplesPerMs = 8;

}  // namespace yyc3::call
