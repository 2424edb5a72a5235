#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "platform/security/tenant_keys.hpp"

namespace yyc3::security {

/// A recording's own key, sealed by the tenant's data key. Erasing a recording = deleting
/// `wrapped`.
struct RecordingKey {
  Key256 key;
  Bytes wrapped;  ///< u32 data key version, big-endian | sealed key; a column of `recordings`
};

/// Errors: kNotFound when the tenant has no data key.
Result<RecordingKey> make_recording_key(const TenantKeys& keys, std::string_view tenant,
                                        std::string_view recording_id);
/// Errors: kInvalid not a wrapped key; kNotFound its data key is not loaded; kDenied changed, or of
/// another recording.
Result<Key256> open_recording_key(const TenantKeys& keys, std::string_view tenant,
                                  std::string_view recording_id, ByteView wrapped);

/// Encrypts a recording chunk by chunk. Number and "this is the last one" are bound into each
/// chunk, so chunks cannot be swapped, repeated, taken from another recording, or cut off at the
/// end without the reader noticing. Each chunk grows by kSealOverhead bytes. Threads: any (const).
class ChunkCipher {
 public:
  ChunkCipher(const Key256& key, std::string_view recording_id) : key_(key), id_(recording_id) {}

  [[nodiscard]] Bytes seal(std::uint64_t number, bool last, ByteView plain) const;
  /// Errors: kDenied when it is not chunk `number`, not (or unexpectedly) the last, or was changed.
  [[nodiscard]] Result<Bytes> open(std::uint64_t number, bool last, ByteView sealed) const;

 private:
  Key256 key_;
  std::string id_;
};

}  // namespace yyc3::security
