#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"

namespace yyc3::security {

/// Fills `out` from OpenSSL's generator (seeded by the kernel). Threads: any.
/// Ends the process when there is no randomness: going on would mean guessable keys.
void random_bytes(std::span<std::uint8_t> out);
Bytes random_bytes(std::size_t count);

}  // namespace yyc3::security
