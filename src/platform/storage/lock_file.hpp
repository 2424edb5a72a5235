#pragma once

#include <filesystem>
#include <utility>

#include "base/result.hpp"

namespace yyc3::storage {

/// Exclusive use of a store: an flock on a file that holds our process id. The kernel lets go of it
/// when the process ends, however it ends.
class LockFile {
 public:
  /// Errors: kBusy another process has it (its id is in the text); kUnavailable cannot be made.
  static Result<LockFile> take(const std::filesystem::path& path);

  LockFile(LockFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();

 private:
  explicit LockFile(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace yyc3::storage
