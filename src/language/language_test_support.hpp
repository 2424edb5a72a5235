#pragma once

// For the tests of this room only. They run on a real model and fail without it.

#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <string>

namespace yyc3::language::testing {

struct TempDir {
  TempDir() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "yyc3-language-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::filesystem::path path;
};

inline std::filesystem::path small_model() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path root =
      cache != nullptr && *cache != '\0'
          ? std::filesystem::path(cache)
          : std::filesystem::path(home != nullptr ? home : "/") / ".cache";
  std::filesystem::path file = root / "aicall" / "models" / "smollm2-135m-instruct-q4_1.gguf";
  REQUIRE_MESSAGE(std::filesystem::exists(file),
                  file.string() << " is not there: run scripts/models --only smollm2-135m");
  return file;
}

}  // namespace yyc3::language::testing
