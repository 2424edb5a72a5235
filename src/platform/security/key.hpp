#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace yyc3::security {

/// 256 secret bits, wiped from memory when the object goes.
class Key256 {
 public:
  static constexpr std::size_t kSize = 32;

  static Key256 make();  ///< fresh and random
  /// Errors: kInvalid unless `raw` has exactly 32 bytes.
  static Result<Key256> from(ByteView raw);

  Key256(const Key256&) = default;
  Key256& operator=(const Key256&) = default;
  ~Key256();

  [[nodiscard]] ByteView bytes() const { return bytes_; }
  /// A key for one purpose, from this one (HKDF-SHA-256, RFC 5869, no salt, `info` = purpose):
  /// knowing it tells nothing of this key or of another purpose's key.
  [[nodiscard]] Key256 derive(std::string_view purpose) const;
  /// 16 hex digits that name the key without giving it away.
  [[nodiscard]] std::string fingerprint() const;

 private:
  Key256() = default;
  std::array<std::uint8_t, kSize> bytes_{};
};

/// AES-256-GCM (NIST SP 800-38D). The result is nonce (12, fresh) | ciphertext | tag (16).
/// `aad` is not stored but must be the same when opening. Threads: any.
Bytes seal(const Key256& key, ByteView aad, ByteView plain);
/// Errors: kDenied when key, aad or one bit of `sealed` is not what was sealed.
Result<Bytes> open(const Key256& key, ByteView aad, ByteView sealed);
constexpr std::size_t kSealOverhead = 28;  ///< bytes added by `seal`

Bytes hmac_sha256(const Key256& key, ByteView data);  ///< 32 bytes, RFC 2104
std::string sha256_hex(ByteView data);                ///< 64 lower-case digits
/// Compares in a time that does not depend on where the texts differ.
bool constant_time_equal(std::string_view a, std::string_view b);

}  // namespace yyc3::security
