#include <cstdint>
#include <cstdlib>

#include "engine/telephony/codec/wav.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto wav = yyc3::codec::parse_wav({data, size});
  if (!wav) return 0;
  if (wav->samples.size() > size) std::abort();  // no sample out of nothing
  if (wav->samples.size() % static_cast<std::size_t>(wav->channels) != 0) std::abort();
  if (wav->cues.size() * 24 > size) std::abort();
  const auto again = yyc3::codec::parse_wav(
      yyc3::codec::write_wav(wav->rate, wav->channels, wav->samples, wav->cues));
  if (wav->samples.empty()) return 0;
  if (!again || again->samples != wav->samples || again->cues != wav->cues) std::abort();
  return 0;
}
