#include "platform/storage/lock_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <unistd.h>

namespace yyc3::storage {

Result<LockFile> LockFile::take(const std::filesystem::path& path, std::string_view instead) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail(ErrorCode::kUnavailable, "cannot make " + path.string() + ": " +
                                             std::strerror(errno) +
                                             "; the folder must exist and be writable");
  LockFile lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 32> holder{};
    const ssize_t n = ::pread(fd, holder.data(), holder.size() - 1, 0);
    std::string pid(holder.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    while (!pid.empty() && pid.back() == '\n') pid.pop_back();
    return fail(ErrorCode::kBusy, "the store is in use by process " +
                                      (pid.empty() ? std::string("(unknown)") : pid) + " (" +
                                      path.string() + "): stop it, or " + std::string(instead));
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    return fail(ErrorCode::kUnavailable, "cannot write " + path.string() + ": " +
                                             std::strerror(errno) + "; make room on its disk");
  return lock;
}

LockFile::~LockFile() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace yyc3::storage
