#include "platform/storage/postgres_owner.hpp"

#include <array>
#include <unistd.h>
#include <utility>

namespace yyc3::storage {

namespace {

// The first number is "yyc3"; the second tells stores apart that share a database by schema. Two
// numbers are a space of their own: this never meets the lock that migrations take.
constexpr const char* kLock =
    "SELECT 1 AS one FROM (SELECT pg_advisory_lock(2037998387, "
    "hashtext(COALESCE(current_schema(), '')))) AS held";
constexpr const char* kUnlock = "SELECT pg_advisory_unlock_all()";
constexpr const char* kHolder =
    "SELECT a.pid, a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = 2037998387 AND "
    "CAST(l.objid AS BIGINT) = "
    "(CAST(hashtext(COALESCE(current_schema(), '')) AS BIGINT) + 4294967296) % 4294967296 AND "
    "l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";
// The lock outlives what the server's owner set for idle sessions, and not our machine: the server
// asks after us. Asked through pg_settings, for a name that a server lacks would be an error.
constexpr const char* kSettings =
    "SELECT set_config(name, CASE name WHEN 'application_name' THEN ? WHEN 'lock_timeout' THEN "
    "'1s' WHEN 'tcp_keepalives_idle' THEN '10' WHEN 'tcp_keepalives_interval' THEN '5' WHEN "
    "'tcp_keepalives_count' THEN '3' ELSE '0' END, false) FROM pg_settings WHERE name IN "
    "('application_name', 'lock_timeout', 'tcp_keepalives_idle', 'tcp_keepalives_interval', "
    "'tcp_keepalives_count', 'idle_session_timeout')";

/// Who we are, for whoever finds the store taken: PostgreSQL keeps 63 bytes of it.
std::string own_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  std::string name = "process " + std::to_string(::getpid()) + " on " + host.data();
  for (char& letter : name)
    if (letter < ' ' || letter > '~') letter = '?';
  return name.substr(0, 63);
}

Limits owner_limits(Limits limits) {
  limits.statement = std::max(limits.statement, Milliseconds{5'000});  // the wait for the lock fits
  return limits;
}

}  // namespace

PostgresOwner::PostgresOwner(std::string connection, const Limits& limits, const Clock& clock)
    : connection_(std::move(connection), owner_limits(limits), clock), clock_(clock) {}

PostgresOwner::~PostgresOwner() {
  // Closing alone would do, a moment later: the next program may start this instant.
  if (connection_.connected()) static_cast<void>(connection_.control(kUnlock));
}

Result<void> PostgresOwner::hold() {
  const std::lock_guard lock(mutex_);
  if (connection_.still_there()) return {};
  if (backoff_.waits(clock_.now())) return tl::unexpected<Error>(why_not_);
  Result<void> taken = take();
  if (taken) {
    backoff_.reset();
    return {};
  }
  connection_.close();
  backoff_.failed(clock_.now());
  why_not_ = taken.error();
  return taken;
}

Result<void> PostgresOwner::take() {
  Result<void> connected = connection_.connect();
  if (!connected) return connected;
  connection_.reset();
  const Result<Rows> set = connection_.query(kSettings, std::array{Value(own_name())});
  if (!set) return tl::unexpected<Error>(set.error());
  const Result<Rows> locked = connection_.query(kLock, {});
  if (locked) return {};
  if (locked.error().code != ErrorCode::kBusy) return tl::unexpected<Error>(locked.error());
  return tl::unexpected<Error>(taken_by_other());
}

Error PostgresOwner::taken_by_other() {
  connection_.reset();
  std::string who = "another program";
  std::string session;
  const Result<Rows> holder = connection_.query(kHolder, {});
  if (holder && !holder->empty()) {
    who = holder->front().text("application_name");
    session = " (session " + std::to_string(holder->front().int64("pid")) + " of PostgreSQL)";
  }
  return {ErrorCode::kBusy, "the store is in use by " + who + session +
                                ": stop it, or give this one a store of its own"};
}

}  // namespace yyc3::storage
