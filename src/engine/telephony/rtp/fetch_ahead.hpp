#pragma once

#include <cstdint>

namespace yyc3::rtp {

/// Asks for the memory [from, to) that is soon read and written, and does not wait for it. The
/// streams of a media thread fill no cache: what one tick touches is asked for while the one before
/// it runs.
inline void fetch_ahead(const void* from, const void* to) {
  constexpr std::uintptr_t kLine = 64;
  const auto end = reinterpret_cast<std::uintptr_t>(to);
  for (auto at = reinterpret_cast<std::uintptr_t>(from) & ~(kLine - 1); at < end; at += kLine)
    __builtin_prefetch(reinterpret_cast<const void*>(at), 1);  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace yyc3::rtp
