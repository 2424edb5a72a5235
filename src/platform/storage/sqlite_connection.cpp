#include "platform/storage/sqlite_connection.hpp"

#include <sqlite3.h>

#include "platform/storage/job_queue.hpp"

namespace yyc3::storage {

namespace {

constexpr std::size_t kCachedStatements = 256;
constexpr int kProgressEvery = 2'000;  // virtual machine steps: well under a millisecond
constexpr int kBusyMs = 5'000;         // for another program that reads the file by hand

struct StatementReset {
  void operator()(sqlite3_stmt* statement) const {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};
using Running = std::unique_ptr<sqlite3_stmt, StatementReset>;

int bind(sqlite3_stmt* statement, int at, const Value& value) {
  const auto& data = value.data();
  if (const auto* number = std::get_if<std::int64_t>(&data))
    return sqlite3_bind_int64(statement, at, *number);
  if (const auto* real = std::get_if<double>(&data))
    return sqlite3_bind_double(statement, at, *real);
  if (const auto* text = std::get_if<std::string>(&data))
    return sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_TRANSIENT,
                               SQLITE_UTF8);
  if (const auto* bytes = std::get_if<Bytes>(&data)) {
    if (bytes->empty()) return sqlite3_bind_zeroblob(statement, at, 0);  // null data = NULL
    return sqlite3_bind_blob64(statement, at, bytes->data(), bytes->size(), SQLITE_TRANSIENT);
  }
  return sqlite3_bind_null(statement, at);
}

Value cell(sqlite3_stmt* statement, int at) {
  switch (sqlite3_column_type(statement, at)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, at)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, at);
    case SQLITE_TEXT: {
      const unsigned char* text = sqlite3_column_text(statement, at);
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, at));
      return std::string(reinterpret_cast<const char*>(text), size);
    }
    case SQLITE_BLOB: {
      const void* data = sqlite3_column_blob(statement, at);
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, at));
      const auto* first = static_cast<const std::uint8_t*>(data);
      return size == 0 ? Bytes() : Bytes(first, first + size);
    }
    default:
      return nullptr;
  }
}

ErrorCode code_of(int extended, bool read_only) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return ErrorCode::kConflict;
    default:
      break;
  }
  switch (extended & 0xFF) {
    case SQLITE_CONSTRAINT:
    case SQLITE_ERROR:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG:
    case SQLITE_NOTADB:
      return ErrorCode::kInvalid;
    case SQLITE_READONLY:
      return read_only ? ErrorCode::kInvalid : ErrorCode::kUnavailable;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kBusy;
    case SQLITE_INTERRUPT:
      return ErrorCode::kTimeout;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kInternal;
  }
}

}  // namespace

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& file,
                                                                 bool read_only,
                                                                 Milliseconds statement,
                                                                 const Clock& clock) {
  std::unique_ptr<SqliteConnection> made(new SqliteConnection(read_only, statement, clock));
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(file.c_str(), &made->handle_, flags, nullptr) != SQLITE_OK)
    return tl::unexpected<Error>(made->error());
  sqlite3_busy_timeout(made->handle_, kBusyMs);
  sqlite3_progress_handler(made->handle_, kProgressEvery, &SqliteConnection::on_progress,
                           made.get());
  for (const char* pragma : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
                             "PRAGMA foreign_keys=ON", "PRAGMA journal_size_limit=67108864"}) {
    const Result<void> set = made->control(pragma);
    if (!set) return tl::unexpected<Error>(set.error());
  }
  if (read_only) {
    const Result<void> set = made->control("PRAGMA query_only=ON");
    if (!set) return tl::unexpected<Error>(set.error());
  }
  return made;
}

SqliteConnection::~SqliteConnection() {
  forget_statements();
  sqlite3_close(handle_);
}

void SqliteConnection::forget_statements() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  statements_.clear();
}

int SqliteConnection::on_progress(void* self) {
  const auto* connection = static_cast<const SqliteConnection*>(self);
  return connection->deadline_ && connection->clock_.now() >= *connection->deadline_ ? 1 : 0;
}

