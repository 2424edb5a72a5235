#include "house/paths.hpp"

namespace yyc3::paths {

std::filesystem::path source_dir() { return YYC3_SOURCE_DIR; }

std::filesystem::path build_dir() { return YYC3_BUILD_DIR; }

}  // namespace yyc3::paths
