#include "platform/storage/postgres_database.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <signal.h>
#include <thread>

#include "platform/storage/storage_test_support.hpp"

using namespace yyc3;
using namespace yyc3::storage;
using namespace yyc3::storage::testing;

namespace {
const SystemClock kClock;

std::int64_t own_backend(Connection& db) {
  return db.query("SELECT pg_backend_pid() AS pid")->front().int64("pid");
}

/// Ends the session that holds the store, and comes back when the lock is free.
Result<void> end_owner(Connection& db) {
  const char* held =
      "FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND "
      "database = (SELECT oid FROM pg_database WHERE datname = current_database())";
  REQUIRE(db.query("SELECT pg_terminate_backend(pid) AS done " + std::string(held))->size() == 1);
  while (db.query("SELECT COUNT(*) AS c " + std::string(held))->front().int64("c") > 0)
    std::this_thread::sleep_for(Milliseconds{5});
  return {};
}
}  // namespace

TEST_CASE("the session that holds the store is made again before the next job") {
  const Store store(Dialect::kPostgres);
  REQUIRE(store->write_blocking(Lane::kApi, end_owner));
  CHECK(run(*store.database, "CREATE TABLE t (id BIGINT PRIMARY KEY)"));
  const auto second = store.open_again();
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kBusy);
}

TEST_CASE("who lost the store to another program writes nothing until that one has ended") {
  const Store store(Dialect::kPostgres);
  REQUIRE(run(*store.database, "CREATE TABLE t (id BIGINT PRIMARY KEY)"));
  REQUIRE(store->write_blocking(Lane::kApi, end_owner));
  auto second = store.open_again();
  REQUIRE(second);
  for (int i = 0; i < 3; ++i) {
    const Result<void> refused = run(*store.database, "INSERT INTO t VALUES (1)");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kBusy);
    CHECK(refused.error().detail.find("in use by process") != std::string::npos);
  }
  CHECK(ask(**second, "SELECT id FROM t")->empty());
  second->reset();
  bool back = false;
  for (int i = 0; i < 300 && !back; ++i) {
    back = run(*store.database, "INSERT INTO t VALUES (1)").has_value();
    if (!back) std::this_thread::sleep_for(Milliseconds{50});
  }
  CHECK(back);
}

TEST_CASE("two stores may share a database, each in a schema of its own") {
  const Store store(Dialect::kPostgres);
  REQUIRE(run(*store.database, "CREATE SCHEMA other"));
  const std::string there = store.connection + " options='-c search_path=other'";
  CHECK(open_postgres({there, {}}, kClock));
}

TEST_CASE("a job whose connection is killed before the commit runs again on a new one") {
  const Store store(Dialect::kPostgres);
  REQUIRE(run(*store.database, "CREATE TABLE t (id BIGINT PRIMARY KEY)"));
  int runs = 0;
  const Result<void> done = store->write_blocking(Lane::kApi, [&](Connection& db) -> Result<void> {
    const Result<std::int64_t> added = db.exec("INSERT INTO t VALUES (?)", {++runs});
    if (!added) return tl::unexpected<Error>(added.error());
    if (runs > 1) return {};
    const Result<Rows> died = db.query("SELECT pg_terminate_backend(pg_backend_pid()) AS dead");
    if (!died) return tl::unexpected<Error>(died.error());
    return {};
  });
  CHECK(done);
  CHECK(runs == 2);
  CHECK(store->stats().reconnects == 1);
  const Result<Rows> rows = ask(*store.database, "SELECT id FROM t");
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().int64("id") == 2);
}

TEST_CASE("a server that answers nothing does not hold the thread") {
  Limits limits;
  limits.statement = Milliseconds{200};
  limits.pool = {1, 1, 1};
  const Store store(Dialect::kPostgres, limits);
  pid_t frozen = 0;
  const Result<void> done = store->write_blocking(Lane::kCall, [&](Connection& db) -> Result<void> {
    frozen = static_cast<pid_t>(own_backend(db));
    REQUIRE(::kill(frozen, SIGSTOP) == 0);
    const Result<Rows> never = db.query("SELECT 1 AS one");
    if (!never) return tl::unexpected<Error>(never.error());
    return {};
  });
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ErrorCode::kTimeout);
  CHECK(store->write_blocking(Lane::kCall, [](Connection& db) { return db.query("SELECT 1"); }));
  ::kill(frozen, SIGCONT);
}

TEST_CASE("jobs fail at once while the server is away, and work when it is back") {
  PostgresServer server;
  auto opened = open_postgres({server.make_database(), {}}, kClock);
  REQUIRE(opened);
  REQUIRE(run(**opened, "CREATE TABLE t (id BIGINT PRIMARY KEY)"));
  server.stop();
  for (int i = 0; i < 20; ++i) {
    const Result<void> away = run(**opened, "INSERT INTO t VALUES (1)");
    REQUIRE_FALSE(away);
    CHECK(away.error().code == ErrorCode::kUnavailable);
  }
  server.start();
  bool back = false;
  for (int i = 0; i < 300 && !back; ++i) {
    back = run(**opened, "INSERT INTO t VALUES (1)").has_value();
    if (!back) std::this_thread::sleep_for(Milliseconds{50});
  }
  CHECK(back);
}

TEST_CASE("a deadlock is solved by running one of the two again") {
  Limits limits;
  limits.pool = {2, 1, 1};
  const Store store(Dialect::kPostgres, limits);
  REQUIRE(run(*store.database, "CREATE TABLE t (id BIGINT PRIMARY KEY, n BIGINT)"));
  REQUIRE(run(*store.database, "INSERT INTO t VALUES (1, 0), (2, 0)"));
  Collector collector;
  std::mutex mutex;
  std::condition_variable both_in;
  int inside = 0;
  const auto crossing = [&](std::int64_t first, std::int64_t second) {
    return [&, first, second](Connection& db) -> Result<void> {
      const Result<std::int64_t> a = db.exec("UPDATE t SET n = n + 1 WHERE id = ?", {first});
      if (!a) return tl::unexpected<Error>(a.error());
      {
        std::unique_lock lock(mutex);
        ++inside;
        both_in.notify_all();
        both_in.wait(lock, [&] { return inside >= 2; });
      }
      const Result<std::int64_t> b = db.exec("UPDATE t SET n = n + 1 WHERE id = ?", {second});
      if (!b) return tl::unexpected<Error>(b.error());
      return {};
    };
  };
  store->post(true, Lane::kCall, crossing(1, 2), collector.done());
  store->post(true, Lane::kCall, crossing(2, 1), collector.done());
  collector.wait(2);
  for (const auto& [name, result] : collector.results()) CHECK(result);
  CHECK(inside >= 3);
  CHECK(ask(*store.database, "SELECT SUM(n) AS s FROM t")->front().int64("s") == 4);
}

TEST_CASE("no server, or no connection string, is said at start") {
  const auto away = open_postgres({"host=/nonexistent user=x dbname=y", {}}, kClock);
  REQUIRE_FALSE(away);
  CHECK(away.error().code == ErrorCode::kUnavailable);
  const auto wrong = open_postgres({"secret_word", {}}, kClock);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == ErrorCode::kInvalid);
  CHECK(wrong.error().detail.find("secret_word") == std::string::npos);
}
