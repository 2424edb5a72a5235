#include "platform/storage/tenant_key_store.hpp"

namespace yyc3::storage {

namespace {

Result<void> load_all(Connection& db, security::TenantKeys& keys) {
  const Result<Rows> rows = db.query(
      "SELECT tenant_id, version, master_id, wrapped FROM data_keys ORDER BY tenant_id, version");
  if (!rows) return tl::unexpected<Error>(rows.error());
  for (const Row& row : *rows) {
    const Result<void> loaded = keys.load(
        {row.text("tenant_id"), row.int64("version"), row.text("master_id"), row.bytes("wrapped")});
    if (!loaded) return loaded;
  }
  return {};
}

Result<void> add(Connection& db, const security::WrappedKey& row, UtcTime now) {
  const Result<std::int64_t> stored = db.exec(
      "INSERT INTO data_keys (tenant_id, version, master_id, wrapped, created_ms) "
      "VALUES (?, ?, ?, ?, ?)",
      {row.tenant, row.version, row.master_id, row.wrapped, now.time_since_epoch().count()});
  if (!stored) return tl::unexpected<Error>(stored.error());
  return {};
}

Result<void> add_and_load(Database& database, security::TenantKeys& keys, std::string_view tenant,
                          UtcTime now) {
  const security::WrappedKey row = keys.wrap_new(tenant);
  const Result<void> stored = database.write_blocking(
      Lane::kCall, [&](Connection& db) -> Result<void> { return add(db, row, now); });
  // Another program was quicker: its key counts.
  if (!stored && stored.error().code != ErrorCode::kConflict) return stored;
  return database.read_blocking(Lane::kCall,
                                [&](Connection& db) -> Result<void> { return load_all(db, keys); });
}

}  // namespace

Result<bool> store_has_keys(Database& database) {
  return database.read_blocking(Lane::kCall, [](Connection& db) -> Result<bool> {
    const Result<Rows> rows = db.query("SELECT COUNT(*) AS keys FROM data_keys");
    if (!rows) return tl::unexpected<Error>(rows.error());
    return rows->front().int64("keys") > 0;
  });
}

Result<void> open_tenant_keys(Database& database, security::TenantKeys& keys,
                              std::string_view tenant, const Clock& clock) {
  const Result<void> loaded = database.read_blocking(
      Lane::kCall, [&](Connection& db) -> Result<void> { return load_all(db, keys); });
  if (!loaded) return loaded;
  if (keys.current(tenant)) return {};
  return add_and_load(database, keys, tenant, clock.utc());
}

Result<void> rotate_tenant_key(Database& database, security::TenantKeys& keys,
                               std::string_view tenant, const Clock& clock) {
  return add_and_load(database, keys, tenant, clock.utc());
}

}  // namespace yyc3::storage
