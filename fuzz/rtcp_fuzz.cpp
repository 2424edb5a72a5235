#include <array>
#include <cstdint>
#include <cstdlib>

#include "engine/telephony/rtp/rtcp.hpp"

using namespace yyc3::rtp;

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto report = parse_rtcp({data, size});
  if (!report) return 0;
  std::array<std::uint8_t, 256> out{};
  const std::size_t built = build_rtcp(*report, "fuzz", out);
  if (built == 0) std::abort();  // 256 bytes hold any report
  const auto again = parse_rtcp(yyc3::ByteView(out).first(built));
  if (!again || again->block_count != report->block_count || again->bye != report->bye)
    std::abort();
  for (std::size_t i = 0; i < report->block_count; ++i)
    if (again->blocks[i].lost != report->blocks[i].lost) std::abort();
  return 0;
}
