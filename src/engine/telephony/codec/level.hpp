#pragma once

#include <cstdint>
#include <span>

namespace yyc3::codec {

/// Digital silence is reported as this.
inline constexpr float kSilenceDbov = -96.0F;

/// RMS in dBov: 0 = a full-scale square wave (RFC 6464 §3), so a full-scale sine is -3.
/// Empty = kSilenceDbov. Threads: pure, any; no allocation.
float level_dbov(std::span<const std::int16_t> pcm);

/// Level of the speech alone: RMS of the 20 ms blocks within 25 dB of the loudest.
/// @param rate samples a second. kSilenceDbov when there is none above -60 dBov.
float speech_level_dbov(std::span<const std::int16_t> pcm, int rate);

/// Loudness for a telephone: -20 dBov of active speech sits near the -19…-21 dBm0 that networks
/// are lined up for (ITU-T G.100.1), with peaks held under the codec's clipping.
struct Loudness {
  float target_dbov = -20.0F;
  float gain_max_db = 24.0F;  ///< never lifts noise by more
  float peak_dbov = -3.0F;    ///< no sample beyond after limiting
};

/// Brings `pcm` to the target in place and limits its peaks (gain moves over 5 ms, so without
/// clicks). Returns the gain in dB applied where the limiter was at rest.
/// Silence is left alone (0). Threads: pure; allocates one float a 5 ms block.
float match_loudness(std::span<std::int16_t> pcm, int rate, const Loudness& loudness = {});

}  // namespace yyc3::codec
