#include <cmath>
#include <cstring>
#include <doctest/doctest.h>
#include <numbers>

#include "engine/telephony/codec/frame.hpp"
#include "engine/telephony/codec/g711.hpp"
#include "engine/telephony/codec/level.hpp"
#include "engine/telephony/codec/resampler.hpp"
#include "engine/telephony/codec/wav.hpp"

using namespace yyc3;
using namespace yyc3::codec;

namespace {

Samples tone(double hz, int rate, double seconds, double peak) {
  Samples pcm(static_cast<std::size_t>(seconds * rate));
  for (std::size_t i = 0; i < pcm.size(); ++i)
    pcm[i] = static_cast<std::int16_t>(
        std::lrint(peak * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate)));
  return pcm;
}

double snr_db(const Samples& want, const Samples& got, std::size_t skip) {
  double signal = 0;
  double noise = 0;
  for (std::size_t i = skip; i + skip < std::min(want.size(), got.size()); ++i) {
    signal += static_cast<double>(want[i]) * want[i];
    const double d = static_cast<double>(want[i]) - got[i];
    noise += d * d;
  }
  return 10 * std::log10(signal / std::max(noise, 1.0));
}

}  // namespace

TEST_CASE("G.711 gives the standard's codes") {
  struct Case {
    std::int16_t linear;
    std::uint8_t mulaw, alaw;
  };
  const Case cases[] = {
      {0, 0xFF, 0xD5},      {-1, 0x7F, 0x55},   {8, 0xFE, 0xD5},     {32767, 0x80, 0xAA},
      {-32768, 0x00, 0x2A}, {1000, 0xCE, 0xFA}, {-1000, 0x4E, 0x7A},
  };
  for (const auto& c : cases) {
    INFO(c.linear);
    CHECK(mulaw_encode(c.linear) == c.mulaw);
    CHECK(alaw_encode(c.linear) == c.alaw);
  }
  CHECK(mulaw_decode(kMulawSilence) == 0);
  CHECK(mulaw_to_alaw(kMulawSilence) == kAlawSilence);
  CHECK(alaw_to_mulaw(kAlawSilence) == mulaw_encode(8));
}

TEST_CASE("levels are in dBov") {
  CHECK(level_dbov({}) == kSilenceDbov);
  CHECK(level_dbov(Samples(160, 0)) == kSilenceDbov);
  CHECK(level_dbov(Samples(160, -32768)) == doctest::Approx(0.0));
  CHECK(level_dbov(tone(400, 8000, 1, 32767)) == doctest::Approx(-3.01).epsilon(0.01));
}

TEST_CASE("loudness is matched on the speech, not on its pauses") {
  Samples pcm = tone(300, 8000, 1, 1000);  // -33.3 dBov
  pcm.resize(pcm.size() * 3, 0);
  CHECK(speech_level_dbov(pcm, 8000) == doctest::Approx(-33.3).epsilon(0.01));
  CHECK(match_loudness(pcm, 8000) == doctest::Approx(13.3).epsilon(0.02));
  CHECK(speech_level_dbov(pcm, 8000) == doctest::Approx(-20).epsilon(0.01));

  Samples silence(8000, 0);
  CHECK(match_loudness(silence, 8000) == 0.0F);
  Samples faint = tone(300, 8000, 1, 60);
  CHECK(match_loudness(faint, 8000) == doctest::Approx(24));  // not beyond
}

TEST_CASE("resampling keeps length, time and sound") {
  for (const int rate : {16000, 22050, 24000, 48000}) {
    INFO(rate);
    const Samples wide = tone(440, rate, 1, 10000);
    const auto narrow = resample(wide, rate, 8000);
    REQUIRE(narrow);
    CHECK(narrow->size() == 8000);
    CHECK(snr_db(tone(440, 8000, 1, 10000), *narrow, 200) > 30);
    const auto back = resample(*narrow, 8000, rate);
    REQUIRE(back);
    CHECK(back->size() == wide.size());
    CHECK(snr_db(wide, *back, 1000) > 28);
  }
  CHECK_FALSE(resample({}, 0, 8000));
  CHECK_FALSE(Resampler::make(8000, 16000, 11));
}

