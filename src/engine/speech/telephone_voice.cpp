#include "engine/speech/telephone_voice.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "engine/telephony/codec/frame.hpp"
#include "engine/telephony/codec/level.hpp"
#include "engine/telephony/codec/resampler.hpp"
#include "engine/telephony/codec/wav.hpp"

namespace yyc3::speech {

namespace {

constexpr double kSecondsMax = 60;
constexpr std::size_t kMargin = 40 * 8;  // samples kept around the speech
constexpr float kQuietDbov = -48.0F;     // a 10 ms block below is silence

/// Drops silence at both ends but for the margin.
void trim(std::vector<std::int16_t>& pcm) {
  constexpr std::size_t kBlock = 80;
  std::size_t first = pcm.size();
  std::size_t last = 0;
  for (std::size_t at = 0; at + kBlock <= pcm.size(); at += kBlock) {
    if (codec::level_dbov(std::span(pcm).subspan(at, kBlock)) < kQuietDbov) continue;
    first = std::min(first, at);
    last = at + kBlock;
  }
  if (last == 0) return pcm.clear();
  const std::size_t end = std::min(pcm.size(), last + kMargin);
  const std::size_t begin = first > kMargin ? first - kMargin : 0;
  pcm.erase(pcm.begin() + static_cast<std::ptrdiff_t>(end), pcm.end());
  pcm.erase(pcm.begin(), pcm.begin() + static_cast<std::ptrdiff_t>(begin));
}

}  // namespace

Result<Pcm> telephone_voice(ByteView wav) {
  const auto parsed = codec::parse_wav(wav);
  if (!parsed) return tl::unexpected<Error>(parsed.error());
  if (parsed->seconds() > kSecondsMax)
    return fail(ErrorCode::kInvalid, "the voice engine gave more than 60 s for one text");
  const auto mono = parsed->mono();
  auto narrow = codec::resample(mono, parsed->rate, codec::kSampleRate);
  if (!narrow) return tl::unexpected<Error>(narrow.error());
  trim(*narrow);
  codec::match_loudness(*narrow, codec::kSampleRate);
  return std::make_shared<const std::vector<std::int16_t>>(std::move(*narrow));
}

}  // namespace yyc3::speech
