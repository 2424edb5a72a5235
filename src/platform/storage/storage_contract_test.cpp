// The same cases on SQLite and on a real PostgreSQL: what both must do.
#include <atomic>
#include <cmath>
#include <doctest/doctest.h>
#include <limits>
#include <stdexcept>
#include <thread>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "platform/storage/storage_test_support.hpp"

using namespace yyc3;
using namespace yyc3::storage;
using namespace yyc3::storage::testing;

namespace {

constexpr const char* kTable =
    "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, n BIGINT, r DOUBLE PRECISION, s TEXT, b %, "
    "CHECK (n <> 13))";

void make_table(const Store& store, Dialect dialect) {
  std::string sql = kTable;
  sql.replace(sql.find('%'), 1, dialect == Dialect::kSqlite ? "BLOB" : "BYTEA");
  REQUIRE(run(*store.database, sql));
}

Job insert(std::string id) {
  return [id = std::move(id)](Connection& db) -> Result<void> {
    const Result<std::int64_t> done = db.exec("INSERT INTO t (id) VALUES (?)", {id});
    if (!done) return tl::unexpected<Error>(done.error());
    return {};
  };
}

std::int64_t count(const Store& store) {
  return ask(*store.database, "SELECT COUNT(*) AS c FROM t")->front().int64("c");
}

ErrorCode code_of(const Result<void>& result) {
  REQUIRE_FALSE(result);
  return result.error().code;
}

}  // namespace

TEST_CASE("every value comes back exactly as it went in") {
  using Whole = std::numeric_limits<std::int64_t>;
  using Real = std::numeric_limits<double>;
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    const Store store(dialect);
    make_table(store, dialect);
    int id = 0;
    const auto round_trip = [&](const char* column, const Value& value) {
      const std::string key = std::to_string(++id);
      const std::string sql = "INSERT INTO t (id, " + std::string(column) + ") VALUES (?, ?)";
      REQUIRE(run(*store.database, sql, {key, value}));
      const Result<Rows> rows = ask(*store.database, "SELECT * FROM t WHERE id = ?", {key});
      REQUIRE(rows);
      REQUIRE(rows->size() == 1);
      CHECK(rows->front().at(column) == value);
    };
    for (const std::int64_t n : {Whole::min(), Whole::min() + 1, std::int64_t{-1}, std::int64_t{0},
                                 (std::int64_t{1} << 53) + 1, Whole::max() - 1, Whole::max()})
      round_trip("n", n);
    for (const double r : {0.1, -1.5e-300, Real::max(), Real::min(), Real::denorm_min(),
                           Real::infinity(), 1.0 / 3.0})
      round_trip("r", r);
    for (const char* s :
         {"", "plain", "别再打了，谢谢！", "😀 é \u200d", "a'b\"c\\d?$1;--", "\n\t"})
      round_trip("s", s);
    round_trip("b", Bytes{});
    round_trip("b", Bytes{0, 0, 0});
    round_trip("b", all);
    for (const char* column : {"n", "r", "s", "b"}) round_trip(column, nullptr);
    CHECK(ask(*store.database, "SELECT SUM(n) AS s FROM t WHERE n BETWEEN -1 AND 0")
              ->front()
              .int64("s") == -1);
  }
}

TEST_CASE("what one of the two would cut or change is refused by both") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    const Store store(dialect);
    make_table(store, dialect);
    const std::string with_nul("a\0b", 3);
    CHECK(code_of(run(*store.database, "INSERT INTO t (id) VALUES (?)", {with_nul})) ==
          ErrorCode::kInvalid);
    CHECK(code_of(run(*store.database, "INSERT INTO t (id) VALUES (?)", {"\xFF\xFE"})) ==
          ErrorCode::kInvalid);
    CHECK(code_of(run(*store.database, "INSERT INTO t (id, r) VALUES ('x', ?)", {std::nan("")})) ==
          ErrorCode::kInvalid);
    CHECK(code_of(run(*store.database, "INSERT INTO t (id) VALUES (?)", {})) ==
          ErrorCode::kInvalid);
    CHECK(code_of(run(*store.database, "INSERT INTO t (id) VALUES (?)", {"a", "b"})) ==
          ErrorCode::kInvalid);
    CHECK(code_of(run(*store.database, "NOT SQL AT ALL")) == ErrorCode::kInvalid);
    CHECK(code_of(run(*store.database, "INSERT INTO t (id, n) VALUES ('x', 13)")) ==
          ErrorCode::kInvalid);
    CHECK(code_of(run(*store.database, "INSERT INTO t (n) VALUES (1)")) == ErrorCode::kInvalid);
    CHECK(count(store) == 0);
  }
}

