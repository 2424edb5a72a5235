#include "app/workers.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <string>
#include <unistd.h>
#include <utility>

#include "app/engine_access.hpp"
#include "platform/process/supervisor.hpp"
#include "product/events/events.hpp"

namespace yyc3::app {

namespace {
constexpr int kHearNice = 5;
constexpr int kSpeakNice = 10;
constexpr int kLanguageNice = 15;  // a clause that is ready waits for the voice alone
constexpr std::uint64_t kLanguageMemory = 4ULL << 30;  ///< a machine of less has no room for it
constexpr int kOomFirst = 500;
constexpr long kTextsAtOnceMax = 2;
constexpr std::uint64_t kAddressSpaceMax = 6ULL << 30;

const char* state_name(process::ChildState state) {
  switch (state) {
    case process::ChildState::kStarting:
      return "starting";
    case process::ChildState::kUp:
      return "up";
    case process::ChildState::kDegraded:
      return "degraded";
    default:
      return "down";
  }
}
}  // namespace

std::size_t texts_at_once() {
  return static_cast<std::size_t>(std::clamp(sysconf(_SC_NPROCESSORS_ONLN), 1L, kTextsAtOnceMax));
}

struct Workers::State {
  net::Endpoint hear;
  net::Endpoint speak;
  std::optional<net::Endpoint> language;
  std::string folder;  ///< of the sockets, 0700, ours alone
  std::unique_ptr<process::Supervisor> supervisor;
  mutable std::mutex lock;  // states change on the supervisor's thread and are read by any
  std::map<std::string, std::string> states;

