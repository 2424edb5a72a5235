#include "platform/storage/sqlite_database.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

#include "platform/storage/job_queue.hpp"
#include "platform/storage/lock_file.hpp"
#include "platform/storage/sqlite_connection.hpp"

namespace yyc3::storage {

namespace {

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(LockFile lock, const Limits& limits, const Clock& clock)
      : lock_(std::move(lock)),
        limits_(limits),
        clock_(clock),
        writes_(limits.queue),
        reads_(limits.queue) {}
  ~SqliteDatabase() override { stop(); }
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  void start(std::unique_ptr<SqliteConnection> writer,
             std::vector<std::unique_ptr<SqliteConnection>> readers) {
    writer_ = std::move(writer);
    readers_ = std::move(readers);
    threads_.emplace_back([this] {
      while (std::optional<Pending> first = writes_.pop()) run_group(std::move(*first));
    });
    for (const auto& reader : readers_)
      threads_.emplace_back([this, connection = reader.get()] {
        while (std::optional<Pending> next = reads_.pop()) {
          Result<void> result = run_alone(*connection, "BEGIN", next->job);
          finish(*next, std::move(result));
        }
      });
  }

  void post(bool writes, Lane lane, Job job, Done done) override {
    Pending pending{std::move(job), std::move(done)};
    const Result<void> queued = (writes ? writes_ : reads_).push(lane, pending);
    if (queued) return;
    ++counters_.refused;
    pending.done(queued);
  }

  void stop() override {
    writes_.close();
    reads_.close();
    const std::lock_guard lock(stopping_);
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  [[nodiscard]] DatabaseStats stats() const override { return counters_.snapshot(); }
  [[nodiscard]] Dialect dialect() const override { return Dialect::kSqlite; }

 private:
  struct Ran {
    Pending pending;
    Result<void> result;
  };

  void finish(Pending& pending, Result<void> result) {
    ++counters_.jobs;
    pending.done(std::move(result));
  }

  /// The job's result, or the first error of its statements if it hid one.
  static Result<void> run_job(SqliteConnection& connection, const Job& job) {
    connection.reset();
    Result<void> result = run_guarded(job, connection);
    if (result && connection.failed()) return tl::unexpected<Error>(*connection.failed());
    return result;
  }

  Result<void> run_alone(SqliteConnection& connection, const char* begin, const Job& job) {
    Result<void> result = connection.control(begin);
    if (!result) return result;
    result = run_job(connection, job);
    if (result) result = connection.control("COMMIT");
    if (result)
      ++counters_.commits;
    else
      undo(connection);
    return result;
  }

  static void undo(SqliteConnection& connection) {
    if (!connection.in_transaction()) return;
    // Nothing to be done if even this fails: the next BEGIN will, and its job is told.
    const Result<void> undone = connection.control("ROLLBACK");
    static_cast<void>(undone);
  }

  /// Runs the job in a savepoint. False when SQLite threw the whole transaction away.
  bool run_in_group(Ran& ran) {
    Result<void> step = writer_->control("SAVEPOINT job");
    if (step) {
      ran.result = run_job(*writer_, ran.pending.job);
      if (!writer_->in_transaction()) {
        if (ran.result) ran.result = fail(ErrorCode::kInternal, "a job ended its transaction");
        return false;
      }
      if (!ran.result) step = writer_->control("ROLLBACK TO job");
      if (step) step = writer_->control("RELEASE job");
    }
    if (step) return true;
    if (ran.result) ran.result = step;
    undo(*writer_);
    return false;
  }

  /// Jobs share one commit, so one fsync: as many as are waiting, up to the limits. A group is
  /// never held open for jobs that have not come yet.
  void run_group(Pending first) {
    std::vector<Ran> group;
    const SteadyTime until = clock_.now() + limits_.group_time;
    const Result<void> begun = writer_->control("BEGIN IMMEDIATE");
    if (!begun) return finish(first, begun);
    std::optional<Pending> next(std::move(first));
    bool whole = true;
    while (whole && next) {
      group.push_back({std::move(*next), {}});
      whole = run_in_group(group.back());
      next.reset();
      if (whole && group.size() < limits_.group_jobs && clock_.now() < until)
        next = writes_.try_pop();
    }
    // The job that broke the group keeps its error; the others did nothing wrong.
    const std::size_t innocent = whole ? group.size() : group.size() - 1;
    if (whole) whole = commit_group(group);
    for (std::size_t i = 0; !whole && i < innocent; ++i)
      if (group[i].result)
        group[i].result = run_alone(*writer_, "BEGIN IMMEDIATE", group[i].pending.job);
    for (Ran& ran : group) finish(ran.pending, std::move(ran.result));
  }

  bool commit_group(const std::vector<Ran>& group) {
    if (!writer_->control("COMMIT")) {
      undo(*writer_);
      return false;
    }
    for (const Ran& ran : group) {
      if (!ran.result) continue;
      ++counters_.commits;
      break;
    }
    return true;
  }

  LockFile lock_;
  const Limits limits_;
  const Clock& clock_;
  JobQueue writes_;
  JobQueue reads_;
  Counters counters_;
  std::unique_ptr<SqliteConnection> writer_;
  std::vector<std::unique_ptr<SqliteConnection>> readers_;
  std::mutex stopping_;
  std::vector<std::thread> threads_;
};

/// Made before SQLite does, so that nobody else may read it.
Result<void> make_private(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail(ErrorCode::kUnavailable, "cannot open the store " + file.string() + ": " +
                                             std::strerror(errno) +
                                             "; its folder must exist and be writable");
  ::close(fd);
  return {};
}

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const SqliteConfig& config, const Clock& clock) {
  const Result<void> made = make_private(config.file);
  if (!made) return tl::unexpected<Error>(made.error());
  Result<LockFile> lock = LockFile::take(config.file.string() + ".lock");
  if (!lock) return tl::unexpected<Error>(lock.error());
  auto database = std::make_unique<SqliteDatabase>(std::move(*lock), config.limits, clock);
  std::vector<std::unique_ptr<SqliteConnection>> all;
  for (std::size_t i = 0; i < 1 + std::max<std::size_t>(config.limits.readers, 1); ++i) {
    auto opened =
        SqliteConnection::open(config.file.string(), i > 0, config.limits.statement, clock);
    if (!opened)
      return fail(opened.error().code,
                  "store " + config.file.string() + ": " + opened.error().detail);
    all.push_back(std::move(*opened));
  }
  if (config.max_pages > 0) {
    const std::string pragma = "PRAGMA max_page_count=" + std::to_string(config.max_pages);
    const Result<void> set = all.front()->control(pragma.c_str());
    if (!set) return tl::unexpected<Error>(set.error());
  }
  auto writer = std::move(all.front());
  all.erase(all.begin());
  database->start(std::move(writer), std::move(all));
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace yyc3::storage
