#pragma once

#include <initializer_list>
#include <string_view>

#include "base/bytes.hpp"

namespace yyc3::security {

/// Additional authenticated data out of parts, each behind its length, so that ("ab", "c") and
/// ("a", "bc") differ.
inline Bytes aad_of(std::initializer_list<std::string_view> parts) {
  Bytes out;
  for (const std::string_view part : parts) {
    for (int shift = 56; shift >= 0; shift -= 8)
      out.push_back(static_cast<std::uint8_t>(std::uint64_t{part.size()} >> shift));
    const ByteView bytes = as_bytes(part);
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

}  // namespace yyc3::security
