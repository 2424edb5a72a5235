#include <cstdint>
#include <cstdlib>

#include "engine/telephony/rtp/dtmf.hpp"

using namespace yyc3::rtp;

// Rows of 6 bytes: payload (4), time stamp step, ticks that pass.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  DtmfReceiver receiver;
  std::uint32_t timestamp = 0;
  std::uint64_t at = 0;
  std::size_t rows = 0;
  std::size_t keys = 0;
  for (; size >= 6; data += 6, size -= 6, ++rows) {
    timestamp += static_cast<std::uint32_t>(data[4]) * 40;
    if (const auto payload = parse_dtmf({data, 4}))
      if (const auto key = receiver.on_event(*payload, timestamp, at)) {
        ++keys;
        if (!event_of(key->digit)) std::abort();
      }
    at += 160ULL * data[5];
    if (receiver.on_tick(at)) ++keys;
  }
  if (keys > rows) std::abort();  // no key out of nothing
  return 0;
}