TEST_CASE("the same key twice is a conflict; changed rows are counted") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    const Store store(dialect);
    make_table(store, dialect);
    REQUIRE(run(*store.database, "INSERT INTO t (id) VALUES ('a'), ('b')"));
    CHECK(code_of(run(*store.database, "INSERT INTO t (id) VALUES ('a')")) == ErrorCode::kConflict);
    const auto changed = [&](std::string_view sql) {
      return *store->write_blocking(Lane::kCall, [&](Connection& db) { return db.exec(sql); });
    };
    CHECK(changed("UPDATE t SET n = 1") == 2);
    CHECK(changed("UPDATE t SET n = 2 WHERE id = 'none'") == 0);
    CHECK(changed("INSERT INTO t (id) VALUES ('a') ON CONFLICT DO NOTHING") == 0);
    CHECK(changed("DELETE FROM t WHERE id = 'b'") == 1);
    CHECK(changed("CREATE INDEX t_n ON t (n)") == 0);
  }
}

TEST_CASE("a job that fails is undone whole, also when it hides the failure or throws") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    const Store store(dialect);
    make_table(store, dialect);
    const auto failing = [&](auto tail) {
      return store->write_blocking(Lane::kCall, [&](Connection& db) -> Result<void> {
        REQUIRE(db.exec("INSERT INTO t (id) VALUES ('x')"));
        return tail(db);
      });
    };
    CHECK(code_of(failing([](Connection&) -> Result<void> {
            return fail(ErrorCode::kCancelled, "thought better of it");
          })) == ErrorCode::kCancelled);
    CHECK(code_of(failing([](Connection& db) -> Result<void> {
            CHECK_FALSE(db.exec("INSERT INTO t (id) VALUES ('x')"));
            CHECK(db.query("SELECT 1 AS one").error().code == ErrorCode::kInternal);
            return {};  // hidden: must not be taken for a success
          })) == ErrorCode::kConflict);
    CHECK(code_of(failing([](Connection&) -> Result<void> {
            throw std::runtime_error("fault");
          })) == ErrorCode::kInternal);
    CHECK(code_of(failing([](Connection& db) -> Result<void> {
            static_cast<void>(db.query("SELECT id FROM t")->front().text("no_such_column"));
            return {};
          })) == ErrorCode::kInternal);
    CHECK(count(store) == 0);
    CHECK(run(*store.database, "INSERT INTO t (id) VALUES ('x')"));
  }
}

TEST_CASE("a read job cannot write") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    const Store store(dialect);
    make_table(store, dialect);
    CHECK(code_of(store->read_blocking(Lane::kCall, insert("x"))) == ErrorCode::kInvalid);
    CHECK(count(store) == 0);
  }
}

TEST_CASE("many writers at once: each is told after its row is there, one failing job harms none") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Limits limits;
    limits.group_time = Milliseconds{10'000};
    const Store store(dialect, limits);
    make_table(store, dialect);
    REQUIRE(run(*store.database, "INSERT INTO t (id) VALUES ('taken')"));
    Gate gate;
    Collector collector;
    const std::uint64_t before = store->stats().commits;
    store->post(true, Lane::kApi, gate.job(), collector.done("gate"));
    gate.wait_entered(1);
    std::vector<std::thread> writers;
    for (int w = 0; w < 4; ++w)
      writers.emplace_back([&, w] {
        for (int i = 0; i < 50; ++i) {
          const bool bad = i == 25;
          store->post(true, Lane::kApi,
                      insert(bad ? "taken" : std::to_string(w) + "-" + std::to_string(i)),
                      collector.done(bad ? "bad" : "good"));
        }
      });
    for (auto& writer : writers) writer.join();
    gate.open();
    collector.wait(201);
    int good = 0;
    for (const auto& [name, result] : collector.results()) {
      if (name == "bad") CHECK(code_of(result) == ErrorCode::kConflict);
      if (name == "good") good += result ? 1 : 0;
    }
    CHECK(good == 196);
    CHECK(count(store) == 197);
    if (dialect == Dialect::kSqlite) CHECK(store->stats().commits - before <= 6);  // 201 jobs / 64
  }
}

TEST_CASE("a statement that takes too long is stopped, and the next job works") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Limits limits;
    limits.statement = Milliseconds{200};
    const Store store(dialect, limits);
    make_table(store, dialect);
    const char* endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
        "SELECT COUNT(*) AS c FROM n";
    const Result<Rows> read = ask(*store.database, endless);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == ErrorCode::kTimeout);
    CHECK(code_of(run(*store.database,
                      "INSERT INTO t (id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                      "FROM n) SELECT CAST(i AS TEXT) FROM n")) == ErrorCode::kTimeout);
    CHECK(run(*store.database, "INSERT INTO t (id) VALUES ('after')"));
    CHECK(count(store) == 1);
  }
}

