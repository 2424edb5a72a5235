#include "platform/storage/migrations.hpp"

#include <doctest/doctest.h>

#include "platform/security/field_cipher.hpp"
#include "platform/storage/storage_test_support.hpp"
#include "platform/storage/tenant_key_store.hpp"

using namespace yyc3;
using namespace yyc3::storage;
using namespace yyc3::storage::testing;

namespace {
const SystemClock kClock;
constexpr Migration kOne{1, "one", "CREATE TABLE a (id TEXT PRIMARY KEY\n);\n"};
constexpr Migration kTwo{2, "two", "INSERT INTO a VALUES ('x'); CREATE TABLE b (n BIGINT\n);"};
}  // namespace

TEST_CASE("the schema is made once, and the second time nothing changes") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    const Store store(dialect);
    const Result<std::int64_t> first = migrate(*store.database, kClock);
    REQUIRE_MESSAGE(first, (first ? "" : first.error().detail));
    CHECK(*first == static_cast<std::int64_t>(embedded_migrations().size()));
    const Result<Rows> before = ask(*store.database, "SELECT * FROM schema_migrations");
    CHECK(*migrate(*store.database, kClock) == 0);
    const Result<Rows> after = ask(*store.database, "SELECT * FROM schema_migrations");
    REQUIRE(after->size() == before->size());
    CHECK(after->front().int64("applied_ms") == before->front().int64("applied_ms"));
    CHECK(ask(*store.database, "SELECT name FROM tenants WHERE tenant_id = 'default'")->size() ==
          1);
    for (const char* table :
         {"data_keys", "calls", "call_transitions", "turns", "call_events", "recordings",
          "usage_ledger", "do_not_call", "consents", "disclosures"})
      CHECK_MESSAGE(ask(*store.database, "SELECT tenant_id FROM " + std::string(table)), table);
    for (const char* table :
         {"calls", "call_transitions", "turns", "call_events", "recordings", "disclosures"})
      CHECK_MESSAGE(ask(*store.database, "SELECT subject_id, retention_class, legal_hold FROM " +
                                             std::string(table)),
                    table);
  }
}

TEST_CASE("rows of before learn from their call whom they are about and how long they stay") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    const Store store(dialect);
    REQUIRE(*migrate(*store.database, kClock, embedded_migrations().first(1)) == 1);
    const auto make_call = [&](const std::string& id, const Value& subject, const char* keep,
                               int hold) {
      REQUIRE(run(*store.database,
                  "INSERT INTO calls (id, tenant_id, subject_id, direction, target_sealed, "
                  "target_index, state, created_ms, retention_class, legal_hold) "
                  "VALUES (?, 'default', ?, 'outbound', ?, '', 'queued', 0, ?, ?)",
                  {id, subject, Bytes{1}, keep, hold}));
      REQUIRE(run(*store.database,
                  "INSERT INTO call_transitions (call_id, seq, tenant_id, from_state, to_state, "
                  "at_ms) VALUES (?, 1, 'default', 'queued', 'dialing', 7)",
                  {id}));
      REQUIRE(run(*store.database,
                  "INSERT INTO call_events (id, call_id, tenant_id, kind, at_ms) "
                  "VALUES (?, ?, 'default', 'held', 7)",
                  {"event of " + id, id}));
      REQUIRE(run(*store.database,
                  "INSERT INTO disclosures (call_id, tenant_id, text, language, started_ms, "
                  "played_ms, whole_ms, heard) VALUES (?, 'default', '', 'zh', 0, 0, 0, 0)",
                  {id}));
    };
    make_call("named", "subject-1", "standard", 0);
    make_call("kept", nullptr, "long", 1);
    make_call("plain", nullptr, "standard", 0);
    const Result<std::int64_t> rest = migrate(*store.database, kClock);
    REQUIRE_MESSAGE(rest, (rest ? "" : rest.error().detail));
    CHECK(*rest == static_cast<std::int64_t>(embedded_migrations().size()) - 1);
    for (const char* table : {"call_transitions", "call_events", "disclosures"}) {
      CAPTURE(table);
      const Result<Rows> rows =
          ask(*store.database, "SELECT * FROM " + std::string(table) + " ORDER BY call_id");
      REQUIRE(rows->size() == 3);
      CHECK(rows->at(0).text("call_id") == "kept");
      CHECK(rows->at(0).is_null("subject_id"));
      CHECK(rows->at(1).text("subject_id") == "subject-1");
      CHECK(rows->at(2).is_null("subject_id"));
      for (const Row& row : *rows) {
        const bool kept = row.text("call_id") == "kept" && table != std::string("disclosures");
        CHECK(row.text("retention_class") == (kept ? "long" : "standard"));
        CHECK(row.flag("legal_hold") == kept);
      }
      CHECK_FALSE(run(*store.database, "UPDATE " + std::string(table) + " SET legal_hold = 2"));
    }
  }
}

