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

/// Drops silence at both ends but for the margin. @return samples dropped at the beginning.
std::size_t trim(std::vector<std::int16_t>& pcm) {
  constexpr std::size_t kBlock = 80;
  std::size_t first = pcm.size();
  std::size_t last = 0;
  for (std::size_t at = 0; at + kBlock <= pcm.size(); at += kBlock) {
    if (codec::level_dbov(std::span(pcm).subspan(at, kBlock)) < kQuietDbov) continue;
    first = std::min(first, at);
    last = at + kBlock;
  }
  if (last == 0) {
    pcm.clear();
    return 0;
  }
  const std::size_t end = std::min(pcm.size(), last + kMargin);
  const std::size_t begin = first > kMargin ? first - kMargin : 0;
  pcm.erase(pcm.begin() + static_cast<std::ptrdiff_t>(end), pcm.end());
  pcm.erase(pcm.begin(), pcm.begin() + static_cast<std::ptrdiff_t>(begin));
  return begin;
}

/// The file's cues at 8 kHz. What does not rise is an engine's mistake, or another's cue: none.
std::vector<SpeechMark> marks_of(const codec::Wav& wav, std::size_t dropped, std::size_t samples) {
  std::vector<SpeechMark> marks;
  for (const codec::WavCue& cue : wav.cues) {
    const std::size_t at =
        std::uint64_t{cue.frame} * codec::kSampleRate / static_cast<std::size_t>(wav.rate);
    const auto here = static_cast<std::uint32_t>(std::min(samples, at - std::min(at, dropped)));
    if (!marks.empty() && (cue.name <= marks.back().characters || here < marks.back().samples))
      return {};
    marks.push_back({cue.name, here});
  }
  return marks;
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
  const std::size_t dropped = trim(*narrow);
  codec::match_loudness(*narrow, codec::kSampleRate);
  std::vector<SpeechMark> marks = marks_of(*parsed, dropped, narrow->size());
  return std::make_shared<const Sound>(Sound{std::move(*narrow), std::move(marks)});
}

}  // namespace yyc3::speech
