#include "engine/telephony/recording/spool.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace yyc3::recording {

namespace fs = std::filesystem;

namespace {
constexpr std::string_view kPrefix = "segment-";
constexpr std::size_t kLength = 4;

std::uint64_t number_of(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name.rfind(kPrefix, 0) != 0) return 0;
  std::uint64_t number = 0;
  const char* const end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data() + kPrefix.size(), end, number);
  return error == std::errc() && at == end ? number : 0;
}

/// Reads exactly `out`; false at the end of the file or on error.
bool read_all(int fd, std::span<std::uint8_t> out, std::uint64_t offset) {
  while (!out.empty()) {
    const ssize_t n = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return true;
}

/// 0 or errno.
int write_all(int fd, ByteView bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0 ? ENOSPC : errno;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return 0;
}
}  // namespace

struct Spool::Segment {
  explicit Segment(int file) : fd(file) {}
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment() { ::close(fd); }
  int fd;
  std::uint64_t size = 0;  ///< the writer's
};

Spool::~Spool() = default;

Result<std::unique_ptr<Spool>> Spool::open(const fs::path& folder, std::uint64_t segment_bytes,
                                           const security::Key256& key) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
  std::unique_ptr<Spool> spool(new Spool(folder, segment_bytes, key));
  if (error)
    return fail(ErrorCode::kUnavailable, "recorder spool " + folder.string() + " cannot be made: " +
                                             error.message() + "; choose a writable folder");
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::uint64_t number = number_of(entry.path());
    if (number == 0) continue;
    const int fd = ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0)
      return fail(ErrorCode::kUnavailable, "recorder spool " + entry.path().string() +
                                               " cannot be opened: " + std::strerror(errno));
    spool->segments_.emplace(number, std::make_shared<Segment>(fd));
    spool->last_ = std::max(spool->last_, number);
  }
  return spool;
}

fs::path Spool::path_of(std::uint64_t number) const {
  return folder_ / (std::string(kPrefix) + std::to_string(number));
}

Bytes Spool::bound_to(Place place) const {
  const std::string text =
      "yyc3 segment " + std::to_string(place.segment) + " " + std::to_string(place.offset);
  return {text.begin(), text.end()};
}

std::shared_ptr<Spool::Segment> Spool::find(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto it = segments_.find(number);
  return it == segments_.end() ? nullptr : it->second;
}

std::uint64_t Spool::current() const {
  const std::lock_guard lock(mutex_);
  return writing_;
}

Result<std::shared_ptr<Spool::Segment>> Spool::writable() {
  if (const auto now = find(current()); now != nullptr && now->size < segment_bytes_) return now;
  const std::lock_guard lock(mutex_);
  const std::uint64_t number = last_ + 1;
  const int fd = ::open(path_of(number).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail(errno == ENOSPC ? ErrorCode::kBusy : ErrorCode::kUnavailable,
                "recorder spool " + path_of(number).string() + ": " + std::strerror(errno));
  last_ = writing_ = number;
  const auto made = std::make_shared<Segment>(fd);
  segments_.emplace(number, made);
  return made;
}

Result<Place> Spool::append(ByteView plain) {
  if (plain.size() > kRecordMax) return fail(ErrorCode::kInvalid, "recorder: record too long");
  const std::lock_guard lock(append_mutex_);
  const Result<std::shared_ptr<Segment>> segment = writable();
  if (!segment) return tl::unexpected<Error>(segment.error());
  const Place place{current(), (*segment)->size};
  const Bytes sealed = security::seal(key_, bound_to(place), plain);
  Bytes record(kLength);
  write_u32(record, 0, static_cast<std::uint32_t>(sealed.size()));
  record.insert(record.end(), sealed.begin(), sealed.end());
  if (const int error = write_all((*segment)->fd, record, place.offset); error != 0) {
    // Half a record would hide the good ones after it.
    [[maybe_unused]] const int cut = ::ftruncate((*segment)->fd, static_cast<off_t>(place.offset));
    const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    return fail(full ? ErrorCode::kBusy : ErrorCode::kUnavailable,
                std::string("recorder spool: ") + std::strerror(error));
  }
  (*segment)->size += record.size();
  return place;
}

Result<Bytes> Spool::read(Place place) const {
  const std::shared_ptr<Segment> segment = find(place.segment);
  if (!segment) return fail(ErrorCode::kNotFound, "recorder: no such segment");
  Bytes length(kLength);
  if (!read_all(segment->fd, length, place.offset))
    return fail(ErrorCode::kNotFound, "recorder: end of the segment");
  const std::uint32_t size = read_u32(length, 0);
  if (size < security::kSealOverhead || size > kRecordMax + security::kSealOverhead)
    return fail(ErrorCode::kInvalid, "recorder: not a record");
  Bytes sealed(size);
  if (!read_all(segment->fd, sealed, place.offset + kLength))
    return fail(ErrorCode::kInvalid, "recorder: a record is torn off");
  return security::open(key_, bound_to(place), sealed);
}

Result<void> Spool::sync() {
  const std::shared_ptr<Segment> segment = find(current());
  if (segment && ::fdatasync(segment->fd) != 0)
    return fail(ErrorCode::kUnavailable, std::string("recorder sync: ") + std::strerror(errno));
  return {};
}

void Spool::scan(const std::function<void(Place, ByteView)>& visit) const {
  std::map<std::uint64_t, std::shared_ptr<Segment>> segments;
  {
    const std::lock_guard lock(mutex_);
    segments = segments_;
  }
  for (const auto& [number, segment] : segments) {
    Place place{number, 0};
    for (Result<Bytes> plain = read(place); plain; plain = read(place)) {
      visit(place, *plain);
      place.offset += kLength + plain->size() + security::kSealOverhead;
    }
  }
}

void Spool::drop_below(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  for (auto it = segments_.begin(); it != segments_.end() && it->first < number;) {
    if (it->first == writing_) {
      ++it;
      continue;
    }
    ::unlink(path_of(it->first).c_str());
    it = segments_.erase(it);
  }
}

}  // namespace yyc3::recording
