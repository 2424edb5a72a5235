#pragma once

#include <cstdint>
#include <span>

namespace yyc3::codec {

/// ITU-T G.711, one sample each way. Linear is 16-bit signed; mu-law clips at +-32635.
/// Pure functions, any thread. The span forms work on the shorter of the two lengths.
std::uint8_t mulaw_encode(std::int16_t linear);
std::int16_t mulaw_decode(std::uint8_t code);
std::uint8_t alaw_encode(std::int16_t linear);
std::int16_t alaw_decode(std::uint8_t code);
/// The mu-law code nearest to an A-law code and back (G.711 tables 3 and 4 in effect).
std::uint8_t alaw_to_mulaw(std::uint8_t code);
std::uint8_t mulaw_to_alaw(std::uint8_t code);

void mulaw_encode(std::span<const std::int16_t> linear, std::span<std::uint8_t> codes);
void mulaw_decode(std::span<const std::uint8_t> codes, std::span<std::int16_t> linear);
void alaw_encode(std::span<const std::int16_t> linear, std::span<std::uint8_t> codes);
void alaw_decode(std::span<const std::uint8_t> codes, std::span<std::int16_t> linear);

inline constexpr std::uint8_t kMulawSilence = 0xFF;
inline constexpr std::uint8_t kAlawSilence = 0xD5;

}  // namespace yyc3::codec
