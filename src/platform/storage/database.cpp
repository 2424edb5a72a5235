#include "platform/storage/database.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>

namespace yyc3::storage {

net::Task<Result<void>> Database::wait(bool writes, Lane lane, Job job) {
  std::function<void(std::function<void(Result<void>)>)> start =
      [this, writes, lane, job = std::move(job)](const std::function<void(Result<void>)>& done) {
        post(writes, lane, job, done);
      };
  co_return co_await net::await_callback<Result<void>>(std::move(start));
}

Result<void> Database::wait_blocking(bool writes, Lane lane, Job job) {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Result<void>> result;
  post(writes, lane, std::move(job), [&](Result<void> done) {
    // Notified under the lock: the waiter may destroy `changed` as soon as it can take it.
    const std::lock_guard lock(mutex);
    result.emplace(std::move(done));
    changed.notify_one();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return result.has_value(); });
  return std::move(*result);
}

}  // namespace yyc3::storage
