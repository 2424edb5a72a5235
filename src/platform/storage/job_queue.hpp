#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include "platform/storage/database.hpp"

namespace yyc3::storage {

struct Pending {
  Job job;
  Done done;
  bool writes = true;
};

/// Jobs between the world and the database threads: three bounded lanes, the higher emptied first.
/// Threads: any. Bound: `limit` jobs a lane, beyond it `push` refuses.
class JobQueue {
 public:
  explicit JobQueue(std::size_t limit) : limit_(limit) {}

  /// Errors: kBusy full; kUnavailable closed. `pending` is then untouched.
  Result<void> push(Lane lane, Pending& pending);
  /// Waits for a job; nullopt once closed and empty.
  std::optional<Pending> pop();
  /// The next job if one waits.
  std::optional<Pending> try_pop();
  /// Refuses new jobs; those that wait are still given out.
  void close();

 private:
  std::optional<Pending> take();  ///< with the lock held

  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::array<std::deque<Pending>, kLanes> lanes_;
  bool closed_ = false;
};

struct Counters {
  std::atomic<std::uint64_t> jobs{0};
  std::atomic<std::uint64_t> commits{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> reconnects{0};

  [[nodiscard]] DatabaseStats snapshot() const { return {jobs, commits, refused, reconnects}; }
};

/// `job` on `connection`; what it throws becomes kInternal.
Result<void> run_guarded(const Job& job, Connection& connection);

/// Errors: kInvalid when `value` is what one of the databases would cut, change or refuse: text
/// with NUL or malformed UTF-8, NaN.
Result<void> check_value(const Value& value);

}  // namespace yyc3::storage
