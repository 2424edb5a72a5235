#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "platform/security/tenant_keys.hpp"
#include "platform/storage/database.hpp"

namespace yyc3::storage {

/// Start-up, blocking, after `migrate`; the order that never loses a key:
///   store_has_keys() → KeyFile::open_or_create(path, that) → TenantKeys → open_tenant_keys().

/// Whether any data key is stored: then a missing key file must not be replaced.
Result<bool> store_has_keys(Database& database);

/// Loads every stored data key into `keys` and makes (stores first, then loads) version 1 for
/// `tenant` when it has none. Errors: kDenied the master key is not the one that sealed them.
Result<void> open_tenant_keys(Database& database, security::TenantKeys& keys,
                              std::string_view tenant, const Clock& clock);

/// Adds the next version of `tenant`'s data key; from then on it encrypts, older ones still read.
Result<void> rotate_tenant_key(Database& database, security::TenantKeys& keys,
                               std::string_view tenant, const Clock& clock);

}  // namespace yyc3::storage
