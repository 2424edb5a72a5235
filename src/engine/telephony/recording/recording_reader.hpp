#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "platform/security/chunk_cipher.hpp"
#include "platform/storage/blob_store.hpp"

namespace yyc3::recording {

/// A recording as a WAV file: stereo PCM16, 8 kHz, left customer, right bot. Reading a range
/// decrypts only the seconds it touches: what HTTP Range needs. Blocks on the disk. Threads: one.
class RecordingReader {
 public:
  /// Errors: kNotFound no such blob; kDenied the key does not open it; kInvalid not a recording.
  static Result<RecordingReader> open(storage::BlobStore& blobs, std::string blob_key,
                                      const security::Key256& key, std::string_view recording_id);

  [[nodiscard]] std::uint64_t size() const;     ///< bytes of the WAV
  [[nodiscard]] std::uint64_t samples() const;  ///< a channel
  /// Up to `length` bytes (≤ 4 MiB) from `offset`; fewer only at the end. Errors: kDenied the blob
  /// was changed; kUnavailable.
  Result<Bytes> read(std::uint64_t offset, std::size_t length);

 private:
  RecordingReader(storage::BlobStore& blobs, std::string blob_key, security::ChunkCipher cipher)
      : blobs_(blobs), blob_key_(std::move(blob_key)), cipher_(std::move(cipher)) {}
  Result<Bytes> chunk(std::uint64_t number);

  storage::BlobStore& blobs_;
  std::string blob_key_;
  security::ChunkCipher cipher_;
  std::uint64_t samples_ = 0;
  std::uint64_t last_ = 0;  ///< number of the last chunk
  std::uint64_t cached_number_ = ~std::uint64_t{0};
  Bytes cached_;  ///< plain mu-law pairs of chunk cached_number_
};

}  // namespace yyc3::recording
