#pragma once

#include <filesystem>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace yyc3::security {

/// A small secret on disk, mode 0600. Nullopt when there is no such file.
/// Errors: kDenied it is no plain file, belongs to someone else, or others may read or write it
/// (the text gives the command that mends it); kInvalid longer than `max_bytes`; kUnavailable
/// unreadable.
Result<std::optional<Bytes>> read_secret(const std::filesystem::path& path, std::size_t max_bytes);

/// Makes the file, complete and synced or not at all, and never over one that is there.
/// Errors: kConflict another program made it first; kUnavailable cannot be written.
Result<void> create_secret(const std::filesystem::path& path, ByteView content);

}  // namespace yyc3::security
