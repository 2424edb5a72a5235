#pragma once

#include <filesystem>
#include <optional>

#include "app/config.hpp"

namespace yyc3::app {

/// The configuration, or nullopt after every problem was printed on stderr.
std::optional<Config> load_or_tell(const std::filesystem::path& path);

}  // namespace yyc3::app
