#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "engine/telephony/codec/g711.hpp"
#include "engine/telephony/codec/level.hpp"
#include "engine/telephony/codec/wav.hpp"

using namespace yyc3::codec;

// Any sample may come off the wire. RC_PARAMS="seed=..." replays a failure.
TEST_CASE("G.711 round trips stay within the quantiser's step") {
  CHECK(rc::check("mu-law: error is at most |x|/16 + 4 inside the clip level", [](std::int16_t x) {
    const int in = std::clamp<int>(x, -32635, 32635);
    RC_ASSERT(std::abs(mulaw_decode(mulaw_encode(x)) - in) <= std::abs(in) / 16 + 4);
  }));
  CHECK(rc::check("mu-law: codes survive, but for negative zero", [](std::uint8_t code) {
    RC_PRE(code != 0x7F);
    RC_ASSERT(mulaw_encode(mulaw_decode(code)) == code);
  }));
  CHECK(rc::check("A-law: error is at most |x|/16 + 16", [](std::int16_t x) {
    RC_ASSERT(std::abs(alaw_decode(alaw_encode(x)) - x) <= std::abs(static_cast<int>(x)) / 16 + 16);
  }));
  CHECK(rc::check("A-law: codes survive",
                  [](std::uint8_t code) { RC_ASSERT(alaw_encode(alaw_decode(code)) == code); }));
  CHECK(rc::check("both are monotonic", [](std::int16_t a, std::int16_t b) {
    RC_PRE(a < b);
    RC_ASSERT(mulaw_decode(mulaw_encode(a)) <= mulaw_decode(mulaw_encode(b)));
    RC_ASSERT(alaw_decode(alaw_encode(a)) <= alaw_decode(alaw_encode(b)));
  }));
}

TEST_CASE("WAV files read back as written") {
  CHECK(rc::check("16-bit PCM", [](const std::vector<std::int16_t>& samples) {
    const int channels = samples.size() % 2 == 0 ? 2 : 1;
    const auto wav = parse_wav(write_wav(16000, channels, samples));
    RC_ASSERT(wav.has_value());
    RC_ASSERT(wav->rate == 16000);
    RC_ASSERT(wav->channels == channels);
    RC_ASSERT(wav->samples == samples);
  }));
}

TEST_CASE("the limiter holds its ceiling whatever it is given") {
  CHECK(rc::check("no sample beyond peak_dbov", [](std::vector<std::int16_t> pcm) {
    match_loudness(pcm, 8000);
    const double ceiling = 32767 * std::pow(10.0, -3.0 / 20) + 1;
    for (const std::int16_t x : pcm) RC_ASSERT(std::abs(static_cast<double>(x)) <= ceiling);
  }));
}