TEST_CASE("a stream resampled frame by frame is the whole, delayed") {
  const Samples in = tone(440, 8000, 1, 10000);
  auto resampler = Resampler::make(8000, 16000, 5);
  REQUIRE(resampler);
  Samples out;
  for (std::size_t at = 0; at < in.size(); at += kFrameSamples) {
    const std::size_t before = out.size();
    resampler->process(std::span(in).subspan(at, kFrameSamples), out);
    CHECK(out.size() - before >= 319 - (at == 0 ? 160 : 0));
    CHECK(out.size() - before <= 321);
  }
  resampler->flush(out);
  out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(resampler->delay()));
  const auto whole = resample(in, 8000, 16000, 5);
  REQUIRE(whole);
  CHECK(snr_db(*whole, out, 200) > 40);
}

TEST_CASE("WAV formats other than 16-bit are understood") {
  const auto file = [](int tag, int bits, const Bytes& data) {
    const auto header = wav_header(8000, 1, 0);
    Bytes out(header.begin(), header.end());
    out[20] = static_cast<std::uint8_t>(tag);
    out[34] = static_cast<std::uint8_t>(bits);
    out[40] = static_cast<std::uint8_t>(data.size());
    out.insert(out.end(), data.begin(), data.end());
    return out;
  };
  CHECK(parse_wav(file(1, 8, {0, 128, 255}))->samples == Samples{-32768, 0, 32512});
  CHECK(parse_wav(file(1, 24, {9, 0x34, 0x12}))->samples == Samples{0x1234});
  CHECK(parse_wav(file(1, 32, {9, 9, 0x34, 0x12}))->samples == Samples{0x1234});
  CHECK(parse_wav(file(3, 32, {0, 0, 0x80, 0xBF}))->samples == Samples{-32767});
  CHECK(parse_wav(file(3, 32, {0, 0, 0xC0, 0x7F}))->samples == Samples{0});  // NaN
  CHECK(parse_wav(file(7, 8, {0xFF}))->samples == Samples{0});
  CHECK(parse_wav(file(6, 8, {0xD5}))->samples == Samples{8});
}

TEST_CASE("a WAV file's cues are read as they were written, and no more than there are") {
  using Cues = std::vector<WavCue>;
  const Cues cues{{3, 0}, {1, 4}, {70'000, 90'000}};
  const Bytes good = write_wav(8000, 1, Samples(10, 7), cues);
  const auto wav = parse_wav(good);
  REQUIRE(wav);
  CHECK(wav->samples == Samples(10, 7));
  CHECK(wav->cues == cues);
  CHECK(parse_wav(write_wav(8000, 1, Samples(10, 7)))->cues.empty());
  CHECK(parse_wav(write_wav(8000, 1, Samples(10, 7), Cues(5'000)))->cues.size() == kCuesMax);
  const std::size_t count = 44 + 20 + 8;
  Bytes bad = good;
  bad[count + 1] = 0xFF;  // more than the chunk holds
  CHECK(parse_wav(bad)->cues == cues);
  bad.resize(bad.size() - 1);
  CHECK(parse_wav(bad)->cues == Cues{cues[0], cues[1]});
  bad.resize(count + 2);  // in the middle of their number
  CHECK(parse_wav(bad)->cues.empty());
  CHECK(parse_wav(bad)->samples.size() == 10);
}

TEST_CASE("bad WAV files are refused with the reason") {
  const Bytes good = write_wav(8000, 1, Samples(10, 7));
  struct Case {
    const char* why;
    std::size_t at;
    std::uint8_t value;
    const char* says;
  };
  const Case cases[] = {
      {"not RIFF", 0, 'X', "not a RIFF"}, {"no channel", 22, 0, "0 channels"},
      {"too slow", 25, 0, "sample rate"}, {"odd bits", 34, 12, "12 bits"},
      {"no data", 36, 'X', "no 'data'"},  {"no fmt", 12, 'X', "before 'fmt '"},
      {"ADPCM", 20, 2, "format tag 2"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Bytes bad = good;
    bad[c.at] = c.value;
    const auto wav = parse_wav(bad);
    REQUIRE_FALSE(wav);
    CHECK(wav.error().detail.find(c.says) != std::string::npos);
  }
  CHECK_FALSE(parse_wav({}));
  Bytes cut = good;  // a data chunk that promises more than there is
  cut.resize(cut.size() - 5);
  REQUIRE(parse_wav(cut));
  CHECK(parse_wav(cut)->samples.size() == 7);
  Bytes streamed = good;  // a writer that could not seek back
  std::memset(streamed.data() + 40, 0xFF, 4);
  CHECK(parse_wav(streamed)->samples.size() == 10);
  CHECK(Wav{8000, 2, {2, 4, -6, -8}}.mono() == Samples{3, -7});
}
