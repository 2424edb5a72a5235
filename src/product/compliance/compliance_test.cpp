#include "product/compliance/compliance.hpp"

#include <doctest/doctest.h>

#include "platform/security/tenant_keys.hpp"
#include "platform/storage/migrations.hpp"
#include "platform/storage/storage_test_support.hpp"
#include "platform/storage/tenant_key_store.hpp"
#include "product/events/events.hpp"

using namespace yyc3;
using namespace yyc3::compliance;
using storage::Dialect;
using storage::testing::both;
using storage::testing::name_of;

namespace {

UtcTime utc(int hour, int minute = 0) {  // of 2027-01-15, a Friday
  return UtcTime{std::chrono::seconds{1'799'971'200 + hour * 3600 + minute * 60}};
}

Rules open_rules() {
  Rules rules;
  rules.allowed_prefixes = {"+86", "+1"};
  return rules;
}

struct Fixture {
  explicit Fixture(Dialect dialect, Rules rules = open_rules()) : store(dialect) {
    REQUIRE(storage::migrate(*store.database, system));
    REQUIRE(storage::open_tenant_keys(*store.database, keys, "default", system));
    REQUIRE(storage::open_tenant_keys(*store.database, keys, "other", system));
    gate = std::make_unique<Compliance>(std::move(rules), *store.database, cipher, bus, clock);
  }

  Decision ask(const std::string& target, UtcTime now = utc(4), std::string tenant = "default",
               std::optional<std::string> zone = {}) {
    const DialRequest request{std::move(tenant), target, std::move(zone)};
    const Result<Decision> decision = store->read_blocking(
        storage::Lane::kCall,
        [&](storage::Connection& db) { return gate->may_dial(db, request, now); });
    REQUIRE(decision);
    CHECK(decision->text.empty() == decision->allowed());
    return *decision;
  }

  SystemClock system;
  ManualClock clock;
  security::KeyText master = *security::KeyText::parse(std::string(64, 'a'));
  security::TenantKeys keys{master};
  security::FieldCipher cipher{keys};
  events::Bus bus;
  storage::testing::Store store;
  std::unique_ptr<Compliance> gate;
};

}  // namespace

TEST_CASE("out of the box only this machine may be called, at any hour") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect, Rules{});
    for (const int hour : {0, 4, 14, 20})
      CHECK(f.ask("sip:demo@127.0.0.1:5070", utc(hour)).allowed());
    for (const char* target :
         {"+8613800138000", "sip:x@192.0.2.1", "sip:x@127.0.0.1.evil.example", "sip:x@localhost",
          "sip:127.0.0.1@evil.example", "sip:x@evil.example;maddr=127.0.0.1",
          "sip:x@evil.example?to=a@127.0.0.1"}) {
      CAPTURE(target);
      CHECK(f.ask(target).denial == Denial::kNotAllowed);
    }
    CHECK(f.ask("nonsense").denial == Denial::kBadTarget);
  }
}

TEST_CASE("allowed prefixes and hosts") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Rules rules = open_rules();
    rules.allowed_prefixes = {"+86138"};
    rules.allowed_hosts = {"pbx.example.org"};
    Fixture f(dialect, rules);
    CHECK(f.ask("+8613800138000").allowed());
    CHECK(f.ask("13800138000").allowed());
    CHECK(f.ask("+8613900138000").denial == Denial::kNotAllowed);
    CHECK(f.ask("sip:100@PBX.example.org").allowed());
    CHECK(f.ask("sip:100@127.0.0.1").denial == Denial::kNotAllowed);
  }
}

TEST_CASE("who asked not to be called is not called, however the number is written") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);
    std::vector<std::string> told;
    const auto subscription = f.bus.subscribe<events::DoNotCallAdded>(
        [&](const events::DoNotCallAdded& added) { told.push_back(added.target_index); });
    REQUIRE(f.ask("+8613800138000").allowed());
    const DoNotCall entry{"default", "138 0013 8000", "call", "别再打了", CallId::make(f.clock)};
    REQUIRE(f.gate->add_do_not_call_blocking(storage::Lane::kCall, entry));
    for (const char* same : {"+8613800138000", "008613800138000", "+86 (138) 0013-8000",
                             "tel:+8613800138000", "sip:+8613800138000@127.0.0.1"}) {
      CAPTURE(same);
      const Decision decision = f.ask(same);
      CHECK(decision.denial == Denial::kDoNotCall);
      CHECK(decision.text.find("13800138000") == std::string::npos);
      CHECK(told.front() == decision.target_index);
    }
    CHECK(f.ask("+8613800138001").allowed());
    CHECK(f.ask("+8613800138000", utc(4), "other").allowed());
    REQUIRE(f.gate->add_do_not_call_blocking(storage::Lane::kCall, entry));  // again: no error
    const auto rows = f.store.database->read_blocking(
        storage::Lane::kApi,
        [](storage::Connection& db) { return db.query("SELECT * FROM do_not_call"); });
    REQUIRE(rows->size() == 1);
    CHECK(rows->front().text("reason") == "别再打了");
    const std::string index = rows->front().text("target_index");
    CHECK(*f.cipher.decrypt({"default", "do_not_call", "target_sealed", index},
                            rows->front().bytes("target_sealed")) == "+8613800138000");
    CHECK(f.gate->add_do_not_call_blocking(storage::Lane::kCall, {"default", "?", "api", "", {}})
              .error()
              .code == ErrorCode::kInvalid);
  }
}

