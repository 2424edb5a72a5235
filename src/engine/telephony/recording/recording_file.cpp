#include "engine/telephony/recording/recording_file.hpp"

#include <algorithm>
#include <utility>

#include "engine/telephony/codec/g711.hpp"
#include "engine/telephony/codec/wav.hpp"
#include "engine/telephony/recording/recording_reader.hpp"

namespace yyc3::recording {

Result<RecordingWriter> RecordingWriter::create(storage::BlobStore& blobs,
                                                const std::string& blob_key,
                                                const security::Key256& key,
                                                const std::string& recording_id) {
  Result<std::unique_ptr<storage::BlobWriter>> blob = blobs.create(blob_key);
  if (!blob) return tl::unexpected<Error>(blob.error());
  return RecordingWriter(std::move(*blob), security::ChunkCipher(key, recording_id));
}

Result<void> RecordingWriter::flush(bool last) {
  const Result<void> done = blob_->append(cipher_.seal(number_++, last, chunk_));
  chunk_.clear();
  return done;
}

Result<void> RecordingWriter::put(std::uint8_t heard, std::uint8_t played) {
  if (chunk_.size() == kChunkPlain) {  // only now is it known not to be the last
    Result<void> done = flush(false);
    if (!done) return done;
  }
  chunk_.push_back(heard);
  chunk_.push_back(played);
  ++samples_;
  return {};
}

Result<void> RecordingWriter::add(const rtp::RecordFrame& frame) {
  if (!first_) first_ = frame.at;
  if (frame.at < *first_ + samples_) return {};
  const std::uint64_t at = frame.at - *first_;
  if (at > kSamplesMax) return {};
  while (samples_ < at) {
    Result<void> done = put(codec::kMulawSilence, codec::kMulawSilence);
    if (!done) return done;
  }
  for (std::size_t i = 0; i < codec::kFrameSamples; ++i) {
    Result<void> done = put(frame.heard[i], frame.played[i]);
    if (!done) return done;
  }
  return {};
}

Result<void> RecordingWriter::commit() {
  Result<void> done = flush(true);
  if (!done) return done;
  return blob_->commit();
}

// ---- reading ----

namespace {
constexpr std::uint64_t kHeader = 44;
constexpr std::uint64_t kPairBytes = 4;  // of the WAV, for 2 of the chunk
constexpr std::size_t kReadMax = 4 << 20;
}  // namespace

Result<RecordingReader> RecordingReader::open(storage::BlobStore& blobs, std::string blob_key,
                                              const security::Key256& key,
                                              std::string_view recording_id) {
  const Result<std::uint64_t> size = blobs.size(blob_key);
  if (!size) return tl::unexpected<Error>(size.error());
  const std::uint64_t whole = (*size - std::min<std::uint64_t>(*size, 1)) / kChunkSealed;
  const std::uint64_t rest = *size - whole * kChunkSealed;
  if (rest < security::kSealOverhead || (rest - security::kSealOverhead) % 2 != 0)
    return fail(ErrorCode::kInvalid, "recording: the file is cut off");
  RecordingReader reader(blobs, std::move(blob_key), security::ChunkCipher(key, recording_id));
  reader.samples_ = whole * (kChunkPlain / 2) + (rest - security::kSealOverhead) / 2;
  reader.last_ = whole;
  const Result<Bytes> last = reader.chunk(whole);  // tells a wrong key or a cut file at once
  if (!last) return tl::unexpected<Error>(last.error());
  return reader;
}

std::uint64_t RecordingReader::samples() const { return samples_; }
std::uint64_t RecordingReader::size() const { return kHeader + samples_ * kPairBytes; }

Result<Bytes> RecordingReader::chunk(std::uint64_t number) {
  if (number == cached_number_) return cached_;
  const Result<Bytes> sealed = blobs_.read(blob_key_, number * kChunkSealed, kChunkSealed);
  if (!sealed) return tl::unexpected<Error>(sealed.error());
  Result<Bytes> plain = cipher_.open(number, number == last_, *sealed);
  if (!plain) return plain;
  cached_number_ = number;
  cached_ = *plain;
  return plain;
}

Result<Bytes> RecordingReader::read(std::uint64_t offset, std::size_t length) {
  Bytes out;
  const std::uint64_t end = std::min(size(), offset + std::min<std::uint64_t>(length, kReadMax));
  const auto header = codec::wav_header(codec::kSampleRate, 2, samples_);
  for (; offset < end && offset < kHeader; ++offset)
    out.push_back(header[static_cast<std::size_t>(offset)]);
  while (offset < end) {
    const std::uint64_t code = (offset - kHeader) / 2;  // of the mu-law stream
    const Result<Bytes> plain = chunk(code / kChunkPlain);
    if (!plain) return tl::unexpected<Error>(plain.error());
    auto at = static_cast<std::size_t>(code % kChunkPlain);
    bool high = (offset - kHeader) % 2 != 0;
    for (; at < plain->size() && offset < end; ++offset) {
      const auto sample = static_cast<std::uint16_t>(codec::mulaw_decode((*plain)[at]));
      out.push_back(static_cast<std::uint8_t>(high ? sample >> 8 : sample));
      at += high ? 1 : 0;
      high = !high;
    }
  }
  return out;
}

}  // namespace yyc3::recording
