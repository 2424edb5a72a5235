#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "platform/security/tenant_keys.hpp"

namespace yyc3::security {

/// Where a value lives. Bound into the envelope: a value moved to another row does not open.
struct FieldPlace {
  std::string_view tenant;
  std::string_view table;
  std::string_view column;
  std::string_view row;  ///< primary key
};

/// Encrypts personal data column by column.
/// Envelope: u8 format = 1 | u32 key version, big-endian | nonce 12 | ciphertext | tag 16.
/// Threads: any. The keys must outlive it.
class FieldCipher {
 public:
  explicit FieldCipher(const TenantKeys& keys) : keys_(keys) {}

  /// Errors: kNotFound when the tenant has no data key.
  [[nodiscard]] Result<Bytes> encrypt(const FieldPlace& place, std::string_view plain) const;
  /// Errors: kInvalid not an envelope; kNotFound its key is not loaded; kDenied changed or moved.
  [[nodiscard]] Result<std::string> decrypt(const FieldPlace& place, ByteView envelope) const;

  /// What an encrypted value is looked up by: HMAC-SHA-256 as 64 hex digits, under a key derived
  /// from the tenant's first data key, so that rotation leaves the index valid. `purpose` keeps
  /// columns apart ("target"). `normalised` must be in one spelling (compliance::normalise_target):
  /// two spellings of a number are two indexes. Errors: kNotFound when the tenant has no key 1.
  [[nodiscard]] Result<std::string> blind_index(std::string_view tenant, std::string_view purpose,
                                                std::string_view normalised) const;

 private:
  const TenantKeys& keys_;
};

}  // namespace yyc3::security