TEST_CASE("wrong types are refused by both") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    const Store store(dialect);
    REQUIRE(migrate(*store.database, kClock));
    CHECK_FALSE(run(*store.database, "UPDATE tenants SET created_ms = ?", {"soon"}));
    CHECK_FALSE(run(*store.database, "INSERT INTO data_keys VALUES ('t', 1, 'm', ?, 0)",
                    {"text, not bytes"}));
  }
}

TEST_CASE("a store of a newer program, or of another wording, is refused") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    const Store store(dialect);
    const std::vector<Migration> all{kOne, kTwo};
    REQUIRE(*migrate(*store.database, kClock, std::span(all).first(1)) == 1);
    REQUIRE(*migrate(*store.database, kClock, all) == 1);
    const Result<std::int64_t> newer = migrate(*store.database, kClock, std::span(all).first(1));
    REQUIRE_FALSE(newer);
    CHECK(newer.error().code == ErrorCode::kInvalid);
    CHECK(newer.error().detail.find("newer program (schema 2, this one knows 1)") !=
          std::string::npos);
    const std::vector<Migration> changed{kOne, {2, "two", "CREATE TABLE other (n BIGINT\n);"}};
    const Result<std::int64_t> wording = migrate(*store.database, kClock, changed);
    REQUIRE_FALSE(wording);
    CHECK(wording.error().detail.find("another wording") != std::string::npos);
  }
}

TEST_CASE("a migration that fails in the middle leaves nothing") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    const Store store(dialect);
    const std::vector<Migration> broken{kOne, {2, "two", "CREATE TABLE c (n BIGINT\n); NONSENSE;"}};
    const Result<std::int64_t> failed = migrate(*store.database, kClock, broken);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().detail.find("two") != std::string::npos);
    CHECK_FALSE(ask(*store.database, "SELECT n FROM c"));
    const std::vector<Migration> mended{kOne, kTwo};
    CHECK(*migrate(*store.database, kClock, mended) == 1);
  }
}

TEST_CASE("data keys: made once, found again, rotated, and a lost master is noticed") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    const Store store(dialect);
    REQUIRE(migrate(*store.database, kClock));
    const security::KeyText master = *security::KeyText::parse(std::string(64, 'a'));
    const security::FieldPlace place{"default", "calls", "target_sealed", "1"};
    CHECK_FALSE(*store_has_keys(*store.database));
    security::TenantKeys first(master);
    REQUIRE(open_tenant_keys(*store.database, first, "default", kClock));
    CHECK(*store_has_keys(*store.database));
    const Bytes sealed = *security::FieldCipher(first).encrypt(place, "secret");
    REQUIRE(rotate_tenant_key(*store.database, first, "default", kClock));
    CHECK(first.current("default")->version == 2);

    security::TenantKeys again(master);
    REQUIRE(open_tenant_keys(*store.database, again, "default", kClock));
    CHECK(again.current("default")->version == 2);
    CHECK(*security::FieldCipher(again).decrypt(place, sealed) == "secret");

    const security::KeyText other = *security::KeyText::parse(std::string(64, 'b'));
    security::TenantKeys wrong(other);
    const Result<void> refused = open_tenant_keys(*store.database, wrong, "default", kClock);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kDenied);
  }
}
