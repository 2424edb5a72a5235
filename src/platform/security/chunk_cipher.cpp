#include "platform/security/chunk_cipher.hpp"

#include "platform/security/aad.hpp"

namespace yyc3::security {

namespace {
constexpr std::size_t kKeyHeader = 4;

Bytes key_aad(std::string_view tenant, std::string_view recording_id, ByteView header) {
  return aad_of({"recording_key", as_text(header), tenant, recording_id});
}
}  // namespace

Result<RecordingKey> make_recording_key(const TenantKeys& keys, std::string_view tenant,
                                        std::string_view recording_id) {
  const Result<TenantKeys::Current> current = keys.current(tenant);
  if (!current) return tl::unexpected<Error>(current.error());
  RecordingKey made{Key256::make(), Bytes(kKeyHeader)};
  write_u32(made.wrapped, 0, static_cast<std::uint32_t>(current->version));
  const Bytes sealed =
      seal(current->key, key_aad(tenant, recording_id, made.wrapped), made.key.bytes());
  made.wrapped.insert(made.wrapped.end(), sealed.begin(), sealed.end());
  return made;
}

Result<Key256> open_recording_key(const TenantKeys& keys, std::string_view tenant,
                                  std::string_view recording_id, ByteView wrapped) {
  if (wrapped.size() != kKeyHeader + Key256::kSize + kSealOverhead)
    return fail(ErrorCode::kInvalid, "not a wrapped recording key");
  const Result<Key256> outer = keys.find(tenant, read_u32(wrapped, 0));
  if (!outer) return tl::unexpected<Error>(outer.error());
  const Result<Bytes> raw = open(*outer, key_aad(tenant, recording_id, wrapped.first(kKeyHeader)),
                                 wrapped.subspan(kKeyHeader));
  if (!raw) return tl::unexpected<Error>(raw.error());
  return Key256::from(*raw);
}

Bytes ChunkCipher::seal(std::uint64_t number, bool last, ByteView plain) const {
  return security::seal(
      key_, aad_of({"chunk", id_, std::to_string(number), last ? "last" : "more"}), plain);
}

Result<Bytes> ChunkCipher::open(std::uint64_t number, bool last, ByteView sealed) const {
  return security::open(
      key_, aad_of({"chunk", id_, std::to_string(number), last ? "last" : "more"}), sealed);
}

}  // namespace yyc3::security
