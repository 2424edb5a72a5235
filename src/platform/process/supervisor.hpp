#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "platform/process/restart_policy.hpp"
#include "platform/telemetry/log.hpp"

namespace yyc3::process {

/// A program to be kept running.
struct ChildSpec {
  std::string name;                    ///< unique; for logs, events and kill()
  std::vector<std::string> argv;       ///< argv[0] is the absolute path of the program
  std::vector<std::string> env;        ///< "NAME=value": the child's whole environment
  std::vector<int> cores;              ///< may run on these only; empty: on any
  int nice = 0;                        ///< 0 to 19
  int oom_score_adj = 0;               ///< 0 to 1000: who goes first when memory ends
  std::uint64_t memory_bytes_max = 0;  ///< address space (RLIMIT_AS); 0: no limit
  std::string ready_socket;            ///< up once this Unix socket accepts; empty: up at once
  Milliseconds ready_timeout{30'000};  ///< then it is killed, which counts as a death
};

enum class ChildState { kStarting, kUp, kDown, kDegraded, kStopped };
const char* to_string(ChildState state);

struct ChildEvent {
  std::string name;
  ChildState state = ChildState::kDown;
  int pid = 0;         ///< of the process the event is about
  std::string reason;  ///< of kDown and kDegraded: "exit 3", "signal 9", "not ready in time"
};

/// Starts children and starts them again when they die.
///
/// A child has its own process group, no descriptor of ours but 0 to 2 (/dev/null, and a pipe
/// whose lines go to the log: at most 100 a second, 1,024 bytes each; warnings in our own log
/// format stay warnings, the same one not twice in 10 minutes), and is killed by Linux when this
/// process ends. All of them are started by one thread that lives as long as this object:
/// PR_SET_PDEATHSIG looks at the parent *thread*.
/// Threads: every function any. Bound: 32 children.
class Supervisor {
 public:
  /// @param sink called on the supervisor's thread; must not block, nor call the supervisor.
  Supervisor(const Clock& clock, telemetry::Log& log, std::function<void(ChildEvent)> sink,
             RestartConfig restarts = {});
  /// stop().
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Starts it soon. Errors: kInvalid (no name, relative path, bad number), kBusy (name taken, 32
  /// children, stopped).
  Result<void> add(ChildSpec spec);
  /// SIGKILL to its process group: for one that hangs. It is started again like after any death.
  /// Errors: kNotFound.
  Result<void> kill(const std::string& name);
  /// SIGTERM to all, SIGKILL to those that still run after `grace`; returns when all are gone.
  void stop(Milliseconds grace = Milliseconds(3'000));

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yyc3::process
