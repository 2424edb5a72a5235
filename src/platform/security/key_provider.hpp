#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "platform/security/key.hpp"

namespace yyc3::security {

/// Port: where the master key comes from. It wraps the tenants' data keys and encrypts nothing
/// else. Threads: any, once made.
class KeyProvider {
 public:
  virtual ~KeyProvider() = default;
  [[nodiscard]] virtual const Key256& master() const = 0;
  /// Recorded beside every key it wrapped, so that a wrong key is named, not guessed.
  [[nodiscard]] std::string id() const { return master().fingerprint(); }
};

/// Embedded default: 32 raw bytes in a file of mode 0600.
class KeyFile final : public KeyProvider {
 public:
  /// Opens `path`. When it is not there and `store_has_keys` is false (first start) it is made, and
  /// is on the disk before this returns. `store_has_keys` says whether the store already has data
  /// keys: a new master could never open them, so a missing file is then an error.
  /// Errors: kNotFound the file is gone; kDenied others may read it, or it is not ours to read;
  /// kInvalid not 32 bytes; kUnavailable cannot be made. Every text says what to do.
  static Result<KeyFile> open_or_create(const std::filesystem::path& path, bool store_has_keys);

  [[nodiscard]] const Key256& master() const override { return key_; }

 private:
  explicit KeyFile(Key256 key) : key_(key) {}
  Key256 key_;
};

/// The master key as 64 hex digits, as an environment variable or a secret manager gives it.
class KeyText final : public KeyProvider {
 public:
  /// Errors: kInvalid unless `hex` is 64 hex digits. The text is never quoted.
  static Result<KeyText> parse(std::string_view hex);

  [[nodiscard]] const Key256& master() const override { return key_; }

 private:
  explicit KeyText(Key256 key) : key_(key) {}
  Key256 key_;
};

}  // namespace yyc3::security
