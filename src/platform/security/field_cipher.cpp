#include "platform/security/field_cipher.hpp"

#include "platform/security/aad.hpp"

namespace yyc3::security {

namespace {
constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kFieldHeader = 5;

Bytes aad_for(const FieldPlace& place, ByteView header) {
  return aad_of({"field", as_text(header), place.tenant, place.table, place.column, place.row});
}
}  // namespace

Result<Bytes> FieldCipher::encrypt(const FieldPlace& place, std::string_view plain) const {
  const Result<TenantKeys::Current> current = keys_.current(place.tenant);
  if (!current) return tl::unexpected<Error>(current.error());
  Bytes out(kFieldHeader);
  out[0] = kFormat;
  write_u32(out, 1, static_cast<std::uint32_t>(current->version));
  const Bytes sealed = seal(current->key, aad_for(place, out), as_bytes(plain));
  out.insert(out.end(), sealed.begin(), sealed.end());
  return out;
}

Result<std::string> FieldCipher::decrypt(const FieldPlace& place, ByteView envelope) const {
  if (envelope.size() < kFieldHeader + kSealOverhead || envelope[0] != kFormat)
    return fail(ErrorCode::kInvalid, "not an encrypted field");
  const Result<Key256> key = keys_.find(place.tenant, read_u32(envelope, 1));
  if (!key) return tl::unexpected<Error>(key.error());
  const Result<Bytes> plain =
      open(*key, aad_for(place, envelope.first(kFieldHeader)), envelope.subspan(kFieldHeader));
  if (!plain) return tl::unexpected<Error>(plain.error());
  return std::string(as_text(*plain));
}

Result<std::string> FieldCipher::blind_index(std::string_view tenant, std::string_view purpose,
                                             std::string_view normalised) const {
  const Result<Key256> first = keys_.find(tenant, 1);
  if (!first) return tl::unexpected<Error>(first.error());
  const Key256 key = first->derive("blind_index:" + std::string(purpose));
  return to_hex(hmac_sha256(key, as_bytes(normalised)));
}

}  // namespace yyc3::security
