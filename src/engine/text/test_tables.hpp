#pragma once

#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>

#include "engine/text/tables.hpp"

namespace yyc3::text {

/// Where the set-up puts the tables: $AICALL_MODELS/text, else the user's cache.
inline std::filesystem::path test_tables_dir() {
  const char* models = std::getenv("AICALL_MODELS");
  if (models != nullptr) return std::filesystem::path(models) / "text";
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path base =
      cache != nullptr ? std::filesystem::path(cache)
                       : std::filesystem::path(home != nullptr ? home : "/") / ".cache";
  return base / "aicall" / "models" / "text";
}

/// The tables of this machine, loaded once; a test without them fails, it is never skipped.
inline TablesPtr test_tables() {
  static const auto tables = Tables::load(test_tables_dir());
  if (!tables) FAIL("text tables are missing: run scripts/setup. " << tables.error().detail);
  return *tables;
}

}  // namespace yyc3::text
