#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "platform/storage/database.hpp"

namespace yyc3::storage {

/// One numbered change of the schema. SQL in the common dialect, written in PostgreSQL's types:
/// BIGINT, TEXT, BYTEA, DOUBLE PRECISION; for SQLite they become INTEGER, TEXT, BLOB, REAL and each
/// table STRICT (see `for_dialect`). Never edit one that was released: add the next.
struct Migration {
  std::int64_t version;  ///< 1, 2, … without gaps
  std::string_view name;
  std::string_view sql;
};

/// migrations/NNNN_name.sql, embedded at build, in order.
std::span<const Migration> embedded_migrations();

/// Brings the store to the newest version, each migration in a transaction of its own with its
/// SHA-256. Two programs at once on PostgreSQL: one waits for the other. Blocking: start-up only.
/// Returns how many were applied (0 = nothing to do). Errors: kInvalid the store is newer than this
/// program, or an applied migration is not the one this program has.
Result<std::int64_t> migrate(Database& database, const Clock& clock,
                             std::span<const Migration> migrations = embedded_migrations());

/// `sql` with the words that differ between the dialects put right.
std::string for_dialect(std::string_view sql, Dialect dialect);

}  // namespace yyc3::storage
