#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace yyc3::storage {

/// Exclusive use of a store: an flock on a file that holds our process id. The kernel lets go of it
/// when the process ends, however it ends.
class LockFile {
 public:
  /// `instead`: what a second program may do but wait, for the error's text.
  /// Errors: kBusy another process has it (its id is in the text); kUnavailable cannot be made.
  static Result<LockFile> take(const std::filesystem::path& path,
                               std::string_view instead = "give this one a store of its own");

  LockFile(LockFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();

 private:
  explicit LockFile(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace yyc3::storage
