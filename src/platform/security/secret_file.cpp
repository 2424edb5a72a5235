#include "platform/security/secret_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/security/random.hpp"

namespace yyc3::security {

namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

tl::unexpected<Error> failed(const std::filesystem::path& path, const char* what) {
  return fail(ErrorCode::kUnavailable,
              path.string() + " cannot be " + what + ": " + std::strerror(errno));
}

bool write_all(int fd, ByteView content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    content = content.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

Result<void> check_mode(const std::filesystem::path& path, const struct stat& info) {
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::kDenied, path.string() + " is no plain file");
  if (info.st_uid != ::geteuid() && ::geteuid() != 0)
    return fail(ErrorCode::kDenied, path.string() + " belongs to another user: run as its owner, " +
                                        "or give it to this user with chown");
  if ((info.st_mode & 0077) != 0)
    return fail(ErrorCode::kDenied,
                path.string() + " may be read or changed by other users: chmod 600 " +
                    path.string() + ", and make a new one if anybody else had access");
  return {};
}

}  // namespace

Result<std::optional<Bytes>> read_secret(const std::filesystem::path& path, std::size_t max_bytes) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.ok() && errno == ENOENT) return std::optional<Bytes>();
  if (!file.ok() && errno == ELOOP)
    return fail(ErrorCode::kDenied, path.string() + " is a link: name the file itself");
  if (!file.ok()) return failed(path, "read");
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return failed(path, "read");
  const Result<void> mode = check_mode(path, info);
  if (!mode) return tl::unexpected<Error>(mode.error());
  Bytes content(max_bytes + 1);
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t n = ::read(file.get(), content.data() + size, content.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(path, "read");
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  if (size > max_bytes) return fail(ErrorCode::kInvalid, path.string() + " is too long");
  content.resize(size);
  return std::optional<Bytes>(std::move(content));
}

Result<void> create_secret(const std::filesystem::path& path, ByteView content) {
  // Written aside and linked: a crash leaves either nothing or the whole secret, and `link` never
  // replaces one that another program has just made.
  const std::string aside = path.string() + ".new-" + to_hex(random_bytes(8));
  {
    const Descriptor file(::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.ok()) return failed(path, "made");
    if (!write_all(file.get(), content) || ::fsync(file.get()) != 0) {
      const auto error = failed(path, "written");
      ::unlink(aside.c_str());
      return error;
    }
  }
  const int linked = ::link(aside.c_str(), path.c_str());
  const int why = errno;
  ::unlink(aside.c_str());
  if (linked != 0 && why == EEXIST)
    return fail(ErrorCode::kConflict, path.string() + " was made by another program");
  if (linked != 0) {
    errno = why;
    return failed(path, "made");
  }
  const auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const Descriptor folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.ok() || ::fsync(folder.get()) != 0) return failed(parent, "synced");
  return {};
}

}  // namespace yyc3::security
