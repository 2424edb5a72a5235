#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace yyc3::storage {

/// A blob being written. Nothing is to be seen of it until `commit`; destroyed without: as if never
/// begun. Threads: one.
class BlobWriter {
 public:
  virtual ~BlobWriter() = default;
  /// Errors: kUnavailable disk full or unwritable; the writer is then dead.
  virtual Result<void> append(ByteView bytes) = 0;
  /// On the disk, under its name, when this returns.
  virtual Result<void> commit() = 0;
};

/// Port: large immutable things by key. Keys are "tenant/kind/id": 1–8 segments of
/// [A-Za-z0-9._-], each 1–128 characters and not beginning with a dot (else kInvalid).
/// Blocks on the disk: recorder and database threads, never a loop. Threads: any.
class BlobStore {
 public:
  virtual ~BlobStore() = default;
  /// An existing blob of the same key is replaced at commit.
  virtual Result<std::unique_ptr<BlobWriter>> create(std::string_view key) = 0;
  /// Errors of both: kNotFound.
  virtual Result<std::uint64_t> size(std::string_view key) = 0;
  /// Up to `length` bytes from `offset`; fewer only at the end of the blob, none past it.
  virtual Result<Bytes> read(std::string_view key, std::uint64_t offset, std::size_t length) = 0;
  /// Removing what is not there succeeds.
  virtual Result<void> remove(std::string_view key) = 0;

  Result<void> put(std::string_view key, ByteView bytes);  ///< create, append, commit
};

/// Embedded default: files under a folder, made 0700 / 0600; written to a temporary file, synced,
/// renamed, and the folder synced.
class FolderBlobs final : public BlobStore {
 public:
  /// Makes the folder if need be and removes what a crash left half-written.
  /// Errors: kUnavailable with the path and what to do.
  static Result<std::unique_ptr<FolderBlobs>> open(const std::filesystem::path& folder);

  Result<std::unique_ptr<BlobWriter>> create(std::string_view key) override;
  Result<std::uint64_t> size(std::string_view key) override;
  Result<Bytes> read(std::string_view key, std::uint64_t offset, std::size_t length) override;
  Result<void> remove(std::string_view key) override;

 private:
  explicit FolderBlobs(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

}  // namespace yyc3::storage
