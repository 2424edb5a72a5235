#include "platform/storage/migrations.hpp"

#include <algorithm>

#include "platform/security/key.hpp"

namespace yyc3::storage {

namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
  return text;
}

constexpr const char* kTable =
    "CREATE TABLE IF NOT EXISTS schema_migrations (\n"
    "  version BIGINT NOT NULL PRIMARY KEY,\n"
    "  name TEXT NOT NULL,\n"
    "  checksum TEXT NOT NULL,\n"
    "  applied_ms BIGINT NOT NULL\n"
    ");\n";
constexpr std::int64_t kAdvisoryLock = 0x79796333;  // "yyc3": one migrating program at a time

Result<void> prepare(Connection& db) {
  if (db.dialect() == Dialect::kPostgres) {
    const Result<Rows> locked =
        db.query("SELECT 1 AS one FROM (SELECT pg_advisory_xact_lock(?)) AS held", {kAdvisoryLock});
    if (!locked) return tl::unexpected<Error>(locked.error());
  }
  return db.script(for_dialect(kTable, db.dialect()));
}

/// Compares what was applied with what this program has. Gives the newest version applied.
Result<std::int64_t> check_applied(Connection& db, std::span<const Migration> migrations) {
  const Result<Rows> rows =
      db.query("SELECT version, name, checksum FROM schema_migrations ORDER BY version");
  if (!rows) return tl::unexpected<Error>(rows.error());
  std::int64_t newest = 0;
  for (const Row& row : *rows) {
    newest = row.int64("version");
    const auto mine = std::find_if(migrations.begin(), migrations.end(),
                                   [&](const Migration& m) { return m.version == newest; });
    if (mine == migrations.end())
      return fail(ErrorCode::kInvalid,
                  "the store was made by a newer program (schema " +
                      std::to_string(rows->back().int64("version")) + ", this one knows " +
                      std::to_string(migrations.empty() ? 0 : migrations.back().version) +
                      "): use that program, or restore an older store from backup");
    if (security::sha256_hex(as_bytes(mine->sql)) != row.text("checksum"))
      return fail(ErrorCode::kInvalid,
                  "migration " + std::to_string(newest) + " (" + row.text("name") +
                      ") was applied in another wording than this program has: use the program "
                      "that made this store");
  }
  return newest;
}

/// Applies the next one; false when there is none.
Result<bool> apply_next(Connection& db, UtcTime now, std::span<const Migration> migrations) {
  const Result<void> prepared = prepare(db);
  if (!prepared) return tl::unexpected<Error>(prepared.error());
  const Result<std::int64_t> newest = check_applied(db, migrations);
  if (!newest) return tl::unexpected<Error>(newest.error());
  const auto next = std::find_if(migrations.begin(), migrations.end(),
                                 [&](const Migration& m) { return m.version > *newest; });
  if (next == migrations.end()) return false;
  const Result<void> applied = db.script(for_dialect(next->sql, db.dialect()));
  if (!applied)
    return fail(applied.error().code,
                "migration " + std::string(next->name) + ": " + applied.error().detail);
  const Result<std::int64_t> noted = db.exec(
      "INSERT INTO schema_migrations (version, name, checksum, applied_ms) VALUES (?, ?, ?, ?)",
      {next->version, next->name, security::sha256_hex(as_bytes(next->sql)),
       now.time_since_epoch().count()});
  if (!noted) return tl::unexpected<Error>(noted.error());
  return true;
}

}  // namespace

std::string for_dialect(std::string_view sql, Dialect dialect) {
  std::string text(sql);
  if (dialect == Dialect::kPostgres) return text;
  text = replaced(std::move(text), "BYTEA", "BLOB");
  text = replaced(std::move(text), "BIGINT", "INTEGER");
  text = replaced(std::move(text), "DOUBLE PRECISION", "REAL");
  return replaced(std::move(text), "\n);", "\n) STRICT;");  // wrong types are refused, as there
}

Result<std::int64_t> migrate(Database& database, const Clock& clock,
                             std::span<const Migration> migrations) {
  for (std::int64_t applied = 0;; ++applied) {
    const Result<bool> more = database.write_blocking(
        Lane::kCall,
        [&](Connection& db) -> Result<bool> { return apply_next(db, clock.utc(), migrations); });
    if (!more) return tl::unexpected<Error>(more.error());
    if (!*more) return applied;
  }
}

}  // namespace yyc3::storage
