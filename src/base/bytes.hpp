#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace yyc3 {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string to_hex(ByteView bytes);  ///< lower-case
std::optional<Bytes> from_hex(std::string_view text);
std::string to_base64url(ByteView bytes);  ///< RFC 4648 §5, no padding

/// True when `text` is well-formed UTF-8 (no surrogates, no overlong forms; RFC 3629).
bool is_utf8(std::string_view text);
/// `text` with every malformed byte sequence dropped; model output is hostile.
std::string sanitize_utf8(std::string_view text);
/// How many bytes of `text` come before a character that its end cuts in two.
std::size_t whole_utf8(std::string_view text);

/// Big-endian (network order) fields of a packet. Callers have checked the size.
inline std::uint16_t read_u16(ByteView b, std::size_t at) {
  return static_cast<std::uint16_t>(b[at] << 8 | b[at + 1]);
}
inline std::uint32_t read_u32(ByteView b, std::size_t at) {
  return static_cast<std::uint32_t>(read_u16(b, at)) << 16 | read_u16(b, at + 2);
}
inline void write_u16(std::span<std::uint8_t> b, std::size_t at, std::uint16_t v) {
  b[at] = static_cast<std::uint8_t>(v >> 8);
  b[at + 1] = static_cast<std::uint8_t>(v);
}
inline void write_u32(std::span<std::uint8_t> b, std::size_t at, std::uint32_t v) {
  write_u16(b, at, static_cast<std::uint16_t>(v >> 16));
  write_u16(b, at + 2, static_cast<std::uint16_t>(v));
}

}  // namespace yyc3
