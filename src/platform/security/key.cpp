#include "platform/security/key.hpp"

#include <algorithm>
#include <memory>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdexcept>

#include "platform/security/random.hpp"

namespace yyc3::security {

namespace {

constexpr int kNonce = 12;
constexpr int kTag = 16;
static_assert(kNonce + kTag == kSealOverhead);

// A failure of OpenSSL on valid arguments is a broken installation or no memory: nothing a caller
// could handle, so it throws and the adapter that called reports kInternal.
void need(int ok) {
  if (ok != 1) throw std::runtime_error("OpenSSL refused a valid operation");
}

struct CipherFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, CipherFree>;

struct KdfFree {
  void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};

int size_of(ByteView bytes) {
  if (bytes.size() > 1U << 30) throw std::length_error("more than 1 GiB in one piece");
  return static_cast<int>(bytes.size());
}

}  // namespace

Key256 Key256::make() {
  Key256 key;
  random_bytes(std::span<std::uint8_t>(key.bytes_));
  return key;
}

Result<Key256> Key256::from(ByteView raw) {
  if (raw.size() != kSize) return fail(ErrorCode::kInvalid, "a key has 32 bytes");
  Key256 key;
  std::copy(raw.begin(), raw.end(), key.bytes_.begin());
  return key;
}

Key256::~Key256() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

Key256 Key256::derive(std::string_view purpose) const {
  const std::unique_ptr<EVP_KDF, KdfFree> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const std::unique_ptr<EVP_KDF_CTX, KdfFree> context(EVP_KDF_CTX_new(kdf.get()));
  if (!context) need(0);
  std::string digest = "SHA256";
  std::string info(purpose);
  auto secret = bytes_;
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string("digest", digest.data(), 0),
      OSSL_PARAM_construct_octet_string("key", secret.data(), secret.size()),
      OSSL_PARAM_construct_octet_string("info", info.data(), info.size()),
      OSSL_PARAM_construct_end()};
  Key256 out;
  need(EVP_KDF_derive(context.get(), out.bytes_.data(), out.bytes_.size(), params));
  OPENSSL_cleanse(secret.data(), secret.size());
  return out;
}

std::string Key256::fingerprint() const { return to_hex(derive("fingerprint").bytes().first(8)); }

Bytes seal(const Key256& key, ByteView aad, ByteView plain) {
  Bytes out(kNonce + plain.size() + kTag);
  random_bytes(std::span(out).first(kNonce));
  const Cipher cipher(EVP_CIPHER_CTX_new());
  const int aad_size = size_of(aad);
  const int plain_size = size_of(plain);
  int n = 0;
  need(
      EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.bytes().data(), out.data()));
  if (aad_size > 0) need(EVP_EncryptUpdate(cipher.get(), nullptr, &n, aad.data(), aad_size));
  if (plain_size > 0)
    need(EVP_EncryptUpdate(cipher.get(), out.data() + kNonce, &n, plain.data(), plain_size));
  need(EVP_EncryptFinal_ex(cipher.get(), out.data() + kNonce + plain_size, &n));
  need(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTag,
                           out.data() + kNonce + plain_size));
  return out;
}

Result<Bytes> open(const Key256& key, ByteView aad, ByteView sealed) {
  if (sealed.size() < kSealOverhead) return fail(ErrorCode::kDenied, "sealed data is cut short");
  const ByteView text = sealed.subspan(kNonce, sealed.size() - kSealOverhead);
  Bytes tag(sealed.end() - kTag, sealed.end());
  const Cipher cipher(EVP_CIPHER_CTX_new());
  const int aad_size = size_of(aad);
  const int text_size = size_of(text);
  Bytes out(text.size());
  int n = 0;
  need(EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.bytes().data(),
                          sealed.data()));
  if (aad_size > 0) need(EVP_DecryptUpdate(cipher.get(), nullptr, &n, aad.data(), aad_size));
  if (text_size > 0) need(EVP_DecryptUpdate(cipher.get(), out.data(), &n, text.data(), text_size));
  need(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTag, tag.data()));
  std::uint8_t none = 0;
  if (EVP_DecryptFinal_ex(cipher.get(), &none, &n) != 1) {
    OPENSSL_cleanse(out.data(), out.size());
    ERR_clear_error();  // or it would be taken for an error of TLS on this thread
    return fail(ErrorCode::kDenied, "sealed data was changed, moved, or is of another key");
  }
  return out;
}

Bytes hmac_sha256(const Key256& key, ByteView data) {
  Bytes out(32);
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.bytes().data(), static_cast<int>(Key256::kSize), data.data(),
           data.size(), out.data(), &size) == nullptr)
    need(0);
  return out;
}

std::string sha256_hex(ByteView data) {
  Bytes out(32);
  need(EVP_Digest(data.data(), data.size(), out.data(), nullptr, EVP_sha256(), nullptr));
  return to_hex(out);
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace yyc3::security
