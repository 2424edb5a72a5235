#include "platform/storage/sqlite_database.hpp"

#include <doctest/doctest.h>
#include <fstream>
#include <sys/stat.h>

#include "platform/storage/storage_test_support.hpp"

using namespace yyc3;
using namespace yyc3::storage;
using namespace yyc3::storage::testing;

namespace {
const SystemClock kClock;

Job insert(std::string id, std::size_t bytes) {
  return [id = std::move(id), bytes](Connection& db) -> Result<void> {
    const Result<std::int64_t> done =
        db.exec("INSERT INTO t (id, b) VALUES (?, ?)", {id, Bytes(bytes, 0xAB)});
    if (!done) return tl::unexpected<Error>(done.error());
    return {};
  };
}
}  // namespace

TEST_CASE("disk full: a clear error, nothing half-written, and others of the group are kept") {
  const Store store(Dialect::kSqlite, {}, 64);
  REQUIRE(run(*store.database, "CREATE TABLE t (id TEXT PRIMARY KEY, b BLOB)"));
  Gate gate;
  Collector collector;
  store->post(true, Lane::kApi, gate.job(), collector.done("gate"));
  gate.wait_entered(1);
  store->post(true, Lane::kApi, insert("before", 10), collector.done("before"));
  store->post(true, Lane::kApi, insert("big", 1'000'000), collector.done("big"));
  store->post(true, Lane::kApi, insert("after", 10), collector.done("after"));
  gate.open();
  collector.wait(4);
  for (const auto& [name, result] : collector.results()) {
    CAPTURE(name);
    CHECK(result.has_value() == (name != "big"));
    if (result) continue;
    CHECK(result.error().code == ErrorCode::kUnavailable);
    CHECK(result.error().detail.find("full") != std::string::npos);
  }
  const Result<Rows> rows = ask(*store.database, "SELECT id FROM t ORDER BY id");
  REQUIRE(rows);
  REQUIRE(rows->size() == 2);
  CHECK(rows->at(0).text("id") == "after");
  CHECK(rows->at(1).text("id") == "before");
  CHECK(ask(*store.database, "PRAGMA integrity_check")->front().text("integrity_check") == "ok");
}

TEST_CASE("the files are ours alone, and what was committed is there again") {
  const TempFolder folder;
  const SqliteConfig config{folder.path() / "store.db", {}, 0};
  {
    const auto db = open_sqlite(config, kClock);
    REQUIRE(db);
    REQUIRE(run(**db, "CREATE TABLE t (id TEXT PRIMARY KEY)"));
    REQUIRE(run(**db, "INSERT INTO t VALUES ('kept')"));
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      struct stat info{};
      REQUIRE(::stat(entry.path().c_str(), &info) == 0);
      CHECK_MESSAGE((info.st_mode & 0777) == 0600, entry.path().string());
    }
    CHECK(ask(**db, "PRAGMA journal_mode")->front().text("journal_mode") == "wal");
    CHECK(ask(**db, "PRAGMA synchronous")->front().int64("synchronous") == 2);
  }
  const auto db = open_sqlite(config, kClock);
  CHECK(ask(**db, "SELECT id FROM t")->front().text("id") == "kept");
}

TEST_CASE("what is no store is refused") {
  const TempFolder folder;
  std::ofstream(folder.path() / "text.db") << std::string(5000, 'x');
  const auto text = open_sqlite({folder.path() / "text.db", {}, 0}, kClock);
  REQUIRE_FALSE(text);
  CHECK(text.error().code == ErrorCode::kInvalid);
  const auto nowhere = open_sqlite({folder.path() / "none" / "store.db", {}, 0}, kClock);
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().code == ErrorCode::kUnavailable);
}

TEST_CASE("a job that ends its own transaction fails, and its neighbours are kept") {
  const Store store(Dialect::kSqlite);
  REQUIRE(run(*store.database, "CREATE TABLE t (id TEXT PRIMARY KEY, b BLOB)"));
  Gate gate;
  Collector collector;
  store->post(true, Lane::kApi, gate.job(), collector.done("gate"));
  gate.wait_entered(1);
  store->post(true, Lane::kApi, insert("good", 1), collector.done("good"));
  const auto ends = [](Connection& db) -> Result<void> {
    static_cast<void>(db.exec("ROLLBACK"));
    return {};
  };
  store->post(true, Lane::kApi, ends, collector.done("bad"));
  gate.open();
  collector.wait(3);
  for (const auto& [name, result] : collector.results())
    CHECK(result.has_value() == (name != "bad"));
  CHECK(ask(*store.database, "SELECT id FROM t")->size() == 1);
}
