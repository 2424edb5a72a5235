#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <fmt/format.h>
#include <mutex>

#include "app/commands/call_printer.hpp"
#include "app/commands/commands.hpp"
#include "app/commands/load.hpp"
#include "app/commands/stop_signals.hpp"
#include "app/system.hpp"
#include "product/events/events.hpp"

namespace yyc3::app {

namespace {

constexpr int kReadySecondsMax = 90;

int give_up(const Error& error) {
  std::fprintf(stderr, "aicall: %s\n", error.detail.c_str());
  return error.code == ErrorCode::kInvalid ? kExitUsage : kExitUnavailable;
}

/// Waits for an event on one thread and for its news on another. A lock: the command has no loop.
class Watch {
 public:
  explicit Watch(events::Bus& bus)
      : ended_(bus.subscribe<events::CallEnded>([this](const events::CallEnded&) { tell(true); })),
        failed_(bus.subscribe<events::CallStateChanged>(
            [this](const events::CallStateChanged& e) { tell(e.to == "failed"); })),
        spoken_(
            bus.subscribe<events::TurnSpoken>([this](const events::TurnSpoken&) { tell(false); })) {
  }

  /// True when the call is over. Returns on any news, or after half a second.
  bool wait() {
    std::unique_lock hold(lock_);
    news_.wait_for(hold, std::chrono::milliseconds(500), [this] { return fresh_ || over_; });
    fresh_ = false;
    return over_;
  }

 private:
  void tell(bool over) {
    const std::lock_guard hold(lock_);
    fresh_ = true;
    over_ = over_ || over;
    news_.notify_all();
  }

  std::mutex lock_;
  std::condition_variable news_;
  bool fresh_ = false;
  bool over_ = false;
  events::Subscription ended_, failed_, spoken_;
};

enum class Readiness { kAll, kLess, kStopped };

Readiness wait_until_ready(System& system, const StopSignals& signals) {
  for (int i = 0; i < kReadySecondsMax * 10; ++i) {
    if (system.missing().empty()) return Readiness::kAll;
    if (signals.within(Milliseconds(100)) != 0) return Readiness::kStopped;
  }
  return Readiness::kLess;
}

/// Ctrl-C hangs up, and the call's end is waited for as ever; a second one ends the program.
void obey(const StopSignals& signals, System& system, CallId id) {
  if (signals.within(Milliseconds(0)) == 0) return;
  signals.release();
  std::fputs("aicall: hanging up\n", stderr);
  // Refused: it is over already, which the caller is about to see.
  static_cast<void>(system.wait_for(system.calls().hang_up(id)));
}

}  // namespace

int place_call(const std::filesystem::path& path, const CallArguments& arguments) {
  const auto config = load_or_tell(path);
  if (!config) return kExitConfig;
  const StopSignals signals;
  auto system = System::start(*config, {.web = false, .render_ahead = false});
  if (!system) return give_up(system.error());
  const Readiness readiness = wait_until_ready(**system, signals);
  if (readiness == Readiness::kStopped) {
    signals.release();
    std::fputs("aicall: stopped; no call was placed\n", stderr);
    return kExitFailed;
  }
  if (readiness == Readiness::kLess)
    std::fprintf(stderr, "aicall: some engines are not up; the call goes on with less\n");

  call::NewCall wanted;
  wanted.to = arguments.to;
  wanted.flow = arguments.flow;
  wanted.language = *speech::language_of(arguments.language);
  for (const auto& pair : arguments.variables) {
    const std::size_t cut = pair.find('=');
    if (cut == std::string::npos) {
      std::fprintf(stderr, "aicall: --var %s: write name=value\n", pair.c_str());
      return kExitUsage;
    }
    wanted.variables[pair.substr(0, cut)] = pair.substr(cut + 1);
  }
  Watch watch((*system)->bus());
  const auto created = (*system)->wait_for((*system)->calls().create(wanted));
  if (!created) return give_up(created.error());
  const CallId id = created->call.id;
  CallPrinter printer(arguments.json ? nullptr : stdout);
  for (bool over = false;;) {
    const auto detail = (*system)->wait_for((*system)->store().find(id));
    if (!detail) return give_up(detail.error());
    if (*detail) printer.show(**detail);
    const bool final = *detail && call::is_final((*detail)->call.state);
    if (final && over) {
      if (arguments.json) std::puts(json::serialize(call::to_json(**detail)).c_str());
      return (*detail)->call.state == call::CallState::kCompleted ? kExitGood : kExitFailed;
    }
    over = watch.wait() || final;
    obey(signals, **system, id);
  }
}

}  // namespace yyc3::app
