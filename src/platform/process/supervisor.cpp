#include "platform/process/supervisor.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <optional>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "base/json.hpp"
#include "platform/process/spawn.hpp"

namespace yyc3::process {

namespace {

constexpr std::size_t kChildrenMax = 32;
constexpr Milliseconds kReadyProbe{50};
constexpr std::size_t kLineMax = 1024;
constexpr int kLinesPerSecond = 100;
constexpr auto kSameAgain = std::chrono::minutes(10);  // a warning repeated at every restart

bool accepts(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const bool ok = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return ok;
}

std::string describe(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  const int code = WEXITSTATUS(status);
  if (code == 127) return "exit 127: the program cannot be executed";
  return "exit " + std::to_string(code);
}

struct Child {
  Child(ChildSpec with, RestartConfig restarts) : spec(std::move(with)), policy(restarts) {}
  ChildSpec spec;
  RestartPolicy policy;
  SpawnedChild process;
  bool running = false;
  bool up = false;
  std::optional<SteadyTime> next;  ///< running: give up waiting for ready; else: start again
  std::string why_killed;
  std::string line;
  SteadyTime line_second{};
  int lines = 0;
  std::string warned;  ///< the last warning, and when
  SteadyTime warned_at{};
};

/// What a line of our own log format (JSON) warns of; empty for every other line.
std::string warning_in(const std::string& line) {
  if (!line.starts_with('{')) return {};
  const auto parsed = parse_json(line);
  if (!parsed) return {};
  const auto level = string_field(*parsed, "log.level");
  if (level != "warn" && level != "error") return {};
  const std::string why = string_field(*parsed, "error.message").value_or("");
  return string_field(*parsed, "message").value_or("") + (why.empty() ? "" : ": " + why);
}

Result<void> check(const ChildSpec& spec) {
  if (spec.name.empty()) return fail(ErrorCode::kInvalid, "child: the name is missing");
  if (spec.argv.empty() || !spec.argv[0].starts_with('/'))
    return fail(ErrorCode::kInvalid, "child: argv[0] must be an absolute path");
  if (spec.nice < 0 || spec.nice > 19) return fail(ErrorCode::kInvalid, "child: nice is 0 to 19");
  if (spec.oom_score_adj < 0 || spec.oom_score_adj > 1000)
    return fail(ErrorCode::kInvalid, "child: oom_score_adj is 0 to 1000");
  if (spec.ready_socket.size() >= sizeof(sockaddr_un::sun_path))
    return fail(ErrorCode::kInvalid, "child: ready_socket is longer than 107 bytes");
  for (const int core : spec.cores) {
    if (core < 0 || core >= CPU_SETSIZE)
      return fail(ErrorCode::kInvalid, "child: cores are 0 to 1023");
  }
  return {};
}

}  // namespace

const char* to_string(ChildState state) {
  switch (state) {
    case ChildState::kStarting:
      return "starting";
    case ChildState::kUp:
      return "up";
    case ChildState::kDown:
      return "down";
    case ChildState::kDegraded:
      return "degraded";
    case ChildState::kStopped:
      return "stopped";
  }
  return "unknown";
}

class Supervisor::Impl {
 public:
  Impl(const Clock& clock, telemetry::Log& log, std::function<void(ChildEvent)> sink,
       RestartConfig restarts)
      : clock_(clock), log_(log), sink_(std::move(sink)), restarts_(restarts) {
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    thread_ = std::thread([this] { run(); });
  }
  ~Impl() { ::close(wake_); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> add(ChildSpec spec) {
    if (auto sound = check(spec); !sound) return sound;
    const std::lock_guard lock(mutex_);
    if (stopping_ || names_.size() >= kChildrenMax)
      return fail(ErrorCode::kBusy, "supervisor: stopped, or 32 children already");
    if (std::find(names_.begin(), names_.end(), spec.name) != names_.end())
      return fail(ErrorCode::kBusy, "supervisor: this name is taken");
    names_.push_back(spec.name);
    added_.push_back(std::move(spec));
    wake();
    return {};
  }

  Result<void> kill(const std::string& name) {
    const std::lock_guard lock(mutex_);
    if (std::find(names_.begin(), names_.end(), name) == names_.end())
      return fail(ErrorCode::kNotFound, "supervisor: no such child");
    if (std::find(kills_.begin(), kills_.end(), name) == kills_.end()) kills_.push_back(name);
    wake();
    return {};
  }

  void stop(Milliseconds grace) {
    {
      const std::lock_guard lock(mutex_);
      if (!stopping_) grace_ = grace;
      stopping_ = true;
      wake();
    }
    const std::lock_guard joining(join_mutex_);
    if (thread_.joinable()) thread_.join();
  }

 private:
  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof(one));
  }

