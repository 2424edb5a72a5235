#pragma once

#include <cstddef>
#include <cstdint>

namespace yyc3::rtp {

/// Asks for memory that is soon read and written, and does not wait for it. The streams of a media
/// thread fill no cache: what one tick touches is asked for while the one before it runs.
inline void fetch_ahead(const void* first, std::size_t bytes) {
  constexpr std::uintptr_t kLine = 64;
  const auto begin = reinterpret_cast<std::uintptr_t>(first);
  for (std::uintptr_t at = begin & ~(kLine - 1); at < begin + bytes; at += kLine)
    __builtin_prefetch(reinterpret_cast<const void*>(at), 1);  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace yyc3::rtp
