#include <cstdio>

#include "app/commands/commands.hpp"
#include "app/commands/load.hpp"
#include "app/config.hpp"

namespace yyc3::app {

std::optional<Config> load_or_tell(const std::filesystem::path& path) {
  const auto loaded = load_config(path);
  if (!loaded) {
    std::fprintf(stderr, "aicall: %s\n", loaded.error().detail.c_str());
    return std::nullopt;
  }
  for (const auto& problem : loaded->problems)
    std::fprintf(stderr, "aicall: configuration: %s\n", problem.c_str());
  return loaded->problems.empty() ? std::optional(loaded->config) : std::nullopt;
}

int config_check(const std::filesystem::path& path) {
  if (!load_or_tell(path)) return kExitConfig;
  std::puts("the configuration is good");
  return kExitGood;
}

int config_documentation() {
  auto reader = ConfigReader::parse("", {});
  Config::read(*reader);
  std::puts(
      "# Configuration\n\n`aicall.toml` in the working folder, or `--config FILE`. Every key has a "
      "safe default.\nThe environment overrides the file: `AICALL_<SECTION>__<KEY>`, e.g. "
      "`AICALL_SERVER__PORT=9000`.\n`aicall config check` prints every problem at once. Made by "
      "`aicall config docs`.\n");
  std::fputs(reader->documentation().c_str(), stdout);
  return kExitGood;
}

}  // namespace yyc3::app
