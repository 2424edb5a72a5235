#include "platform/process/spawn.hpp"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace yyc3::process {

namespace {

/// Everything the child needs, made before fork(): after it, in a process that had threads, only
/// async-signal-safe calls are allowed, so no memory may be allocated.
struct Prepared {
  std::vector<char*> argv;
  std::vector<char*> env;
  std::string oom;
  cpu_set_t cores;
  bool pin = false;
  int nice = 0;
  rlim_t memory = 0;
  int output = -1;
  pid_t parent = 0;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

void write_oom(const std::string& value) {
  const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;  // no /proc: nothing to lose
  [[maybe_unused]] const ssize_t written = ::write(file, value.data(), value.size());
  ::close(file);
}

[[noreturn]] void become(const Prepared& p) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != p.parent) ::_exit(126);  // the parent died before the line above
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(p.output, 1) < 0 || ::dup2(p.output, 2) < 0)
    ::_exit(126);
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
  if (p.pin) ::sched_setaffinity(0, sizeof(p.cores), &p.cores);
  ::setpriority(PRIO_PROCESS, 0, p.nice);
  write_oom(p.oom);
  if (p.memory != 0) {
    const rlimit limit{p.memory, p.memory};
    ::setrlimit(RLIMIT_AS, &limit);
  }
  const rlimit no_core{0, 0};  // a core file would hold customers' words
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::execve(p.argv[0], p.argv.data(), p.env.data());
  ::_exit(127);
}

}  // namespace

Result<SpawnedChild> spawn_child(const ChildSpec& spec) {
  Prepared p;
  p.argv = pointers(spec.argv);
  p.env = pointers(spec.env);
  p.oom = std::to_string(spec.oom_score_adj);
  p.nice = spec.nice;
  p.memory = spec.memory_bytes_max;
  p.parent = ::getpid();
  p.pin = !spec.cores.empty();
  CPU_ZERO(&p.cores);
  for (const int core : spec.cores) CPU_SET(static_cast<std::size_t>(core), &p.cores);
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0)
    return fail(ErrorCode::kUnavailable, std::string("pipe: ") + std::strerror(errno));
  p.output = pipe[1];
  const pid_t pid = ::fork();
  if (pid == 0) become(p);
  ::close(pipe[1]);
  if (pid < 0) {
    ::close(pipe[0]);
    return fail(ErrorCode::kUnavailable, std::string("fork: ") + std::strerror(errno));
  }
  ::setpgid(pid, pid);  // whoever of the two is first
  ::fcntl(pipe[0], F_SETFL, O_NONBLOCK);
  SpawnedChild child;
  child.pid = pid;
  child.pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U));
  child.output = pipe[0];
  return child;
}

}  // namespace yyc3::process