TEST_CASE("a full queue refuses at once and loses nothing that was taken") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Limits limits;
    limits.queue = 4;
    limits.pool = {1, 1, 1};
    const Store store(dialect, limits);
    make_table(store, dialect);
    Gate gate;
    Collector collector;
    store->post(true, Lane::kBatch, gate.job(), collector.done());
    gate.wait_entered(1);
    for (int i = 0; i < 4; ++i)
      store->post(true, Lane::kBatch, insert(std::to_string(i)), collector.done());
    Collector refused;
    store->post(true, Lane::kBatch, insert("one too many"), refused.done());
    REQUIRE(refused.results().size() == 1);
    CHECK(code_of(refused.results().front().second) == ErrorCode::kBusy);
    store->post(true, Lane::kCall, insert("other lane"), collector.done());  // has room of its own
    gate.open();
    collector.wait(6);
    for (const auto& [name, result] : collector.results()) CHECK(result);
    CHECK(count(store) == 5);
    CHECK(store->stats().refused == 1);
  }
}

TEST_CASE("a call does not wait behind a batch") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Limits limits;
    limits.pool = {1, 1, 1};
    limits.group_jobs = 1;
    const Store store(dialect, limits);
    make_table(store, dialect);
    Gate gate;
    Collector collector;
    store->post(true, Lane::kBatch, gate.job(), collector.done("gate"));
    gate.wait_entered(1);
    for (int i = 0; i < 3; ++i)
      store->post(true, Lane::kBatch, insert("b" + std::to_string(i)), collector.done("batch"));
    store->post(true, Lane::kApi, insert("a"), collector.done("api"));
    store->post(true, Lane::kCall, insert("c"), collector.done("call"));
    if (dialect == Dialect::kPostgres) collector.wait(2);  // the call and the page: own connections
    gate.open();
    collector.wait(6);
    std::vector<std::string> order;
    for (const auto& [name, result] : collector.results())
      if (name != "gate") order.push_back(name);
    if (dialect == Dialect::kPostgres) {
      CHECK(order.back() == "batch");
      CHECK(order[0] != "batch");
      CHECK(order[1] != "batch");
    } else {
      CHECK(order == std::vector<std::string>{"call", "api", "batch", "batch", "batch"});
    }
  }
}

TEST_CASE("a coroutine gets its result on its own thread") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    const Store store(dialect);
    make_table(store, dialect);
    boost::asio::io_context loop;
    std::thread::id resumed;
    std::int64_t seen = -1;
    ErrorCode second = ErrorCode::kInternal;
    const auto story = [&]() -> net::Task<void> {
      const auto add = [](Connection& db) { return db.exec("INSERT INTO t (id) VALUES ('co')"); };
      const Result<std::int64_t> first = co_await store->write(Lane::kCall, add);
      resumed = std::this_thread::get_id();
      const Result<std::int64_t> again = co_await store->write(Lane::kCall, add);
      second = again ? ErrorCode::kInternal : again.error().code;
      const auto look = [](Connection& db) { return db.query("SELECT COUNT(*) AS c FROM t"); };
      const Result<Rows> rows = co_await store->read(Lane::kApi, look);
      if (first && rows) seen = rows->front().int64("c");
    };
    boost::asio::co_spawn(loop, story(), boost::asio::detached);
    loop.run();
    CHECK(resumed == std::this_thread::get_id());
    CHECK(second == ErrorCode::kConflict);
    CHECK(seen == 1);
  }
}

TEST_CASE("stopping finishes what was taken and refuses what comes later") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    const Store store(dialect);
    make_table(store, dialect);
    Collector collector;
    for (int i = 0; i < 100; ++i)
      store->post(true, Lane::kBatch, insert(std::to_string(i)), collector.done());
    store->stop();
    CHECK(collector.results().size() == 100);
    for (const auto& [name, result] : collector.results()) CHECK(result);
    CHECK(code_of(run(*store.database, "SELECT 1")) == ErrorCode::kUnavailable);
    store->stop();
  }
}

TEST_CASE("a second program on the same store is refused and told who has it") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Store store(dialect);
    make_table(store, dialect);
    const auto second = store.open_again();
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::kBusy);
    CHECK(second.error().detail.find("in use by process " + std::to_string(::getpid())) !=
          std::string::npos);
    CHECK(second.error().detail.find("stop it") != std::string::npos);
    CHECK(second.error().detail.find('\n') == std::string::npos);
    CHECK(run(*store.database, "INSERT INTO t (id) VALUES ('x')"));  // the first one goes on
    store.database.reset();
    const auto next = store.open_again();
    REQUIRE_MESSAGE(next, (next ? "" : next.error().detail));
    CHECK(ask(**next, "SELECT id FROM t")->size() == 1);
  }
}
