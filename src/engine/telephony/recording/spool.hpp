#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "platform/security/key.hpp"

namespace yyc3::recording {

/// Where a record lies. Segments count from 1; 0 = nowhere.
struct Place {
  std::uint64_t segment = 0;
  std::uint64_t offset = 0;
};

/// The recorder's append-only files: "segment-<number>", each a row of records
/// (u32 length, big-endian | sealed). Number and offset are bound into the seal, so a record cannot
/// be moved. What a crash tears off at the end is found and left out.
/// Threads: any.
class Spool {
 public:
  /// Makes the folder (0700) if need be; the first append starts a segment after all that are
  /// there. Errors: kUnavailable with path and reason.
  static Result<std::unique_ptr<Spool>> open(const std::filesystem::path& folder,
                                             std::uint64_t segment_bytes,
                                             const security::Key256& key);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Appends one record, ≤ kRecordMax bytes. Errors: kBusy the disk is full; kUnavailable. The
  /// segment is then as before.
  Result<Place> append(ByteView plain);
  [[nodiscard]] Result<Bytes> read(Place place) const;
  /// Onto the disk; errors: kUnavailable.
  Result<void> sync();
  /// Every whole record of all segments in the order they were written.
  void scan(const std::function<void(Place, ByteView)>& visit) const;
  /// Deletes the segments below `number`, but never the one being written.
  void drop_below(std::uint64_t number);
  [[nodiscard]] std::uint64_t current() const;  ///< number of the segment being written, 0 = none

  static constexpr std::size_t kRecordMax = 64 << 10;

 private:
  struct Segment;
  Spool(std::filesystem::path folder, std::uint64_t segment_bytes, const security::Key256& key)
      : folder_(std::move(folder)), segment_bytes_(segment_bytes), key_(key) {}
  Result<std::shared_ptr<Segment>> writable();
  [[nodiscard]] std::shared_ptr<Segment> find(std::uint64_t number) const;
  [[nodiscard]] Bytes bound_to(Place place) const;
  [[nodiscard]] std::filesystem::path path_of(std::uint64_t number) const;

  std::filesystem::path folder_;
  std::uint64_t segment_bytes_;
  security::Key256 key_;
  std::mutex append_mutex_;   ///< one record after the other: two threads append
  mutable std::mutex mutex_;  ///< of segments_; held for no I/O but opening
  std::map<std::uint64_t, std::shared_ptr<Segment>> segments_;
  std::uint64_t last_ = 0;     ///< greatest number there is
  std::uint64_t writing_ = 0;  ///< being appended to
};

}  // namespace yyc3::recording
