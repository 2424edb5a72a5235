#include "platform/storage/postgres_database.hpp"

#include <thread>

#include "platform/storage/job_queue.hpp"
#include "platform/storage/postgres_connection.hpp"
#include "platform/storage/postgres_owner.hpp"

namespace yyc3::storage {

namespace {

constexpr int kRuns = 4;  // of a job, the first included
constexpr Milliseconds kYield{
    10};  // after a deadlock, doubled each time: lets the other one finish

/// One thread's work: a connection and the way a job is carried out on it.
class Worker {
 public:
  Worker(const PostgresConfig& config, PostgresOwner& owner, const Clock& clock, Counters& counters)
      : owner_(owner),
        connection_(config.connection, config.limits, clock),
        clock_(clock),
        counters_(counters) {}

  Result<void> run(const Job& job, bool writes) {
    Result<void> result = fail(ErrorCode::kUnavailable, "PostgreSQL: not connected");
    for (int i = 0; i < kRuns; ++i) {
      Result<void> ours = owner_.hold();
      if (!ours) return ours;
      const Result<void> ready = ensure_connected();
      if (!ready) return ready;
      bool again = false;
      result = attempt(job, writes, again);
      if (!again) break;
      if (connection_.again()) std::this_thread::sleep_for(kYield * (1 << i));
    }
    return result;
  }

  Result<void> ensure_connected() {
    if (connection_.connected()) return {};
    if (backoff_.waits(clock_.now()))
      return fail(ErrorCode::kUnavailable, "PostgreSQL is away; trying again shortly");
    Result<void> made = connection_.connect();
    if (made) {
      if (was_connected_) ++counters_.reconnects;
      was_connected_ = true;
      backoff_.reset();
      return {};
    }
    backoff_.failed(clock_.now());
    return made;
  }

 private:
  /// One transaction. `again` = it left no trace through no fault of the job: run it once more.
  Result<void> attempt(const Job& job, bool writes, bool& again) {
    connection_.reset();
    const Result<std::string> begun =
        connection_.control(writes ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (!begun) return undo(begun.error(), again);
    Result<void> result = run_guarded(job, connection_);
    if (connection_.failed()) {
      // What the job made of the failure is its own word, unless it hid it.
      const Error cause = result ? *connection_.failed() : result.error();
      return undo(cause, again);
    }
    if (!result) {
      bool ignored = false;
      return undo(result.error(), ignored);
    }
    const Result<std::string> done = connection_.control("COMMIT");
    if (done && *done == "COMMIT") {
      ++counters_.commits;
      return {};
    }
    if (done) return fail(ErrorCode::kInternal, "PostgreSQL undid the transaction");
    if (!connection_.connected() && writes)
      return fail(ErrorCode::kUnavailable,
                  "PostgreSQL: connection lost during the commit, outcome unknown");
    return undo(done.error(), again);
  }

  Result<void> undo(Error cause, bool& again) {
    // A time-out means the server did not answer: asking it again would only double the wait.
    again = connection_.again() || (!connection_.connected() && cause.code != ErrorCode::kTimeout);
    if (connection_.connected() && !connection_.control("ROLLBACK")) connection_.close();
    return tl::unexpected<Error>(std::move(cause));
  }

  PostgresOwner& owner_;
  PostgresConnection connection_;
  const Clock& clock_;
  Counters& counters_;
  Backoff backoff_;
  bool was_connected_ = false;
};

class PostgresDatabase final : public Database {
 public:
  PostgresDatabase(PostgresConfig config, const Clock& clock)
      : config_(std::move(config)),
        clock_(clock),
        owner_(config_.connection, config_.limits, clock) {
    for (auto& queue : queues_) queue = std::make_unique<JobQueue>(config_.limits.queue);
  }
  ~PostgresDatabase() override { stop(); }
  PostgresDatabase(const PostgresDatabase&) = delete;
  PostgresDatabase& operator=(const PostgresDatabase&) = delete;

  Result<void> start() {
    Result<void> ours = owner_.hold();
    if (!ours) return ours;
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      for (std::size_t i = 0; i < std::max<std::size_t>(config_.limits.pool[lane], 1); ++i)
        workers_.push_back(
            {queues_[lane].get(), std::make_unique<Worker>(config_, owner_, clock_, counters_)});
    Result<void> first = workers_.front().worker->ensure_connected();
    if (!first) return first;
    for (const Seat& seat : workers_)
      threads_.emplace_back([this, queue = seat.queue, worker = seat.worker.get()] {
        while (std::optional<Pending> next = queue->pop()) {
          Result<void> result = worker->run(next->job, next->writes);
          ++counters_.jobs;
          next->done(std::move(result));
        }
      });
    return {};
  }

  void post(bool writes, Lane lane, Job job, Done done) override {
    Pending pending{std::move(job), std::move(done), writes};
    const Result<void> queued = queues_[static_cast<std::size_t>(lane)]->push(lane, pending);
    if (queued) return;
    ++counters_.refused;
    pending.done(queued);
  }

  void stop() override {
    for (auto& queue : queues_) queue->close();
    const std::lock_guard lock(stopping_);
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  [[nodiscard]] DatabaseStats stats() const override { return counters_.snapshot(); }
  [[nodiscard]] Dialect dialect() const override { return Dialect::kPostgres; }

 private:
  struct Seat {
    JobQueue* queue;
    std::unique_ptr<Worker> worker;
  };

  const PostgresConfig config_;
  const Clock& clock_;
  PostgresOwner owner_;  // before the workers: goes when they are gone
  Counters counters_;
  std::array<std::unique_ptr<JobQueue>, kLanes> queues_;
  std::vector<Seat> workers_;
  std::mutex stopping_;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_postgres(const PostgresConfig& config, const Clock& clock) {
  const Result<void> good = check_connection_string(config.connection);
  if (!good) return tl::unexpected<Error>(good.error());
  auto database = std::make_unique<PostgresDatabase>(config, clock);
  const Result<void> started = database->start();
  if (!started) return tl::unexpected<Error>(started.error());
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace yyc3::storage
