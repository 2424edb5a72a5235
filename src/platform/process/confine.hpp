#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"

namespace yyc3::process {

struct ConfinePolicy {
  std::uint64_t memory_bytes_max = 0;  ///< address space; 0: as it is
  int nice = 0;             ///< 0 to 19, for every thread; one that is nicer already stays so
  int oom_score_adj = 500;  ///< 0 to 1000: goes before the process that carries calls
  std::vector<int> cores;   ///< empty: any
};

/// Called by a worker on itself, once its libraries are loaded: from here on this process cannot
/// reach the network (no socket but AF_UNIX, no io_uring), start programs, trace, mount, load
/// kernel code, make name spaces or gain privileges; nor can what it loads. It leaves no core file.
///
/// A refused call gets EPERM (clone3 ENOSYS, so that libc falls back to clone): a library that
/// merely probes goes on, and one that needs the call fails with a message instead of a silent
/// death. The filter holds for every thread. It cannot be undone.
/// Errors: kInvalid (a number out of range), kUnavailable (the kernel refused; nothing is then
/// promised: the worker must end).
Result<void> confine(const ConfinePolicy& policy);

}  // namespace yyc3::process
