#pragma once

#include "base/bytes.hpp"
#include "engine/speech/synthesizer.hpp"

namespace yyc3::speech {

/// A WAV of any voice made fit for a telephone: mono, 8 kHz, silence at both ends trimmed to 40 ms,
/// active speech at −20 dBov, peaks below −3 dBov. Bound: 60 s.
/// Errors: kInvalid when it is not a WAV of 16-bit PCM, or is longer.
Result<Pcm> telephone_voice(ByteView wav);

}  // namespace yyc3::speech
