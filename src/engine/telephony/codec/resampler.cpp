#include "engine/telephony/codec/resampler.hpp"

#include <algorithm>
#include <array>
#include <speex/speex_resampler.h>
#include <string>

namespace yyc3::codec {

namespace {

SpeexResamplerState* speex(void* state) { return static_cast<SpeexResamplerState*>(state); }
bool rate_ok(int hz) { return hz >= 4000 && hz <= 192'000; }

/// Feeds `pcm` in blocks that fit a stack buffer.
void feed(SpeexResamplerState* state, std::span<const std::int16_t> pcm, Samples& out) {
  std::array<std::int16_t, 2048> block{};
  while (!pcm.empty()) {
    auto in = static_cast<spx_uint32_t>(std::min<std::size_t>(pcm.size(), 4096));
    auto made = static_cast<spx_uint32_t>(block.size());
    speex_resampler_process_int(state, 0, pcm.data(), &in, block.data(), &made);
    out.insert(out.end(), block.begin(), block.begin() + made);
    if (in == 0 && made == 0) return;  // cannot happen; an endless loop would be worse
    pcm = pcm.subspan(in);
  }
}

}  // namespace

void Resampler::Free::operator()(void* state) const { speex_resampler_destroy(speex(state)); }

Result<Resampler> Resampler::make(int from_hz, int to_hz, int quality) {
  if (!rate_ok(from_hz) || !rate_ok(to_hz))
    return fail(ErrorCode::kInvalid, "sample rate: must be 4000 to 192000 Hz, is " +
                                         std::to_string(rate_ok(from_hz) ? to_hz : from_hz));
  if (quality < 0 || quality > 10)
    return fail(ErrorCode::kInvalid, "resampler quality: must be 0 to 10");
  int error = RESAMPLER_ERR_SUCCESS;
  SpeexResamplerState* const state = speex_resampler_init(
      1, static_cast<spx_uint32_t>(from_hz), static_cast<spx_uint32_t>(to_hz), quality, &error);
  if (state == nullptr || error != RESAMPLER_ERR_SUCCESS)
    return fail(ErrorCode::kInternal, "resampler: out of memory");
  return Resampler(state);
}

void Resampler::process(std::span<const std::int16_t> pcm, Samples& out) {
  feed(speex(state_.get()), pcm, out);
}

std::size_t Resampler::delay() const {
  return static_cast<std::size_t>(speex_resampler_get_output_latency(speex(state_.get())));
}

void Resampler::flush(Samples& out) {
  const Samples zeros(
      static_cast<std::size_t>(speex_resampler_get_input_latency(speex(state_.get()))));
  feed(speex(state_.get()), zeros, out);
}

Result<Samples> resample(std::span<const std::int16_t> pcm, int from_hz, int to_hz, int quality) {
  Result<Resampler> resampler = Resampler::make(from_hz, to_hz, quality);
  if (!resampler) return tl::unexpected<Error>(resampler.error());
  if (from_hz == to_hz) return Samples(pcm.begin(), pcm.end());
  const std::size_t wanted = static_cast<std::size_t>(
      (static_cast<std::uint64_t>(pcm.size()) * static_cast<std::uint64_t>(to_hz) +
       static_cast<std::uint64_t>(from_hz) / 2) /
      static_cast<std::uint64_t>(from_hz));
  Samples out;
  out.reserve(wanted + 512);
  speex_resampler_skip_zeros(speex(resampler->state_.get()));  // exact, to a part of a sample
  resampler->process(pcm, out);
  resampler->flush(out);
  resampler->flush(out);  // rounding may leave a sample or two behind the first
  out.resize(wanted);
  return out;
}

}  // namespace yyc3::codec
