#include "platform/process/confine.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sched.h>
#include <seccomp.h>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace yyc3::process {

namespace {

constexpr std::array kForbidden = {SCMP_SYS(execve),
                                   SCMP_SYS(execveat),
                                   SCMP_SYS(ptrace),
                                   SCMP_SYS(process_vm_readv),
                                   SCMP_SYS(process_vm_writev),
                                   SCMP_SYS(mount),
                                   SCMP_SYS(umount2),
                                   SCMP_SYS(pivot_root),
                                   SCMP_SYS(chroot),
                                   SCMP_SYS(fsopen),
                                   SCMP_SYS(fsmount),
                                   SCMP_SYS(move_mount),
                                   SCMP_SYS(open_tree),
                                   SCMP_SYS(mount_setattr),
                                   SCMP_SYS(unshare),
                                   SCMP_SYS(setns),
                                   SCMP_SYS(bpf),
                                   SCMP_SYS(perf_event_open),
                                   SCMP_SYS(userfaultfd),
                                   SCMP_SYS(io_uring_setup),
                                   SCMP_SYS(io_uring_enter),
                                   SCMP_SYS(io_uring_register),
                                   SCMP_SYS(keyctl),
                                   SCMP_SYS(add_key),
                                   SCMP_SYS(request_key),
                                   SCMP_SYS(init_module),
                                   SCMP_SYS(finit_module),
                                   SCMP_SYS(delete_module),
                                   SCMP_SYS(kexec_load),
                                   SCMP_SYS(kexec_file_load),
                                   SCMP_SYS(open_by_handle_at),
                                   SCMP_SYS(reboot),
                                   SCMP_SYS(swapon),
                                   SCMP_SYS(swapoff),
                                   SCMP_SYS(acct),
                                   SCMP_SYS(quotactl),
                                   SCMP_SYS(pidfd_getfd)};

Result<void> refused(const char* what, int error) {
  return fail(ErrorCode::kUnavailable, std::string(what) + ": " + std::strerror(error));
}

Result<void> limit(int resource, rlim_t value, const char* what) {
  const rlimit bound{value, value};
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &bound) != 0)
    return refused(what, errno);
  return {};
}

/// Linux keeps a nice value for each thread; giving up a higher one again takes a privilege.
Result<void> be_nice(int nice) {
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", error)) {
    const auto thread = static_cast<id_t>(std::atoi(task.path().filename().c_str()));
    errno = 0;
    const int now = ::getpriority(PRIO_PROCESS, thread);
    if (errno != 0 || now >= nice) continue;  // it ended meanwhile, or is nice enough
    if (::setpriority(PRIO_PROCESS, thread, nice) != 0 && errno != ESRCH)
      return refused("nice", errno);
  }
  return error ? refused("/proc/self/task", error.value()) : Result<void>();
}

Result<void> set_filter() {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(::seccomp_init(SCMP_ACT_ALLOW),
                                                                ::seccomp_release);
  if (!filter) return refused("seccomp_init", ENOMEM);
  int error = ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  for (const int call : kForbidden) {
    if (error == 0) error = ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), call, 0);
  }
  // written out: the library's SCMP_A0 is a compound literal, which C++ does not know
  const scmp_arg_cmp not_unix{0, SCMP_CMP_NE, AF_UNIX, 0};
  const scmp_arg_cmp new_user{0, SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER};
  for (const int call : {SCMP_SYS(socket), SCMP_SYS(socketpair)}) {
    if (error == 0)
      error = ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(EPERM), call, 1, &not_unix);
  }
  if (error == 0)
    error = ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                     &new_user);
  if (error == 0)  // its flags lie in memory, where no filter can look
    error = ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  if (error == 0) error = ::seccomp_load(filter.get());
  if (error != 0) return refused("seccomp", -error);
  return {};
}

}  // namespace

Result<void> confine(const ConfinePolicy& policy) {
  if (policy.nice < 0 || policy.nice > 19)
    return fail(ErrorCode::kInvalid, "confine: nice is 0 to 19");
  if (policy.oom_score_adj < 0 || policy.oom_score_adj > 1000)
    return fail(ErrorCode::kInvalid, "confine: oom_score_adj is 0 to 1000");
  cpu_set_t cores;
  CPU_ZERO(&cores);
  for (const int core : policy.cores) {
    if (core < 0 || core >= CPU_SETSIZE)
      return fail(ErrorCode::kInvalid, "confine: cores are 0 to 1023");
    CPU_SET(static_cast<std::size_t>(core), &cores);
  }
  if (!policy.cores.empty() && ::sched_setaffinity(0, sizeof(cores), &cores) != 0)
    return refused("sched_setaffinity", errno);
  if (auto nicer = be_nice(policy.nice); !nicer) return nicer;
  const std::string score = std::to_string(policy.oom_score_adj);
  const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file >= 0) {  // without /proc, or when lowering is not ours to do, it stays as it is
    [[maybe_unused]] const ssize_t written = ::write(file, score.data(), score.size());
    ::close(file);
  }
  if (auto core = limit(RLIMIT_CORE, 0, "RLIMIT_CORE"); !core) return core;
  if (policy.memory_bytes_max != 0) {
    if (auto memory = limit(RLIMIT_AS, policy.memory_bytes_max, "RLIMIT_AS"); !memory)
      return memory;
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("no_new_privs", errno);
  return set_filter();
}

}  // namespace yyc3::process