  void run() {
    ::pthread_setname_np(::pthread_self(), "supervisor");
    while (!take_commands()) {
      for (Child& child : children_) step(child);
      wait();
    }
    end_all();
  }

  /// True when it is time to stop.
  bool take_commands() {
    std::vector<std::string> kills;
    {
      const std::lock_guard lock(mutex_);
      for (ChildSpec& spec : added_) {
        children_.emplace_back(std::move(spec), restarts_);
        children_.back().next = clock_.now();
      }
      added_.clear();
      kills.swap(kills_);
      if (stopping_) return true;
    }
    for (const std::string& name : kills) {
      for (Child& child : children_) {
        if (child.spec.name == name && child.running) signal(child, SIGKILL);
      }
    }
    return false;
  }

  static void signal(const Child& child, int number) { ::kill(-child.process.pid, number); }

  void tell(const Child& child, ChildState state, const std::string& reason = {}) {
    const bool bad = state == ChildState::kDown || state == ChildState::kDegraded;
    const telemetry::Field name{"process.name", child.spec.name};
    const telemetry::Field pid{"process.pid", child.process.pid};
    const telemetry::Field now{"yyc3.process.state", to_string(state)};
    const telemetry::Field why{"yyc3.process.reason", reason};
    if (bad)
      log_.warn("child process", {name, pid, now, why});
    else
      log_.info("child process", {name, pid, now, why});
    ChildEvent event;
    event.name = child.spec.name;
    event.state = state;
    event.pid = child.process.pid;
    event.reason = reason;
    sink_(std::move(event));
  }

  void step(Child& child) {
    const SteadyTime now = clock_.now();
    if (!child.running) {
      if (child.next && now >= *child.next) start(child);
      return;
    }
    read_output(child);
    if (!child.up) {
      if (child.spec.ready_socket.empty() || accepts(child.spec.ready_socket)) {
        child.up = true;
        child.next.reset();
        tell(child, ChildState::kUp);
      } else if (now >= *child.next && child.why_killed.empty()) {
        child.why_killed = "not ready in time";
        signal(child, SIGKILL);
      }
    }
    reap(child);
  }

  void start(Child& child) {
    if (!child.spec.ready_socket.empty()) ::unlink(child.spec.ready_socket.c_str());
    const auto spawned = spawn_child(child.spec);
    if (!spawned) return died(child, spawned.error().detail);
    child.process = *spawned;
    child.running = true;
    child.up = false;
    child.why_killed.clear();
    child.next = clock_.now() + child.spec.ready_timeout;
    tell(child, ChildState::kStarting);
  }