  void set(const std::string& name, std::string state) {
    const std::lock_guard hold(lock);
    states[name] = std::move(state);
  }
  [[nodiscard]] process::ChildSpec spec_of(const std::string& role,
                                           const std::filesystem::path& program, int nice) const;
  Result<void> add_speech(const Config& config, const std::string& role, int nice);
  Result<void> add_language(const Config& config, telemetry::Log& log);
};

Workers::Workers() : state_(std::make_unique<State>()) {}
Workers::~Workers() { stop(); }

/// The worker `program`, with its socket; its own arguments are still to come.
process::ChildSpec Workers::State::spec_of(const std::string& role,
                                           const std::filesystem::path& program, int nice) const {
  process::ChildSpec child;
  child.name = role;
  child.ready_socket = folder + "/" + role + ".sock";
  child.argv = {std::filesystem::absolute(program).string()};
  if (role != "language") child.argv.push_back(role);
  // Nice: not the child's from the start, it loads its models at full speed.
  child.argv.insert(child.argv.end(),
                    {"--socket", child.ready_socket, "--nice", std::to_string(nice)});
  const char* home = std::getenv("HOME");
  child.env = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8", fmt::format("HOME={}", home ? home : "/")};
  child.oom_score_adj = kOomFirst;
  child.memory_bytes_max = kAddressSpaceMax;
  child.ready_timeout = Milliseconds{60'000};
  return child;
}

Result<void> Workers::State::add_speech(const Config& config, const std::string& role, int nice) {
  const std::filesystem::path program = config.speech.worker.empty()
                                            ? find_beside_program("aicall-worker")
                                            : std::filesystem::path(config.speech.worker);
  if (program.empty() || !std::filesystem::exists(program))
    return fail(ErrorCode::kNotFound,
                "the program aicall-worker is not beside aicall; build it or set speech.worker");
  process::ChildSpec child = spec_of(role, program, nice);
  const auto give = [&child](const char* option, const std::filesystem::path& path) {
    if (path.empty()) return;
    child.argv.insert(child.argv.end(), {option, std::filesystem::absolute(path).string()});
  };
  give("--models", config.models_dir());
  if (role == "hear") {
    give("--zh", config.speech.recognizer_zh);
    give("--en", config.speech.recognizer_en);
    give("--phrases-zh", config.speech.phrases_zh);
    give("--turn-end", config.turn_end_model());
  }
  if (role == "speak")
    child.argv.insert(child.argv.end(), {"--threads", std::to_string(texts_at_once())});
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  if (role == "hear" && config.speech.hear_core >= 0 && config.speech.hear_core < cores)
    child.cores = {static_cast<int>(config.speech.hear_core)};
  set(role, "starting");
  return supervisor->add(std::move(child));
}

Result<void> Workers::State::add_language(const Config& config, telemetry::Log& log) {
  const std::filesystem::path model = config.language_model();
  const std::filesystem::path program = find_beside_program("aicall-language");
  if (model.empty() || program.empty()) return {};  // calls are led by flows alone
  const auto memory = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                      static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  if (memory < kLanguageMemory) {
    log.warn("without the language model: this machine has less than 4 GB of memory",
             {{"host.memory.bytes", static_cast<std::int64_t>(memory)}});
    return {};
  }
  const auto cores = static_cast<std::int64_t>(sysconf(_SC_NPROCESSORS_ONLN));
  const std::int64_t threads = std::min(config.language.threads, cores);
  process::ChildSpec child = spec_of("language", program, kLanguageNice);
  child.argv.insert(child.argv.end(), {"--model", std::filesystem::absolute(model).string(),
                                       "--threads", std::to_string(threads), "--context",
                                       std::to_string(config.language.context_tokens)});
  language = net::Endpoint::unix_socket(child.ready_socket);
  set("language", "starting");
  return supervisor->add(std::move(child));
}

Result<void> Workers::start(const Config& config, telemetry::Log& log, const Clock& clock,
                            events::Bus& bus, std::string_view only) {
  char folder[] = "/tmp/aicall-XXXXXX";
  if (mkdtemp(folder) == nullptr)
    return fail(ErrorCode::kUnavailable, "no folder for sockets can be made in /tmp");
  state_->folder = folder;
  state_->hear = net::Endpoint::unix_socket(state_->folder + "/hear.sock");
  state_->speak = net::Endpoint::unix_socket(state_->folder + "/speak.sock");
  state_->supervisor = std::make_unique<process::Supervisor>(
      clock, log, [this, &bus, &clock](const process::ChildEvent& event) {
        state_->set(event.name, state_name(event.state));
        bus.publish(events::EngineStateChanged{event.name, state_name(event.state), clock.utc()});
      });
  struct Role {
    const char* name;
    const std::string& url;
    net::Endpoint& endpoint;
    int nice;
  };
  const Role roles[] = {{"hear", config.speech.hear_url, state_->hear, kHearNice},
                        {"speak", config.speech.speak_url, state_->speak, kSpeakNice}};
  for (const Role& role : roles) {
    if (!only.empty() && role.name != only) continue;
    if (role.url.empty()) {
      auto added = state_->add_speech(config, role.name, role.nice);
      if (!added) return added;
      continue;
    }
    auto endpoint = engine_endpoint(fmt::format("speech.{}_url", role.name), role.url);
    if (!endpoint) return tl::unexpected<Error>(endpoint.error());
    role.endpoint = std::move(*endpoint);
    state_->set(role.name, "up");
  }
  if (!only.empty() && only != "language") return {};
  if (config.language.url.empty()) return state_->add_language(config, log);
  auto endpoint = engine_endpoint("language.url", config.language.url);
  if (!endpoint) return tl::unexpected<Error>(endpoint.error());
  state_->language = std::move(*endpoint);
  state_->set("language", "up");
  return {};
}

void Workers::stop() {
  if (!state_->supervisor) return;
  state_->supervisor->stop();
  state_->supervisor.reset();
  std::error_code ignored;
  std::filesystem::remove_all(state_->folder, ignored);
}

void Workers::kill(std::string_view name) {
  // Not found: an engine elsewhere, which is not ours to kill.
  if (state_->supervisor) static_cast<void>(state_->supervisor->kill(std::string(name)));
}

const net::Endpoint& Workers::hear_endpoint() const { return state_->hear; }
const net::Endpoint& Workers::speak_endpoint() const { return state_->speak; }

const std::optional<net::Endpoint>& Workers::language_endpoint() const { return state_->language; }

std::vector<call::EngineStatus> Workers::status() const {
  const std::lock_guard hold(state_->lock);
  std::vector<call::EngineStatus> out;
  for (const auto& [name, state] : state_->states) out.push_back({name, state});
  return out;
}

}  // namespace yyc3::app
