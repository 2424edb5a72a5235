#include "platform/security/tenant_keys.hpp"

#include <mutex>

#include "platform/security/aad.hpp"

namespace yyc3::security {

namespace {
Bytes aad_for(std::string_view tenant, std::int64_t version) {
  return aad_of({"data_key", tenant, std::to_string(version)});
}
}  // namespace

WrappedKey TenantKeys::wrap_new(std::string_view tenant) const {
  const Result<Current> newest = current(tenant);
  WrappedKey row;
  row.tenant = tenant;
  row.version = newest ? newest->version + 1 : 1;
  row.master_id = provider_.id();
  row.wrapped = seal(provider_.master(), aad_for(tenant, row.version), Key256::make().bytes());
  return row;
}

Result<void> TenantKeys::load(const WrappedKey& row) {
  // The envelope of a field has 32 bits for the version.
  if (row.version < 1 || row.version > 0xFFFFFFFF)
    return fail(ErrorCode::kInvalid, "data key version out of range");
  if (row.master_id != provider_.id())
    return fail(ErrorCode::kDenied, "the master key " + provider_.id() +
                                        " is not the one this store was made with (" +
                                        row.master_id + "): restore the right key file");
  const Result<Bytes> raw = open(provider_.master(), aad_for(row.tenant, row.version), row.wrapped);
  if (!raw)
    return fail(ErrorCode::kDenied, "data key " + std::to_string(row.version) + " of tenant " +
                                        row.tenant + " was changed: restore the store");
  const Result<Key256> key = Key256::from(*raw);
  if (!key) return tl::unexpected<Error>(key.error());
  const std::unique_lock lock(mutex_);
  keys_[row.tenant].insert_or_assign(row.version, *key);
  return {};
}

Result<TenantKeys::Current> TenantKeys::current(std::string_view tenant) const {
  const std::shared_lock lock(mutex_);
  const auto found = keys_.find(tenant);
  if (found == keys_.end() || found->second.empty())
    return fail(ErrorCode::kNotFound, "no data key of tenant " + std::string(tenant));
  const auto& [version, key] = *found->second.rbegin();
  return Current{version, key};
}

Result<Key256> TenantKeys::find(std::string_view tenant, std::int64_t version) const {
  const std::shared_lock lock(mutex_);
  const auto found = keys_.find(tenant);
  if (found != keys_.end()) {
    const auto key = found->second.find(version);
    if (key != found->second.end()) return key->second;
  }
  return fail(ErrorCode::kNotFound,
              "no data key " + std::to_string(version) + " of tenant " + std::string(tenant));
}

}  // namespace yyc3::security
