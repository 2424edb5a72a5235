#include <cstdio>
#include <unistd.h>

#include "app/commands/commands.hpp"
#include "app/commands/load.hpp"
#include "app/commands/stop_signals.hpp"
#include "app/system.hpp"

namespace yyc3::app {

int serve(const std::filesystem::path& path) {
  const auto config = load_or_tell(path);
  if (!config) return kExitConfig;
  const StopSignals signals;
  auto system = System::start(*config, {});
  if (!system) {
    std::fprintf(stderr, "aicall: %s\n", system.error().detail.c_str());
    return kExitUnavailable;
  }
  std::printf("YYC3 AI-Call %s serves on %s\nconsole (one-time link): %s\n", YYC3_VERSION,
              (*system)->address().c_str(), (*system)->console_link().c_str());
  std::fflush(stdout);
  static_cast<void>(signals.wait());
  signals.release();
  std::puts("stopping: calls are ended politely");
  std::fflush(stdout);
  system->reset();
  return kExitGood;
}

int run_beside(const std::string& program, const std::vector<std::string>& arguments) {
  const std::filesystem::path file = find_beside_program(program);
  if (file.empty()) {
    std::fprintf(stderr, "aicall: %s did not come with this program\n", program.c_str());
    return kExitUnavailable;
  }
  std::vector<char*> argv{const_cast<char*>(file.c_str())};
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(file.c_str(), argv.data());
  std::perror("aicall");
  return kExitUnavailable;
}

}  // namespace yyc3::app
