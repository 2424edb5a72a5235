#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "platform/storage/database.hpp"

namespace yyc3::storage {

struct SqliteConfig {
  std::filesystem::path file;  ///< made with mode 0600 when absent; its folder must exist
  Limits limits;
  /// Test and quota hook: the file may grow to this many pages of 4096 bytes; 0 = no bound.
  std::int64_t max_pages = 0;
};

/// SQLite in WAL mode, synchronous=FULL. One writer thread commits jobs in groups, each in its own
/// savepoint; `limits.readers` threads read. Holds `<file>.lock` exclusively: a second program on
/// the same store is refused.
/// Errors: kBusy in use by another process (its pid is in the text); kUnavailable cannot be opened
/// or written; kInvalid not an SQLite file. `clock` must outlive it.
Result<std::unique_ptr<Database>> open_sqlite(const SqliteConfig& config, const Clock& clock);

}  // namespace yyc3::storage
