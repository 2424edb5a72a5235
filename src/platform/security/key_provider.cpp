#include "platform/security/key_provider.hpp"

#include "platform/security/secret_file.hpp"

namespace yyc3::security {

Result<KeyFile> KeyFile::open_or_create(const std::filesystem::path& path, bool store_has_keys) {
  Result<std::optional<Bytes>> content = read_secret(path, Key256::kSize);
  if (content && !*content && store_has_keys)
    return fail(ErrorCode::kNotFound,
                "the key file " + path.string() +
                    " is gone: restore it from backup; without it the numbers and recordings in "
                    "this store cannot be read, and a new key would not open them");
  if (content && !*content) {
    const Result<void> made = create_secret(path, Key256::make().bytes());
    // Lost the race to another program: its key is as good as ours.
    if (!made && made.error().code != ErrorCode::kConflict)
      return tl::unexpected<Error>(made.error());
    content = read_secret(path, Key256::kSize);
  }
  const bool wrong_size = content ? !*content || (*content)->size() != Key256::kSize
                                  : content.error().code == ErrorCode::kInvalid;
  if (wrong_size)
    return fail(ErrorCode::kInvalid, "the key file " + path.string() +
                                         " does not hold 32 bytes: restore it from backup" +
                                         (store_has_keys ? "" : ", or remove it to start afresh"));
  if (!content) return tl::unexpected<Error>(content.error());
  const Result<Key256> key = Key256::from(**content);
  if (!key) return tl::unexpected<Error>(key.error());
  return KeyFile(*key);
}

Result<KeyText> KeyText::parse(std::string_view hex) {
  const std::optional<Bytes> raw = from_hex(hex);
  if (!raw || raw->size() != Key256::kSize)
    return fail(ErrorCode::kInvalid,
                "the master key must be 64 hex digits; make one with: openssl rand -hex 32");
  const Result<Key256> key = Key256::from(*raw);
  if (!key) return tl::unexpected<Error>(key.error());
  return KeyText(*key);
}

}  // namespace yyc3::security
