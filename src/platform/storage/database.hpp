#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "platform/net/task.hpp"
#include "platform/storage/value.hpp"

namespace yyc3::storage {

enum class Dialect { kSqlite, kPostgres };

/// The database inside a job: everything done through it is one transaction. Only for the job it
/// was given to, on the thread that runs the job.
///
/// SQL is the common part of both dialects; `?` marks an argument (never build SQL from data).
/// Errors of all: kConflict unique or foreign key violated; kInvalid other constraint, bad SQL,
/// text that is not UTF-8; kTimeout the statement took longer than Limits::statement; kUnavailable
/// connection lost or disk full; kBusy locked by someone else. After an error return it: the
/// transaction is lost (PostgreSQL refuses everything that follows, and so does SQLite here).
class Connection {
 public:
  virtual ~Connection() = default;

  virtual Result<Rows> query(std::string_view sql, std::span<const Value> args) = 0;
  /// Rows changed.
  virtual Result<std::int64_t> exec(std::string_view sql, std::span<const Value> args) = 0;
  /// Several statements divided by ';', no arguments: for migrations.
  virtual Result<void> script(std::string_view sql) = 0;
  [[nodiscard]] virtual Dialect dialect() const = 0;

  Result<Rows> query(std::string_view sql, std::initializer_list<Value> args = {}) {
    return query(sql, std::span<const Value>(args.begin(), args.size()));
  }
  Result<std::int64_t> exec(std::string_view sql, std::initializer_list<Value> args = {}) {
    return exec(sql, std::span<const Value>(args.begin(), args.size()));
  }
};

/// Who waits. A lane is served only when those above it are empty (SQLite), or has connections of
/// its own (PostgreSQL). kCall: a caller is on the line. kApi: a person looks at a page.
enum class Lane { kCall, kApi, kBatch };
constexpr std::size_t kLanes = 3;

struct Limits {
  std::size_t queue = 4096;                       ///< jobs waiting a lane; beyond: kBusy
  Milliseconds statement{5'000};                  ///< longest statement
  Milliseconds connect{3'000};                    ///< PostgreSQL: longest connection attempt
  std::size_t group_jobs = 64;                    ///< SQLite: jobs a commit at most
  Milliseconds group_time{5};                     ///< SQLite: a commit is not held open longer
  std::size_t readers = 2;                        ///< SQLite: threads that read
  std::array<std::size_t, kLanes> pool{2, 2, 1};  ///< PostgreSQL: connections (threads) a lane
};

/// Counted since the start.
struct DatabaseStats {
  std::uint64_t jobs = 0;     ///< finished, well or not
  std::uint64_t commits = 0;  ///< transactions committed (SQLite: of many jobs each)
  std::uint64_t refused = 0;  ///< queue full
  std::uint64_t reconnects = 0;
};

/// One transaction's work. May be run again when the transaction is lost through no fault of its
/// own (connection gone before the commit, deadlock, disk full in the same group), so it must act
/// only through the connection and its result. Must not block on anything but the connection.
using Job = std::function<Result<void>(Connection&)>;
/// Called once on a database thread, after the commit is on the disk. Must not block or throw.
using Done = std::function<void(Result<void>)>;

/// Port: the primary store. Reads come from the primary too; never from a replica or a cache.
/// Threads: any. Owner: destroy (or `stop`) it before the loops that await it.
class Database {
 public:
  virtual ~Database() = default;

  /// `fn(Connection&)` returns Result<T>; the Task gives that, resumed on the awaiting executor,
  /// once the transaction is committed. An error returned by `fn` undoes the job (and only it).
  /// Name `fn` before co_await (g++ 12). Errors besides fn's: kBusy queue full; kUnavailable
  /// stopped, disk full, connection lost; kInternal `fn` threw.
  template <class Fn>
  auto write(Lane lane, Fn fn) {
    return run(true, lane, std::move(fn));
  }
  /// The same in a read-only snapshot.
  template <class Fn>
  auto read(Lane lane, Fn fn) {
    return run(false, lane, std::move(fn));
  }

  /// The same, blocking: for start-up, the recorder thread and tests; never on a loop.
  template <class Fn>
  auto write_blocking(Lane lane, Fn fn) {
    return run_blocking(true, lane, std::move(fn));
  }
  template <class Fn>
  auto read_blocking(Lane lane, Fn fn) {
    return run_blocking(false, lane, std::move(fn));
  }

  /// The same, by callback. `done` is called exactly once, perhaps before this returns (kBusy).
  virtual void post(bool writes, Lane lane, Job job, Done done) = 0;
  /// Finishes what is queued, ends the threads; later jobs get kUnavailable. Idempotent.
  virtual void stop() = 0;
  [[nodiscard]] virtual DatabaseStats stats() const = 0;
  [[nodiscard]] virtual Dialect dialect() const = 0;

 private:
  template <class Fn>
  using Outcome = std::invoke_result_t<Fn&, Connection&>;

  /// What a job and its waiter share: outlives a waiter that is cancelled.
  template <class Fn>
  struct Shared {
    Fn fn;
    Outcome<Fn> outcome = fail(ErrorCode::kInternal, "job did not run");
  };
  template <class Fn>
  static Job job_of(const std::shared_ptr<Shared<Fn>>& shared) {
    return [shared](Connection& connection) -> Result<void> {
      shared->outcome = shared->fn(connection);
      if (!shared->outcome) return tl::unexpected<Error>(shared->outcome.error());
      return {};
    };
  }
  template <class Fn>
  net::Task<Outcome<Fn>> run(bool writes, Lane lane, Fn fn) {
    const auto shared = std::make_shared<Shared<Fn>>(Shared<Fn>{std::move(fn)});
    Job job = job_of(shared);
    const Result<void> done = co_await wait(writes, lane, std::move(job));
    if (!done) co_return tl::unexpected<Error>(done.error());
    co_return std::move(shared->outcome);
  }
  template <class Fn>
  Outcome<Fn> run_blocking(bool writes, Lane lane, Fn fn) {
    const auto shared = std::make_shared<Shared<Fn>>(Shared<Fn>{std::move(fn)});
    const Result<void> done = wait_blocking(writes, lane, job_of(shared));
    if (!done) return tl::unexpected<Error>(done.error());
    return std::move(shared->outcome);
  }
  net::Task<Result<void>> wait(bool writes, Lane lane, Job job);
  Result<void> wait_blocking(bool writes, Lane lane, Job job);
};

}  // namespace yyc3::storage
