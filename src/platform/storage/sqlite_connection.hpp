#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "platform/storage/database.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace yyc3::storage {

/// One SQLite handle. Threads: one at a time.
class SqliteConnection final : public Connection {
 public:
  /// Errors: kInvalid not a database; kUnavailable cannot be opened.
  static Result<std::unique_ptr<SqliteConnection>> open(const std::string& file, bool read_only,
                                                        Milliseconds statement, const Clock& clock);
  ~SqliteConnection() override;
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  Result<Rows> query(std::string_view sql, std::span<const Value> args) override;
  Result<std::int64_t> exec(std::string_view sql, std::span<const Value> args) override;
  Result<void> script(std::string_view sql) override;
  [[nodiscard]] Dialect dialect() const override { return Dialect::kSqlite; }

  /// BEGIN, COMMIT and the like: not counted as the job's, no time limit.
  Result<void> control(const char* sql);
  /// False when SQLite undid the whole transaction by itself (disk full, interrupted write).
  [[nodiscard]] bool in_transaction() const;
  /// Starts a job: forgets the error of the last one.
  void reset() { failed_.reset(); }
  /// The first error since `reset`.
  [[nodiscard]] const std::optional<Error>& failed() const { return failed_; }

 private:
  SqliteConnection(bool read_only, Milliseconds statement, const Clock& clock)
      : read_only_(read_only), statement_(statement), clock_(clock) {}
  static int on_progress(void* self);
  Result<sqlite3_stmt*> prepared(std::string_view sql, std::span<const Value> args);
  Result<Rows> run(sqlite3_stmt* statement);
  Error error();
  tl::unexpected<Error> failure(Error error);
  void forget_statements();

  const bool read_only_;
  const Milliseconds statement_;
  const Clock& clock_;
  sqlite3* handle_ = nullptr;
  std::map<std::string, sqlite3_stmt*, std::less<>> statements_;
  std::optional<SteadyTime> deadline_;
  std::optional<Error> failed_;
};

}  // namespace yyc3::storage
