#include "engine/telephony/codec/wav.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "engine/telephony/codec/g711.hpp"

namespace yyc3::codec {

namespace {

constexpr std::uint16_t kPcm = 1;
constexpr std::uint16_t kFloat = 3;
constexpr std::uint16_t kAlaw = 6;
constexpr std::uint16_t kMulaw = 7;
constexpr std::uint16_t kExtensible = 0xFFFE;

std::uint16_t le16(ByteView b, std::size_t at) {
  return static_cast<std::uint16_t>(b[at] | b[at + 1] << 8);
}
std::uint32_t le32(ByteView b, std::size_t at) {
  return static_cast<std::uint32_t>(le16(b, at)) | static_cast<std::uint32_t>(le16(b, at + 2))
                                                       << 16;
}
void put32(std::span<std::uint8_t> b, std::size_t at, std::uint64_t value) {
  const auto v = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
  for (std::size_t i = 0; i < 4; ++i) b[at + i] = static_cast<std::uint8_t>(v >> (8 * i));
}
void put16(std::span<std::uint8_t> b, std::size_t at, int v) {
  b[at] = static_cast<std::uint8_t>(v);
  b[at + 1] = static_cast<std::uint8_t>(v >> 8);
}

struct Format {
  std::uint16_t tag = 0;
  int channels = 0;
  int rate = 0;
  int bits = 0;
};

Result<Format> parse_format(ByteView chunk) {
  if (chunk.size() < 16)
    return fail(ErrorCode::kInvalid, "wav: 'fmt ' chunk is shorter than 16 bytes");
  Format format;
  format.tag = le16(chunk, 0);
  format.channels = le16(chunk, 2);
  const std::uint32_t rate = le32(chunk, 4);
  format.bits = le16(chunk, 14);
  if (format.tag == kExtensible) {
    if (chunk.size() < 26)
      return fail(ErrorCode::kInvalid, "wav: extensible 'fmt ' chunk is shorter than 26 bytes");
    format.tag = le16(chunk, 24);  // the sub-format's first two bytes are the plain tag
  }
  if (format.channels < 1 || format.channels > 8)
    return fail(ErrorCode::kInvalid,
                "wav: " + std::to_string(format.channels) + " channels; 1 to 8 can be read");
  if (rate < 4000 || rate > 192'000)
    return fail(ErrorCode::kInvalid,
                "wav: sample rate " + std::to_string(rate) + " Hz; 4000 to 192000 can be read");
  format.rate = static_cast<int>(rate);
  return format;
}

int bytes_per_sample(const Format& f) {
  const bool known =
      (f.tag == kPcm && (f.bits == 8 || f.bits == 16 || f.bits == 24 || f.bits == 32)) ||
      (f.tag == kFloat && f.bits == 32) || ((f.tag == kAlaw || f.tag == kMulaw) && f.bits == 8);
  return known ? f.bits / 8 : 0;
}

std::int16_t sample_of_float(std::uint32_t bits) {
  const float value = std::bit_cast<float>(bits);
  if (!std::isfinite(value)) return 0;
  return static_cast<std::int16_t>(std::lrint(std::clamp(value, -1.0F, 1.0F) * 32767.0F));
}

std::int16_t sample_of(const Format& f, ByteView data, std::size_t at) {
  if (f.tag == kAlaw) return alaw_decode(data[at]);
  if (f.tag == kMulaw) return mulaw_decode(data[at]);
  if (f.tag == kFloat) return sample_of_float(le32(data, at));
  if (f.bits == 8) return static_cast<std::int16_t>((data[at] - 128) * 256);
  const std::size_t low = static_cast<std::size_t>(f.bits) / 8 - 2;  // keep the upper 16 bits
  return static_cast<std::int16_t>(le16(data, at + low));
}

Result<Wav> decode(const Format& format, ByteView data) {
  const auto size = static_cast<std::size_t>(bytes_per_sample(format));
  if (size == 0)
    return fail(ErrorCode::kInvalid, "wav: format tag " + std::to_string(format.tag) + " with " +
                                         std::to_string(format.bits) +
                                         " bits cannot be read; convert to 16-bit PCM");
  Wav wav;
  wav.rate = format.rate;
  wav.channels = format.channels;
  const auto channels = static_cast<std::size_t>(format.channels);
  const std::size_t count = data.size() / (size * channels) * channels;
  wav.samples.resize(count);
  for (std::size_t i = 0; i < count; ++i) wav.samples[i] = sample_of(format, data, i * size);
  return wav;
}

constexpr std::size_t kCueBytes = 24;  // name, position, chunk, two offsets in it, sample offset

std::vector<WavCue> parse_cues(ByteView chunk) {
  std::vector<WavCue> cues;
  if (chunk.size() < 4) return cues;
  const std::size_t count =
      std::min<std::size_t>({le32(chunk, 0), (chunk.size() - 4) / kCueBytes, kCuesMax});
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = 4 + i * kCueBytes;
    cues.push_back({le32(chunk, at), le32(chunk, at + 20)});
  }
  return cues;
}

void append_cues(std::span<const WavCue> cues, Bytes& out) {
  const std::size_t begin = out.size();
  out.resize(begin + 12 + cues.size() * kCueBytes);
  const std::span chunk = std::span(out).subspan(begin);
  std::memcpy(chunk.data(), "cue ", 4);
  put32(chunk, 4, chunk.size() - 8);
  put32(chunk, 8, cues.size());
  for (std::size_t i = 0; i < cues.size(); ++i) {
    const std::size_t at = 12 + i * kCueBytes;
    put32(chunk, at, cues[i].name);
    put32(chunk, at + 4, cues[i].frame);
    std::memcpy(chunk.data() + at + 8, "data", 4);
    put32(chunk, at + 20, cues[i].frame);
  }
  put32(out, 4, out.size() - 8);
}

bool is(ByteView bytes, std::size_t at, const char* tag) {
  return std::memcmp(bytes.data() + at, tag, 4) == 0;
}

}  // namespace

std::vector<std::int16_t> Wav::mono() const {
  if (channels <= 1) return samples;
  const auto width = static_cast<std::size_t>(channels);
  std::vector<std::int16_t> out(samples.size() / width);
  for (std::size_t i = 0; i < out.size(); ++i) {
    int sum = 0;
    for (std::size_t c = 0; c < width; ++c) sum += samples[i * width + c];
    out[i] = static_cast<std::int16_t>(sum / channels);
  }
  return out;
}

double Wav::seconds() const {
  return static_cast<double>(samples.size()) / (static_cast<double>(rate) * channels);
}

Result<Wav> parse_wav(ByteView bytes) {
  if (bytes.size() < 12 || !is(bytes, 0, "RIFF") || !is(bytes, 8, "WAVE"))
    return fail(ErrorCode::kInvalid, "wav: not a RIFF/WAVE file; convert it to 16-bit PCM WAV");
  std::optional<Format> format;
  std::optional<Wav> wav;
  std::vector<WavCue> cues;
  std::size_t at = 12;
  while (bytes.size() - at >= 8) {
    const std::uint32_t said = le32(bytes, at + 4);
    const std::size_t left = bytes.size() - at - 8;
    const bool data = is(bytes, at, "data");
    const bool open_end = data && (said == 0 || said == 0xFFFFFFFFU);
    const std::size_t size = open_end ? left : std::min<std::size_t>(said, left);
    const ByteView chunk = bytes.subspan(at + 8, size);
    if (is(bytes, at, "fmt ") && !wav) {
      Result<Format> parsed = parse_format(chunk);
      if (!parsed) return tl::unexpected<Error>(parsed.error());
      format = *parsed;
    } else if (is(bytes, at, "cue ") && cues.empty()) {
      cues = parse_cues(chunk);
    } else if (data && !wav) {
      if (!format) return fail(ErrorCode::kInvalid, "wav: 'data' comes before 'fmt '");
      Result<Wav> decoded = decode(*format, chunk);
      if (!decoded) return decoded;
      wav = std::move(*decoded);
    }
    at += 8 + std::min<std::size_t>(size + (size & 1U), left);  // chunks are padded to even length
  }
  if (wav) {
    wav->cues = std::move(cues);
    return std::move(*wav);
  }
  return fail(ErrorCode::kInvalid, format ? "wav: no 'data' chunk; the file is cut off"
                                          : "wav: no 'fmt ' chunk; the file is cut off");
}

std::array<std::uint8_t, 44> wav_header(int rate, int channels, std::uint64_t frames) {
  std::array<std::uint8_t, 44> h{};
  const std::uint64_t data = frames * static_cast<std::uint64_t>(channels) * 2;
  std::memcpy(h.data(), "RIFF", 4);
  put32(h, 4, data + 36);
  std::memcpy(h.data() + 8, "WAVEfmt ", 8);
  put32(h, 16, 16);
  put16(h, 20, kPcm);
  put16(h, 22, channels);
  put32(h, 24, static_cast<std::uint64_t>(rate));
  put32(h, 28, static_cast<std::uint64_t>(rate) * static_cast<std::uint64_t>(channels) * 2);
  put16(h, 32, channels * 2);
  put16(h, 34, 16);
  std::memcpy(h.data() + 36, "data", 4);
  put32(h, 40, data);
  return h;
}

Bytes write_wav(int rate, int channels, std::span<const std::int16_t> samples,
                std::span<const WavCue> cues) {
  const auto header =
      wav_header(rate, channels, samples.size() / static_cast<std::size_t>(std::max(channels, 1)));
  Bytes out;
  out.reserve(header.size() + samples.size() * 2 + 12 + cues.size() * kCueBytes);
  out.assign(header.begin(), header.end());
  for (const std::int16_t x : samples) {
    out.push_back(static_cast<std::uint8_t>(x));
    out.push_back(static_cast<std::uint8_t>(static_cast<std::uint16_t>(x) >> 8));
  }
  if (!cues.empty()) append_cues(cues.first(std::min(cues.size(), kCuesMax)), out);
  return out;
}

}  // namespace yyc3::codec
