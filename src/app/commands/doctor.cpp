#include <arpa/inet.h>
#include <cstdio>
#include <fmt/format.h>
#include <fstream>
#include <netinet/in.h>
#include <set>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "app/commands/commands.hpp"
#include "app/commands/load.hpp"
#include "app/commands/model_files.hpp"

namespace yyc3::app {

namespace {

namespace fs = std::filesystem;

struct Report {
  int bad = 0;
  void line(bool good, const std::string& what, const std::string& detail) {
    fmt::print("{} {}: {}\n", good ? "ok  " : "BAD ", what, detail);
    bad += good ? 0 : 1;
  }
};

void check_disk(Report& report, const fs::path& folder) {
  fs::path there = folder;
  while (!there.empty() && !fs::exists(there)) there = there.parent_path();
  struct statvfs space{};
  const bool known = statvfs(there.c_str(), &space) == 0;
  const double gib =
      known ? static_cast<double>(space.f_bavail) * static_cast<double>(space.f_frsize) / (1 << 30)
            : 0;
  report.line(
      gib >= 2 && access(there.c_str(), W_OK) == 0, "data folder",
      fmt::format("{} ({:.1f} GiB free; a recorded hour takes 0.06)", folder.string(), gib));
}

void check_port(Report& report, const Config::Server& server) {
  if (server.port == 0) return report.line(true, "port", "any free one");
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return report.line(false, "port", "no socket can be opened; see `ulimit -n`");
  const int yes = 1;
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(server.port));
  inet_pton(AF_INET, server.listen.c_str(), &address.sin_addr);
  const bool free = bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(probe);
  report.line(free, "port",
              free ? fmt::format("{}:{} is free", server.listen, server.port)
                   : fmt::format("{}:{} is taken (by a running aicall?); set server.port",
                                 server.listen, server.port));
}

void check_priority(Report& report) {
  rlimit limit{};
  getrlimit(RLIMIT_RTPRIO, &limit);
  const bool realtime = geteuid() == 0 || limit.rlim_cur > 0;
  report.line(true, "media priority",
              realtime ? "real time may be asked for"
                       : "normal: calls go on, but grant rtprio in limits.conf for many of them");
}

void check_memory(Report& report) {
  std::ifstream in("/proc/meminfo");
  std::string name, unit;
  std::uint64_t kib = 0;
  double gib = 0;
  while (in >> name >> kib >> unit)
    if (name == "MemAvailable:") gib = static_cast<double>(kib) / (1 << 20);
  report.line(gib >= 2, "memory", fmt::format("{:.1f} GiB available, 2 wanted", gib));
}

std::string language_state(const Config& config) {
  if (!config.language.url.empty()) return "at language.url";
  if (config.language_model().empty() || find_beside_program("aicall-language").empty())
    return "none, calls are led by flows alone; `make language` brings one";
  return config.language_model().string();
}

}  // namespace

int doctor(const fs::path& path) {
  const auto config = load_or_tell(path);
  if (!config) return kExitConfig;
  Report report;
  report.line(true, "configuration", "good");
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  report.line(cores >= 2, "cores",
              fmt::format("{}, 2 wanted: one for calls, one for recognition", cores));
  check_memory(report);
  check_disk(report, config->data_dir());
  check_port(report, config->server);
  check_priority(report);
  const fs::path worker = config->speech.worker.empty() ? find_beside_program("aicall-worker")
                                                        : fs::path(config->speech.worker);
  report.line(!worker.empty() && fs::exists(worker), "worker program",
              worker.empty() ? "aicall-worker is not beside aicall" : worker.string());
  for (const char* part : {"nlu.model", "flows"}) {
    const fs::path found = find_beside_program(part);
    report.line(!found.empty(), part, found.empty() ? "is not beside aicall" : found.string());
  }
  const fs::path console = find_console(*config);
  report.line(fs::exists(console / "index.html"), "web",
              console.empty() ? "the console is not built; run `make build`" : console.string());
  for (const ModelFile& model : model_files(*config))
    report.line(
        model.present, "model " + model.name,
        model.present ? model.path.string() : model.what_without + "; run `aicall models pull`");
  report.line(true, "language model", language_state(*config));
  fmt::print("{}\n",
             report.bad == 0 ? "everything is in order" : fmt::format("{} to mend", report.bad));
  return report.bad == 0 ? kExitGood : kExitFailed;
}

int list_models(const fs::path& path) {
  const auto config = load_or_tell(path);
  if (!config) return kExitConfig;
  bool all = true;
  for (const ModelFile& model : model_files(*config)) {
    all = all && model.present;
    fmt::print("{:<8} {:<24} {}\n", model.present ? "present" : "MISSING", model.name,
               model.present ? model.path.string() : model.what_without);
  }
  if (!all) fmt::print("fetch what is missing with `aicall models pull`\n");
  return all ? kExitGood : kExitFailed;
}

}  // namespace yyc3::app
