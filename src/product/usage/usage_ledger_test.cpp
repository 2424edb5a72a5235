#include "product/usage/usage_ledger.hpp"

#include <doctest/doctest.h>

#include "platform/storage/migrations.hpp"
#include "platform/storage/storage_test_support.hpp"

using namespace yyc3;
using namespace yyc3::usage;
using storage::Dialect;
using storage::testing::both;
using storage::testing::name_of;

namespace {
struct Fixture {
  explicit Fixture(Dialect dialect) : store(dialect) {
    REQUIRE(storage::migrate(*store.database, system));
  }

  Result<void> record(const Charge& charge) {
    return store->write_blocking(storage::Lane::kCall, [&](storage::Connection& db) {
      return UsageLedger(*store.database, clock).record(db, charge);
    });
  }
  std::vector<Total> totals(const TotalsQuery& query) {
    return *store->read_blocking(storage::Lane::kApi, [&](storage::Connection& db) {
      return UsageLedger::totals(db, query);
    });
  }

  SystemClock system;
  ManualClock clock;
  storage::testing::Store store;
};
}  // namespace

TEST_CASE("charges add up by kind, unit and currency; a correction takes away") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);
    const CallId call = CallId::make(f.clock);
    const std::int64_t big = std::int64_t{1} << 53;
    REQUIRE(f.record({"default", call, "telephony", 30'000, "ms", 1'500, "CNY"}));
    REQUIRE(f.record({"default", call, "telephony", 12'345, "ms", big, "CNY"}));
    REQUIRE(f.record({"default", call, "telephony", -12'345, "ms", 1, "CNY"}));
    REQUIRE(f.record({"default", call, "telephony", 1, "ms", 7, "USD"}));
    REQUIRE(f.record({"default", std::nullopt, "model.tokens", 9, "tokens", 0, "CNY"}));
    REQUIRE(f.record({"other", call, "telephony", 5, "ms", 5, "CNY"}));
    CHECK(f.totals({"default", {}, {}, {}}) ==
          std::vector<Total>{{"model.tokens", "tokens", "CNY", 9, 0, 1},
                             {"telephony", "ms", "CNY", 30'000, 1'501 + big, 3},
                             {"telephony", "ms", "USD", 1, 7, 1}});
    CHECK(f.totals({"default", call, {}, {}}).size() == 2);
    CHECK(f.totals({"nobody", {}, {}, {}}).empty());
  }
}

TEST_CASE("a period includes its start and not its end") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);
    const UtcTime start = f.clock.utc();
    REQUIRE(f.record({"default", {}, "telephony", 1, "ms", 0, "CNY"}));
    f.clock.advance(Milliseconds{1'000});
    REQUIRE(f.record({"default", {}, "telephony", 2, "ms", 0, "CNY"}));
    CHECK(f.totals({"default", {}, start, f.clock.utc()}).front().quantity == 1);
    CHECK(f.totals({"default", {}, f.clock.utc(), {}}).front().quantity == 2);
  }
}

TEST_CASE("a charge that says too little is refused by the name of the field") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);
    const auto refused = [&](const Charge& charge, const char* field) {
      const Result<void> done = f.record(charge);
      REQUIRE_FALSE(done);
      CHECK(done.error().code == ErrorCode::kInvalid);
      CHECK(done.error().detail.find(field) != std::string::npos);
    };
    refused({"", {}, "k", 1, "ms", 0, "CNY"}, "tenant");
    refused({"t", {}, "", 1, "ms", 0, "CNY"}, "kind");
    refused({"t", {}, "k", 1, "", 0, "CNY"}, "unit");
    for (const char* currency : {"", "cny", "CN", "CNYY", "C1Y"})
      refused({"t", {}, "k", 1, "ms", 0, currency}, "currency");
    CHECK(f.totals({"t", {}, {}, {}}).empty());
  }
}
