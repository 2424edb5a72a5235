#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/config.hpp"

namespace yyc3::app {

/// A model the default configuration wants, and what the system cannot do without it.
struct ModelFile {
  std::string name;
  std::filesystem::path path;
  std::string what_without;
  bool present = false;
};

std::vector<ModelFile> model_files(const Config& config);

}  // namespace yyc3::app