Error SqliteConnection::error() {
  const int extended = sqlite3_extended_errcode(handle_);
  const ErrorCode code = code_of(extended, read_only_);
  std::string text = sqlite3_errmsg(handle_);
  if ((extended & 0xFF) == SQLITE_FULL)
    text = "the disk (or the quota of the store) is full: free space; nothing was written";
  else if (code == ErrorCode::kTimeout)
    text = "the statement took longer than " + std::to_string(statement_.count()) + " ms";
  return {code, "SQLite: " + text};
}

tl::unexpected<Error> SqliteConnection::failure(Error error) {
  if (!failed_) failed_ = error;
  return tl::unexpected<Error>(std::move(error));
}

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

Result<void> SqliteConnection::control(const char* sql) {
  deadline_.reset();
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return tl::unexpected<Error>(error());
  return {};
}

Result<sqlite3_stmt*> SqliteConnection::prepared(std::string_view sql,
                                                 std::span<const Value> args) {
  // PostgreSQL would refuse everything after an error; what passes here must pass there.
  if (failed_)
    return fail(ErrorCode::kInternal, "the transaction has failed already: " + failed_->detail);
  const auto found = statements_.find(sql);
  sqlite3_stmt* statement = found == statements_.end() ? nullptr : found->second;
  if (statement == nullptr) {
    if (statements_.size() >= kCachedStatements) forget_statements();
    const char* tail = nullptr;
    if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &statement, &tail) != SQLITE_OK)
      return failure(error());
    if (statement == nullptr) return failure({ErrorCode::kInvalid, "SQLite: empty statement"});
    statements_.emplace(std::string(sql), statement);
  }
  if (static_cast<std::size_t>(sqlite3_bind_parameter_count(statement)) != args.size())
    return failure({ErrorCode::kInvalid, "SQL: as many arguments as question marks, please"});
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Result<void> good = check_value(args[i]);
    if (!good) return failure(good.error());
    if (bind(statement, static_cast<int>(i) + 1, args[i]) != SQLITE_OK) return failure(error());
  }
  return statement;
}

Result<Rows> SqliteConnection::run(sqlite3_stmt* statement) {
  const Running running(statement);
  deadline_ = clock_.now() + statement_;
  std::shared_ptr<std::vector<std::string>> columns;
  Rows rows;
  int step = SQLITE_ROW;
  while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
    const int count = sqlite3_column_count(statement);
    if (!columns) {
      columns = std::make_shared<std::vector<std::string>>();
      for (int i = 0; i < count; ++i) columns->emplace_back(sqlite3_column_name(statement, i));
    }
    std::vector<Value> cells;
    cells.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) cells.push_back(cell(statement, i));
    rows.emplace_back(columns, std::move(cells));
  }
  deadline_.reset();
  if (step != SQLITE_DONE) return failure(error());
  return rows;
}

Result<Rows> SqliteConnection::query(std::string_view sql, std::span<const Value> args) {
  const Result<sqlite3_stmt*> statement = prepared(sql, args);
  if (!statement) return tl::unexpected<Error>(statement.error());
  return run(*statement);
}

Result<std::int64_t> SqliteConnection::exec(std::string_view sql, std::span<const Value> args) {
  const Result<sqlite3_stmt*> statement = prepared(sql, args);
  if (!statement) return tl::unexpected<Error>(statement.error());
  const std::int64_t before = sqlite3_total_changes64(handle_);
  const Result<Rows> rows = run(*statement);
  if (!rows) return tl::unexpected<Error>(rows.error());
  // sqlite3_changes keeps the figure of an earlier statement after one that changes no rows.
  const bool changed = sqlite3_total_changes64(handle_) != before;
  return std::int64_t{changed ? sqlite3_changes64(handle_) : 0};
}

Result<void> SqliteConnection::script(std::string_view sql) {
  if (failed_)
    return fail(ErrorCode::kInternal, "the transaction has failed already: " + failed_->detail);
  if (control(std::string(sql).c_str())) return {};
  return failure(error());
}

}  // namespace yyc3::storage
