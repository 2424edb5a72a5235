#pragma once

#include <mutex>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "platform/storage/database.hpp"
#include "platform/storage/postgres_connection.hpp"

namespace yyc3::storage {

/// Exclusive use of a store in PostgreSQL, whatever machine asks: a session-long advisory lock on
/// (the database, its first schema), held by a connection that does nothing else. The server lets
/// go of it when that session ends; of a machine that vanished, within half a minute.
/// Needs a server that keeps a session a connection: no pooler that shares them by transaction.
/// Threads: any; one asks the server at a time, the others wait for it.
class PostgresOwner {
 public:
  PostgresOwner(std::string connection, const Limits& limits, const Clock& clock);
  ~PostgresOwner();
  PostgresOwner(const PostgresOwner&) = delete;
  PostgresOwner& operator=(const PostgresOwner&) = delete;

  /// Makes sure that the store is ours: one poll of a socket while it is, else a new connection and
  /// the lock again (back-off 0.2–5 s; meanwhile the last error, at once). A session that is just
  /// ending is waited for, 1 s at most. Errors: kBusy another program has it, which the text names;
  /// kUnavailable the server is away.
  Result<void> hold();

 private:
  Result<void> take();
  Error taken_by_other();

  std::mutex mutex_;
  PostgresConnection connection_;
  const Clock& clock_;
  Backoff backoff_;
  Error why_not_{ErrorCode::kUnavailable, "PostgreSQL: not connected"};
};

}  // namespace yyc3::storage
