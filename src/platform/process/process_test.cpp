#include <arpa/inet.h>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sched.h>
#include <sstream>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "platform/process/confine.hpp"
#include "platform/process/restart_policy.hpp"
#include "platform/process/supervisor.hpp"

using namespace yyc3;
using namespace yyc3::process;
using namespace std::chrono_literals;

namespace {

struct TempDir {
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "yyc3-proc-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

template <class F>
bool eventually(F done) {
  for (int i = 0; i < 4000; ++i) {
    if (done()) return true;
    ::usleep(5000);
  }
  return false;
}

/// What a sink has been told.
class Events {
 public:
  void take(ChildEvent event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  [[nodiscard]] int count(ChildState state) const {
    const std::lock_guard lock(mutex_);
    int n = 0;
    for (const ChildEvent& event : events_) n += event.state == state ? 1 : 0;
    return n;
  }
  [[nodiscard]] ChildEvent last(ChildState state) const {
    const std::lock_guard lock(mutex_);
    ChildEvent found;
    for (const ChildEvent& event : events_) {
      if (event.state == state) found = event;
    }
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<ChildEvent> events_;
};

ChildSpec shell(const std::string& name, const std::string& script) {
  ChildSpec spec;
  spec.name = name;
  spec.argv = {"/bin/sh", "-c", script};
  spec.env = {"PATH=/usr/bin:/bin"};
  return spec;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

RestartConfig quick() {
  RestartConfig config;
  config.delay_first = 5ms;
  config.delay_max = 20ms;
  return config;
}

struct Fixture {
  explicit Fixture(RestartConfig config = quick())
      : supervisor(clock, log, [this](ChildEvent e) { events.take(std::move(e)); }, config) {}
  SystemClock clock;
  telemetry::NullLog log;
  Events events;
  Supervisor supervisor;
};

/// Runs `body` in a child process of its own; gives its exit status, or -signal.
template <class F>
int in_child(F body) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) ::_exit(body());
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("restart policy: doubling delays, degraded after five deaths in a minute, and recovery") {
  RestartPolicy policy({});
  SteadyTime now{};
  const Milliseconds expected[] = {200ms, 400ms, 800ms, 1600ms};
  for (const Milliseconds delay : expected) {
    const auto decision = policy.on_death(now += 1s);
    CHECK(decision.delay == delay);
    CHECK_FALSE(decision.degraded);
  }
  for (int i = 0; i < 3; ++i) {
    const auto decision = policy.on_death(now += 1s);
    CHECK(decision.degraded);
    CHECK(decision.delay == 10s);
  }
  const auto later = policy.on_death(now + 61s);
  CHECK_FALSE(later.degraded);
  CHECK(later.delay == 200ms);
}

TEST_CASE("a child that crashes again and again is started again, then degraded, and still tried") {
  Fixture fixture;
  REQUIRE(fixture.supervisor.add(shell("crash", "exit 3")));
  CHECK(eventually([&] { return fixture.events.count(ChildState::kDegraded) >= 2; }));
  CHECK(fixture.events.count(ChildState::kDown) == 4);
  CHECK(fixture.events.last(ChildState::kDown).reason == "exit 3");
  CHECK(fixture.events.last(ChildState::kDegraded).name == "crash");
  const int started = fixture.events.count(ChildState::kStarting);
  CHECK(eventually([&] { return fixture.events.count(ChildState::kStarting) > started; }));
}

TEST_CASE("a stopped (hanging) child is killed with all its own children, and replaced") {
  const TempDir dir;
  Fixture fixture;
  const std::string file = dir.path / "inner";
  REQUIRE(fixture.supervisor.add(shell("hang", "sleep 1000 & echo $! > " + file + "; wait")));
  REQUIRE(eventually([&] { return text_of(file).ends_with("\n"); }));
  REQUIRE(eventually([&] { return fixture.events.count(ChildState::kUp) == 1; }));
  const pid_t inner = std::stoi(text_of(file));
  const int pid = fixture.events.last(ChildState::kUp).pid;
  REQUIRE(::kill(pid, SIGSTOP) == 0);
  REQUIRE(fixture.supervisor.kill("hang"));
  CHECK(eventually([&] { return fixture.events.count(ChildState::kUp) == 2; }));
  CHECK(fixture.events.last(ChildState::kDown).reason == "signal 9");
  CHECK(fixture.events.last(ChildState::kUp).pid != pid);
  // gone, or a zombie that its new parent has not yet taken
  CHECK(eventually([&] {
    const std::string stat = text_of("/proc/" + std::to_string(inner) + "/stat");
    return stat.empty() || stat.find(") Z ") != std::string::npos;
  }));
  CHECK(fixture.supervisor.kill("nobody").error().code == ErrorCode::kNotFound);
}

TEST_CASE("a child gets its own environment and group, no foreign descriptor, and nice") {
  const TempDir dir;
  const int ours = ::open("/dev/null", O_RDONLY);  // without CLOEXEC, as a careless library does
  REQUIRE(ours >= 0);
  Fixture fixture;
  const std::string file = dir.path / "out";
  ChildSpec spec =
      shell("look", "ls /proc/self/fd | tr '\\n' ' ' > " + file + "; echo $SECRET-$OWN >> " + file +
                        "; nice >> " + file + "; ulimit -c >> " + file + "; echo done >> " + file +
                        "; exec sleep 1000");
  spec.env.emplace_back("OWN=yes");
  spec.nice = 7;
  ::setenv("SECRET", "leaked", 1);
  REQUIRE(fixture.supervisor.add(spec));
  REQUIRE(eventually([&] { return text_of(file).ends_with("done\n"); }));
  CHECK(text_of(file) == "0 1 2 3 -yes\n7\n0\ndone\n");  // 3 is the listing itself
  REQUIRE(eventually([&] { return fixture.events.count(ChildState::kUp) == 1; }));
  const int pid = fixture.events.last(ChildState::kUp).pid;
  CHECK(::getpgid(pid) == pid);
  ::close(ours);
  ::unsetenv("SECRET");
}

TEST_CASE("up only when its socket accepts; one that never does is killed") {
  const TempDir dir;
  Fixture fixture;
  ChildSpec spec = shell("server", "exec sleep 1000");
  spec.ready_socket = dir.path / "s";
  REQUIRE(fixture.supervisor.add(spec));
  REQUIRE(eventually([&] { return fixture.events.count(ChildState::kStarting) == 1; }));
  CHECK(fixture.events.count(ChildState::kUp) == 0);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, spec.ready_socket.c_str(), spec.ready_socket.size());
  REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  REQUIRE(::listen(listener, 5) == 0);
  CHECK(eventually([&] { return fixture.events.count(ChildState::kUp) == 1; }));
  ::close(listener);

  ChildSpec deaf = shell("deaf", "exec sleep 1000");
  deaf.ready_socket = dir.path / "never";
  deaf.ready_timeout = 50ms;
  REQUIRE(fixture.supervisor.add(deaf));
  CHECK(eventually([&] { return fixture.events.count(ChildState::kDown) >= 1; }));
  CHECK(fixture.events.last(ChildState::kDown).reason == "not ready in time");
}

TEST_CASE("what a child says goes to the log; a program that is not there is named as such") {
  const TempDir dir;
  const SystemClock clock;
  telemetry::Log log(clock);
  REQUIRE(log.open_file(dir.path / "log"));
  Events events;
  Supervisor supervisor(clock, log, [&](ChildEvent e) { events.take(std::move(e)); }, quick());
  REQUIRE(supervisor.add(shell("talker", "echo to stderr >&2; echo to stdout; exec sleep 1000")));
  CHECK(eventually([&] {
    const std::string text = text_of(dir.path / "log");
    return text.find("to stderr") != std::string::npos &&
           text.find("to stdout") != std::string::npos;
  }));
  REQUIRE(supervisor.add(shell(
      "warner", R"(for i in 1 2; do echo '{"log.level":"warn","message":"no model",)"
                R"("error.message":"x.onnx is missing"}'; done; echo after; exec sleep 1000)")));
  CHECK(eventually([&] { return text_of(dir.path / "log").find("after") != std::string::npos; }));
  const std::string said = text_of(dir.path / "log");
  const auto warning = said.find("no model: x.onnx is missing");
  REQUIRE(warning != std::string::npos);
  CHECK(said.rfind("\"warn\"", warning) > said.rfind('\n', warning));  // on the same line
  CHECK(said.find("no model", warning + 1) == std::string::npos);      // told once
  ChildSpec missing;
  missing.name = "missing";
  missing.argv = {"/nonexistent/program"};
  REQUIRE(supervisor.add(missing));
  CHECK(eventually([&] {
    return events.last(ChildState::kDown).reason.find("cannot be executed") != std::string::npos;
  }));
}

TEST_CASE("stop: SIGTERM first, SIGKILL for the deaf, and nobody is left") {
  const TempDir dir;
  const std::string file = dir.path / "bye";
  const std::string ready = dir.path / "ready";
  int polite = 0;
  int deaf = 0;
  {
    Fixture fixture;
    REQUIRE(fixture.supervisor.add(shell("polite", "trap 'echo bye > " + file +
                                                       "; exit 0' TERM; touch " + ready +
                                                       "1; while true; do sleep 0.01; done")));
    REQUIRE(fixture.supervisor.add(
        shell("deaf", "trap '' TERM; touch " + ready + "2; while true; do sleep 0.01; done")));
    REQUIRE(eventually([&] {
      return std::filesystem::exists(ready + "1") && std::filesystem::exists(ready + "2");
    }));
    fixture.supervisor.stop(300ms);
    CHECK(fixture.events.count(ChildState::kStopped) == 2);
    CHECK(fixture.events.count(ChildState::kDown) == 0);
    polite = fixture.events.last(ChildState::kStarting).pid;
    deaf = fixture.events.last(ChildState::kStopped).pid;
    CHECK_FALSE(fixture.supervisor.add(shell("late", "true")));
  }
  CHECK(text_of(file) == "bye\n");
  CHECK(::kill(polite, 0) != 0);
  CHECK(::kill(deaf, 0) != 0);
}

TEST_CASE("add refuses bad children, naming the field") {
  Fixture fixture;
  CHECK_FALSE(fixture.supervisor.add({}));
  ChildSpec relative = shell("a", "true");
  relative.argv[0] = "sh";
  CHECK(fixture.supervisor.add(relative).error().code == ErrorCode::kInvalid);
  ChildSpec nice = shell("a", "true");
  nice.nice = 20;
  CHECK(fixture.supervisor.add(nice).error().code == ErrorCode::kInvalid);
  REQUIRE(fixture.supervisor.add(shell("a", "exec sleep 1000")));
  CHECK(fixture.supervisor.add(shell("a", "true")).error().code == ErrorCode::kBusy);
}

TEST_CASE("a confined process reaches no network, starts no program, traces nobody") {
  CHECK(in_child([] {
          // the same calls work before: the test is not blind
          const int before = ::socket(AF_INET, SOCK_STREAM, 0);
          if (before < 0) return 1;
          ::close(before);
          if (!confine({})) return 2;
          const int families[] = {AF_INET, AF_INET6, AF_PACKET, AF_NETLINK};
          for (const int family : families) {
            if (::socket(family, SOCK_DGRAM, 0) >= 0 || errno != EPERM) return 3;
          }
          const int local = ::socket(AF_UNIX, SOCK_STREAM, 0);
          if (local < 0) return 4;
          const char* const argv[] = {"/bin/true", nullptr};
          ::execv(argv[0], const_cast<char**>(argv));
          if (errno != EPERM) return 5;
          if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != -1 || errno != EPERM) return 6;
          if (::unshare(CLONE_NEWUSER) != -1 || errno != EPERM) return 7;
          if (::setpriority(PRIO_PROCESS, 0, 1) != 0) return 8;
          rlimit core{};
          ::getrlimit(RLIMIT_CORE, &core);
          if (core.rlim_max != 0) return 9;
          return 0;
        }) == 0);
}

TEST_CASE("confine holds for threads begun before and after it, which still may begin") {
  CHECK(in_child([] {
          std::atomic<int> phase{0};
          std::atomic<int> inet{0};
          std::thread early([&] {
            while (phase == 0) ::usleep(1000);
            inet += ::socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 1 : 0;
          });
          if (!confine({})) return 1;
          phase = 1;
          early.join();
          std::thread late([&] { inet += ::socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 1 : 0; });
          late.join();
          return inet == 0 ? 0 : 2;
        }) == 0);
}

TEST_CASE("confine makes every thread nice, and none less nice than it was") {
  CHECK(in_child([] {
          std::atomic<int> tid{0};
          std::atomic<bool> over{false};
          std::thread early([&] {
            ::setpriority(PRIO_PROCESS, 0, 12);
            tid = ::gettid();
            while (!over) ::usleep(1000);
          });
          while (tid == 0) ::usleep(1000);
          ConfinePolicy policy;
          policy.nice = 7;
          const bool confined = confine(policy).has_value();
          const int nicer = ::getpriority(PRIO_PROCESS, static_cast<id_t>(tid.load()));
          over = true;
          early.join();
          if (!confined) return 1;
          if (nicer != 12) return 2;
          return ::getpriority(PRIO_PROCESS, 0) == 7 ? 0 : 3;
        }) == 0);
}

TEST_CASE("confine refuses nonsense before it does anything") {
  ConfinePolicy nice;
  nice.nice = -1;
  CHECK(confine(nice).error().code == ErrorCode::kInvalid);
  ConfinePolicy cores;
  cores.cores = {-1};
  CHECK(confine(cores).error().code == ErrorCode::kInvalid);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they reserve terabytes
TEST_CASE("the memory limit holds") {
  CHECK(in_child([] {
          ConfinePolicy policy;
          policy.memory_bytes_max = 512u << 20;
          if (!confine(policy)) return 1;
          void* const big =
              ::mmap(nullptr, 1u << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
          return big == MAP_FAILED ? 0 : 2;
        }) == 0);
}
#endif
