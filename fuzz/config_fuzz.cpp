#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "app/config.hpp"

namespace {

using namespace yyc3;

void require(bool good) {
  if (!good) std::abort();
}

constexpr std::string_view kEnvironment = "# environment\n";

/// Behind the line above: NAME=VALUE, one a line. load_config keeps only AICALL_…; here any.
ConfigReader::Environment environment_of(std::string_view text) {
  ConfigReader::Environment found;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t cut = line.find('=');
    if (cut != std::string_view::npos) found.emplace(line.substr(0, cut), line.substr(cut + 1));
  }
  return found;
}

void check(const app::Config& c) {  // also beside problems: then the default stands
  require(c.server.port >= 0 && c.server.port <= 65'535);
  require(c.sip.transport == "udp" || c.sip.transport == "tcp");
  require(c.media.rtp_port_min >= 1024 && c.media.rtp_port_max <= 65'535);
  require(c.calls.max_active >= 1 && c.calls.max_active <= 10'000);
  require(c.speech.speed >= 0.5 && c.speech.speed <= 2.0);
  require(c.turns.barge_in_ms >= 60 && c.turns.barge_in_ms <= 2000);
  require(c.speech.render_first == "zh" || c.speech.render_first == "en");
}

void check_valid(const app::Config& c) {
  require(c.media.rtp_port_min < c.media.rtp_port_max);
  require(c.server.certificate_file.empty() == c.server.key_file.empty());
  require(c.compliance.window_from.size() == 5 && c.compliance.window_to.size() == 5);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = text.find(kEnvironment);
  const auto behind = cut == std::string_view::npos ? "" : text.substr(cut + kEnvironment.size());
  auto reader = ConfigReader::parse(text.substr(0, cut), environment_of(behind));
  if (!reader) {
    require(!reader.error().detail.empty());
    return 0;
  }
  const app::Config config = app::Config::read(*reader);
  check(config);
  const auto problems = reader->problems();
  if (problems.empty()) check_valid(config);
  for (const auto& problem : problems) require(problem.find(": ") != std::string::npos);
  static const std::string documented = [] {
    auto empty = ConfigReader::parse("", {});
    (void)app::Config::read(*empty);
    return empty->documentation();
  }();
  require(reader->documentation() == documented);  // defaults, whatever a file says
  return 0;
}
