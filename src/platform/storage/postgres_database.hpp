#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "platform/storage/database.hpp"

namespace yyc3::storage {

struct PostgresConfig {
  /// libpq connection string ("host=… port=… dbname=… user=…" or a postgresql:// URI), with its
  /// password or passfile. Never logged.
  std::string connection;
  Limits limits;
};

/// A PostgreSQL primary through libpq: a pool a lane, one thread a connection. A lost connection is
/// made again (back-off 0.2–5 s; meanwhile jobs fail with kUnavailable at once); a job whose
/// connection was lost before its commit was sent runs once more, one lost during the commit fails
/// with kUnavailable and "outcome unknown". Serialisation failures and deadlocks: up to 3 more
/// runs. Errors: kInvalid the string is no connection string; kUnavailable the first connection
/// fails; kBusy another program has the store, on whatever machine: its process is in the text.
/// One more connection holds the store for us (PostgresOwner). Lost, it is made again before the
/// next job; if another program took the store meanwhile, jobs fail with kBusy until that one ends.
Result<std::unique_ptr<Database>> open_postgres(const PostgresConfig& config, const Clock& clock);

}  // namespace yyc3::storage
