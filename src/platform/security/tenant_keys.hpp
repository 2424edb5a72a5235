#pragma once

#include <cstdint>
#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "platform/security/key_provider.hpp"

namespace yyc3::security {

/// A row of `data_keys`: a tenant's data key as it is stored, sealed by the master key.
struct WrappedKey {
  std::string tenant;
  std::int64_t version = 0;  ///< 1, 2, …; the greatest encrypts, all decrypt
  std::string master_id;     ///< KeyProvider::id() of the master that sealed it
  Bytes wrapped;
};

/// The tenants' data keys, opened. Holds no file and no table: the storage room loads and saves.
/// Rotation: `wrap_new`, store the row, `load` it; old versions stay for reading.
/// Threads: any. The provider must outlive it.
class TenantKeys {
 public:
  struct Current {
    std::int64_t version;
    Key256 key;
  };

  explicit TenantKeys(const KeyProvider& provider) : provider_(provider) {}

  /// A fresh data key of `tenant`, not used until its row is stored and loaded.
  [[nodiscard]] WrappedKey wrap_new(std::string_view tenant) const;
  /// Errors: kDenied when another master key sealed it (both are named) or the row was changed.
  Result<void> load(const WrappedKey& row);

  /// Errors of both: kNotFound when no such key is loaded.
  [[nodiscard]] Result<Current> current(std::string_view tenant) const;
  [[nodiscard]] Result<Key256> find(std::string_view tenant, std::int64_t version) const;

 private:
  const KeyProvider& provider_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::map<std::int64_t, Key256>, std::less<>> keys_;
};

}  // namespace yyc3::security
