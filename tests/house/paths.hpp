#pragma once
#include <filesystem>

// Where a test finds the repository's files. One function instead of a path in every test's command
// line: such a path is part of what the compiler cache hashes, so that no clone would find another
// clone's objects.
namespace yyc3::paths {

/// The repository this test was built from: absolute, without a slash at the end.
std::filesystem::path source_dir();

/// The folder this test was built in (build/<preset>), where things made by the build lie:
/// nlu.model.
std::filesystem::path build_dir();

}  // namespace yyc3::paths
