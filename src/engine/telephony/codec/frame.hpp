#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace yyc3::codec {

/// The audio unit of the house: 20 ms, mono, 8 kHz.
inline constexpr int kSampleRate = 8000;
inline constexpr std::size_t kFrameSamples = 160;
using Frame = std::array<std::int16_t, kFrameSamples>;
/// The same 20 ms as mu-law codes: what rings and recordings hold.
using MuFrame = std::array<std::uint8_t, kFrameSamples>;

}  // namespace yyc3::codec
