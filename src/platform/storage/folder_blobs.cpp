#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/security/random.hpp"
#include "platform/storage/blob_store.hpp"

namespace yyc3::storage {

namespace fs = std::filesystem;

namespace {

constexpr const char* kAside = ".incomplete";

tl::unexpected<Error> failed(const fs::path& path, const char* what) {
  const bool full = errno == ENOSPC || errno == EDQUOT;
  return fail(ErrorCode::kUnavailable, "cannot " + std::string(what) + " " + path.string() + ": " +
                                           std::strerror(errno) +
                                           (full ? "; free space, nothing was kept" : ""));
}

class File {
 public:
  File(const fs::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { close(); }
  [[nodiscard]] bool ok() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

bool sync_folder(const fs::path& folder) {
  const File file(folder, O_RDONLY | O_DIRECTORY);
  return file.ok() && ::fsync(file.fd()) == 0;
}

bool good_segment(std::string_view segment) {
  if (segment.empty() || segment.size() > 128 || segment.front() == '.') return false;
  for (const char c : segment) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
    if (!good) return false;
  }
  return true;
}

Result<fs::path> path_of(const fs::path& folder, std::string_view key) {
  fs::path path = folder;
  int segments = 0;
  std::size_t at = 0;
  while (at <= key.size()) {
    const std::size_t end = std::min(key.find('/', at), key.size());
    const std::string_view segment = key.substr(at, end - at);
    if (++segments > 8 || !good_segment(segment))
      return fail(ErrorCode::kInvalid, "not a blob key: tenant/kind/id of letters, digits and ._-");
    path /= segment;
    at = end + 1;
  }
  return path;
}

/// Makes the folders above `path`, each synced into the one above it.
Result<void> make_folders(const fs::path& root, const fs::path& path) {
  fs::path here = root;
  for (const fs::path& part : path.lexically_relative(root)) {
    const fs::path next = here / part;
    if (::mkdir(next.c_str(), 0700) == 0) {
      if (!sync_folder(here)) return failed(here, "sync");
    } else if (errno != EEXIST) {
      return failed(next, "make the folder");
    }
    here = next;
  }
  return {};
}

class FolderWriter final : public BlobWriter {
 public:
  FolderWriter(fs::path root, fs::path aside, fs::path path)
      : root_(std::move(root)),
        aside_(std::move(aside)),
        path_(std::move(path)),
        file_(aside_, O_WRONLY | O_CREAT | O_EXCL) {}
  ~FolderWriter() override {
    if (!committed_) ::unlink(aside_.c_str());
  }
  FolderWriter(const FolderWriter&) = delete;
  FolderWriter& operator=(const FolderWriter&) = delete;

  [[nodiscard]] bool ok() const { return file_.ok(); }

  Result<void> append(ByteView bytes) override {
    if (!file_.ok()) return fail(ErrorCode::kUnavailable, "the blob could not be written");
    while (!bytes.empty()) {
      const ssize_t n = ::write(file_.fd(), bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        const auto error = failed(path_, "write");
        file_.close();
        return error;
      }
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
  }

  Result<void> commit() override {
    if (!file_.ok()) return fail(ErrorCode::kUnavailable, "the blob could not be written");
    if (::fsync(file_.fd()) != 0) {
      // After a failed fsync the kernel may forget the pages: a second try would lie.
      const auto error = failed(path_, "sync");
      file_.close();
      return error;
    }
    file_.close();
    const Result<void> made = make_folders(root_, path_.parent_path());
    if (!made) return made;
    if (::rename(aside_.c_str(), path_.c_str()) != 0) return failed(path_, "name");
    committed_ = true;
    if (!sync_folder(path_.parent_path())) return failed(path_.parent_path(), "sync");
    return {};
  }

 private:
  fs::path root_;
  fs::path aside_;
  fs::path path_;
  File file_;
  bool committed_ = false;
};

}  // namespace

Result<void> BlobStore::put(std::string_view key, ByteView bytes) {
  const Result<std::unique_ptr<BlobWriter>> writer = create(key);
  if (!writer) return tl::unexpected<Error>(writer.error());
  const Result<void> written = (*writer)->append(bytes);
  return written ? (*writer)->commit() : written;
}

Result<std::unique_ptr<FolderBlobs>> FolderBlobs::open(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || ::chmod(folder.c_str(), 0700) != 0)
    return fail(ErrorCode::kUnavailable,
                "cannot make " + folder.string() + ": check that the folder above is writable");
  fs::remove_all(folder / kAside, error);
  if (error || ::mkdir((folder / kAside).c_str(), 0700) != 0)
    return fail(ErrorCode::kUnavailable,
                "cannot write into " + folder.string() + ": check its owner and free space");
  return std::unique_ptr<FolderBlobs>(new FolderBlobs(folder));
}

Result<std::unique_ptr<BlobWriter>> FolderBlobs::create(std::string_view key) {
  const Result<fs::path> path = path_of(folder_, key);
  if (!path) return tl::unexpected<Error>(path.error());
  const fs::path aside = folder_ / kAside / to_hex(security::random_bytes(16));
  auto writer = std::make_unique<FolderWriter>(folder_, aside, *path);
  if (!writer->ok()) return failed(aside, "make");
  return std::unique_ptr<BlobWriter>(std::move(writer));
}

Result<std::uint64_t> FolderBlobs::size(std::string_view key) {
  const Result<fs::path> path = path_of(folder_, key);
  if (!path) return tl::unexpected<Error>(path.error());
  struct stat info{};
  if (::stat(path->c_str(), &info) != 0 || !S_ISREG(info.st_mode))
    return fail(ErrorCode::kNotFound, "no such blob");
  return static_cast<std::uint64_t>(info.st_size);
}

Result<Bytes> FolderBlobs::read(std::string_view key, std::uint64_t offset, std::size_t length) {
  const Result<std::uint64_t> whole = size(key);
  if (!whole) return tl::unexpected<Error>(whole.error());
  if (offset >= *whole) return Bytes();
  const fs::path path = *path_of(folder_, key);
  const File file(path, O_RDONLY);
  if (!file.ok()) return failed(path, "read");
  Bytes out(static_cast<std::size_t>(std::min<std::uint64_t>(length, *whole - offset)));
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n =
        ::pread(file.fd(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(path, "read");
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  out.resize(done);
  return out;
}

Result<void> FolderBlobs::remove(std::string_view key) {
  const Result<fs::path> path = path_of(folder_, key);
  if (!path) return tl::unexpected<Error>(path.error());
  if (::unlink(path->c_str()) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return failed(*path, "remove");
  }
  if (!sync_folder(path->parent_path())) return failed(path->parent_path(), "sync");
  return {};
}

}  // namespace yyc3::storage
