#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace yyc3::codec {

/// A marked place of a WAV file ("cue " chunk): what `name` means is its writer's.
struct WavCue {
  std::uint32_t name;
  std::uint32_t frame;  ///< the sample frame it stands before
  bool operator==(const WavCue&) const = default;
};

/// Sound of a WAV file as 16-bit samples, channels interleaved.
struct Wav {
  int rate = 8000;  ///< samples a second a channel
  int channels = 1;
  std::vector<std::int16_t> samples;  ///< a multiple of `channels`
  std::vector<WavCue> cues = {};      ///< as written: in any order, possibly behind the end

  [[nodiscard]] std::vector<std::int16_t> mono() const;  ///< the mean of the channels
  [[nodiscard]] double seconds() const;
};

/// Reads RIFF/WAVE: PCM 8, 16, 24, 32 bit, IEEE float 32, G.711 A-law and mu-law, plain or
/// WAVE_FORMAT_EXTENSIBLE; 1–8 channels, 4,000–192,000 Hz. A data chunk longer than the file (or
/// of size 0 or FFFFFFFF, as streaming writers leave it) ends with the file; a half sample at the
/// end is dropped. Cues beyond the first kCuesMax are left out. The bytes may be hostile. Errors:
/// kInvalid with what is wrong and the fix.
Result<Wav> parse_wav(ByteView bytes);

/// A RIFF header (44 bytes) for 16-bit PCM of `frames` sample frames. Sizes saturate at 4 GiB.
std::array<std::uint8_t, 44> wav_header(int rate, int channels, std::uint64_t frames);
/// The whole file, 16-bit PCM. `samples` interleaved. Of `cues` the first kCuesMax are written.
Bytes write_wav(int rate, int channels, std::span<const std::int16_t> samples,
                std::span<const WavCue> cues = {});

inline constexpr std::size_t kCuesMax = 4096;

}  // namespace yyc3::codec