  /// Takes the end of a child, if it has ended.
  void reap(Child& child) {
    siginfo_t info{};
    const auto id = static_cast<id_t>(child.process.pid);
    if (::waitid(P_PID, id, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    // while the dead leader is not yet waited for, its number cannot be another group's
    signal(child, SIGKILL);
    int status = 0;
    ::waitpid(child.process.pid, &status, 0);
    read_output(child);
    if (child.process.pidfd >= 0) ::close(child.process.pidfd);
    ::close(child.process.output);
    child.running = false;
    child.up = false;
    died(child, child.why_killed.empty() ? describe(status) : child.why_killed);
  }

  void died(Child& child, const std::string& reason) {
    if (ending_) {
      child.next.reset();
      return tell(child, ChildState::kStopped, reason);
    }
    const SteadyTime now = clock_.now();
    const RestartPolicy::Decision decision = child.policy.on_death(now);
    child.next = now + decision.delay;
    tell(child, decision.degraded ? ChildState::kDegraded : ChildState::kDown, reason);
  }

  void read_output(Child& child) {
    char piece[4096];
    for (int i = 0; i < 16; ++i) {  // bounded: a child that shouts must not hold up the others
      const ssize_t got = ::read(child.process.output, piece, sizeof(piece));
      if (got <= 0) return;
      for (ssize_t at = 0; at < got; ++at) {
        if (piece[at] == '\n') {
          say(child);
        } else if (child.line.size() < kLineMax) {
          child.line += piece[at];
        }
      }
    }
  }

  void say(Child& child) {
    const SteadyTime now = clock_.now();
    if (now - child.line_second >= std::chrono::seconds(1)) {
      child.line_second = now;
      child.lines = 0;
    }
    if (!child.line.empty() && child.lines++ < kLinesPerSecond) write(child, now);
    child.line.clear();
  }

  void write(Child& child, SteadyTime now) {
    std::string warning = warning_in(child.line);
    if (warning.empty())
      return log_.info("child says",
                       {{"process.name", child.spec.name}, {"yyc3.process.line", child.line}});
    if (warning == child.warned && now - child.warned_at < kSameAgain) return;
    log_.warn("child warns", {{"process.name", child.spec.name}, {"error.message", warning}});
    child.warned = std::move(warning);
    child.warned_at = now;
  }

  /// Sleeps until a child speaks or ends, a command comes, or the next thing is due.
  void wait() {
    std::vector<pollfd> fds{{wake_, POLLIN, 0}};
    Milliseconds sleep{1000};
    const SteadyTime now = clock_.now();
    for (const Child& child : children_) {
      if (child.running) {
        fds.push_back({child.process.output, POLLIN, 0});
        if (child.process.pidfd >= 0) fds.push_back({child.process.pidfd, POLLIN, 0});
        if (!child.up || child.process.pidfd < 0) sleep = std::min(sleep, kReadyProbe);
      } else if (child.next) {
        const auto due = std::chrono::ceil<Milliseconds>(*child.next - now);
        sleep = std::min(sleep, std::max(due, Milliseconds(0)));
      }
    }
    for (pollfd& fd : fds) {  // a child that closed its output would wake us for ever
      const auto closed = [&](const Child& c) { return c.running && c.process.output == fd.fd; };
      const auto found = std::find_if(children_.begin(), children_.end(), closed);
      if (found == children_.end()) continue;
      pollfd probe{fd.fd, POLLIN, 0};
      if (::poll(&probe, 1, 0) > 0 && (probe.revents & POLLIN) == 0) fd.fd = -1;
    }
    ::poll(fds.data(), fds.size(), static_cast<int>(sleep.count()));
    std::uint64_t drained = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_, &drained, sizeof(drained));
  }

  bool anyone() const {
    return std::any_of(children_.begin(), children_.end(),
                       [](const Child& child) { return child.running; });
  }

  void end_all() {
    ending_ = true;
    for (const Child& child : children_) {
      if (child.running) signal(child, SIGTERM);
    }
    const SteadyTime limit = clock_.now() + grace_;
    bool killed = false;
    while (anyone()) {
      for (Child& child : children_) {
        if (!child.running) continue;
        read_output(child);
        reap(child);
      }
      if (!killed && clock_.now() >= limit) {
        killed = true;
        for (const Child& child : children_) {
          if (child.running) signal(child, SIGKILL);
        }
      }
      if (anyone()) ::poll(nullptr, 0, 10);
    }
  }

  const Clock& clock_;
  telemetry::Log& log_;
  std::function<void(ChildEvent)> sink_;
  RestartConfig restarts_;
  int wake_ = -1;
  std::vector<Child> children_;  // the thread's own
  bool ending_ = false;          // the thread's own

  std::mutex mutex_;  // commands come from any thread; rare and short
  std::vector<std::string> names_;
  std::vector<ChildSpec> added_;
  std::vector<std::string> kills_;
  bool stopping_ = false;
  Milliseconds grace_{0};

  std::mutex join_mutex_;
  std::thread thread_;
};

Supervisor::Supervisor(const Clock& clock, telemetry::Log& log,
                       std::function<void(ChildEvent)> sink, RestartConfig restarts)
    : impl_(std::make_unique<Impl>(clock, log, std::move(sink), restarts)) {}

Supervisor::~Supervisor() { stop(); }

Result<void> Supervisor::add(ChildSpec spec) { return impl_->add(std::move(spec)); }
Result<void> Supervisor::kill(const std::string& name) { return impl_->kill(name); }
void Supervisor::stop(Milliseconds grace) { impl_->stop(grace); }

}  // namespace yyc3::process