TEST_CASE("a SIP caller is remembered by user, host and port") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);
    REQUIRE(f.gate->add_do_not_call_blocking(storage::Lane::kCall,
                                             {"default", "sip:ann@127.0.0.1", "api", "", {}}));
    CHECK(f.ask("sip:ann@127.0.0.1:5060;transport=tcp").denial == Denial::kDoNotCall);
    CHECK(f.ask("sip:ann@127.0.0.1:5062").allowed());
    CHECK(f.ask("sip:bob@127.0.0.1").allowed());
  }
}

TEST_CASE("the window is that of the person called, to the minute") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);  // 09:00–20:00 in Shanghai is 01:00–12:00 UTC
    const char* number = "+8613800138000";
    CHECK(f.ask(number, utc(1)).allowed());
    CHECK(f.ask(number, utc(11, 59)).allowed());
    const Decision late = f.ask(number, utc(12));
    CHECK(late.denial == Denial::kOutsideWindow);
    CHECK(late.retry_at == utc(25));
    CHECK(f.ask(number, utc(0, 59)).retry_at == utc(1));
    CHECK(f.ask(number, utc(12), "default", "Europe/London").allowed());
    CHECK(f.ask(number, utc(12), "default", "Mars/Base").denial == Denial::kBadTimeZone);
  }
}

TEST_CASE("days, prefixes with a zone of their own, and summer time") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Rules rules = open_rules();
    rules.days = 0b0111110;  // Monday to Friday
    rules.zones = {{"+1", "America/Chicago"}, {"+1212", "America/New_York"}};
    Fixture f(dialect, rules);
    CHECK(f.ask("+12125550100", utc(14)).allowed());  // 09:00 in New York
    CHECK(f.ask("+13125550100", utc(14)).retry_at == utc(15));
    CHECK(f.ask("+8613800138000", utc(13)).retry_at == utc(24 * 3 + 1));  // Friday → Monday
    // 2027-03-14, clocks go forward in New York: 09:00 is 13:00 UTC, not 14:00.
    rules.days = 0x7F;
    const UtcTime before{std::chrono::seconds{1'805'004'000}};  // 2027-03-14T06:00Z, 01:00 there
    CHECK(*next_opening(rules, "America/New_York", before) == before + std::chrono::hours{7});
  }
}

TEST_CASE("the disclosure counts as heard only when played to its end") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);
    const auto heard = [&](Milliseconds played) {
      const Disclosure disclosure{CallId::make(f.clock), "default", "我是AI助手",       "zh",
                                  f.clock.utc(),         played,    Milliseconds{3'000}};
      const auto rows =
          f.store.database->write_blocking(storage::Lane::kCall, [&](storage::Connection& db) {
            REQUIRE(f.gate->record_disclosure(db, disclosure));
            return db.query("SELECT heard FROM disclosures WHERE call_id = ?",
                            {disclosure.call.str()});
          });
      return rows->front().flag("heard");
    };
    CHECK(heard(Milliseconds{3'000}));
    CHECK_FALSE(heard(Milliseconds{2'999}));
    CHECK_FALSE(heard(Milliseconds{0}));
  }
}

TEST_CASE("rules are checked all at once") {
  CHECK(Compliance::check(Rules{}));
  CHECK(Compliance::check(open_rules()));
  Rules bad;
  bad.window_end_minute = bad.window_start_minute;
  bad.days = 0;
  bad.time_zone = "Nowhere/City";
  bad.allowed_prefixes = {"86"};
  bad.allowed_hosts = {"*"};
  bad.country = "+86";
  const Result<void> checked = Compliance::check(bad);
  REQUIRE_FALSE(checked);
  for (const char* key :
       {"window_end", "days", "time_zone", "allowed_prefixes", "allowed_hosts", "country"})
    CHECK_MESSAGE(checked.error().detail.find(key) != std::string::npos, key);
}
