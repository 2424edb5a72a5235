#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "engine/telephony/rtp/record_tap.hpp"
#include "platform/security/chunk_cipher.hpp"
#include "platform/storage/blob_store.hpp"

namespace yyc3::recording {

/// A recording on the disk: chunks of one second, each sealed on its own by ChunkCipher. Plain, a
/// chunk is 8,000 pairs of mu-law codes (customer, bot); the last one may be shorter.
inline constexpr std::size_t kChunkPlain = 16'000;
inline constexpr std::size_t kChunkSealed = kChunkPlain + security::kSealOverhead;
/// No recording is longer: a gap that would make it so ends it.
inline constexpr std::uint64_t kSamplesMax = 24ULL * 3600 * 8000;

/// Writes one. Frames come in the order of their `at`; what lies between two of them (the call was
/// on hold, frames were dropped) becomes silence, so that time in the file is time of the call.
/// Blocks on the disk. Threads: one.
class RecordingWriter {
 public:
  static Result<RecordingWriter> create(storage::BlobStore& blobs, const std::string& blob_key,
                                        const security::Key256& key,
                                        const std::string& recording_id);

  /// A frame not after the one before is left out. Errors: as BlobWriter.
  Result<void> add(const rtp::RecordFrame& frame);
  /// On the disk when this returns.
  Result<void> commit();

  [[nodiscard]] std::uint64_t first_sample() const { return first_.value_or(0); }
  [[nodiscard]] std::uint64_t samples() const { return samples_; }

 private:
  RecordingWriter(std::unique_ptr<storage::BlobWriter> blob, security::ChunkCipher cipher)
      : blob_(std::move(blob)), cipher_(std::move(cipher)) {}
  Result<void> put(std::uint8_t heard, std::uint8_t played);
  Result<void> flush(bool last);

  std::unique_ptr<storage::BlobWriter> blob_;
  security::ChunkCipher cipher_;
  Bytes chunk_;
  std::uint64_t number_ = 0;
  std::uint64_t samples_ = 0;
  std::optional<std::uint64_t> first_;
};

}  // namespace yyc3::recording
