#pragma once

// Internal to platform/process.

#include "platform/process/supervisor.hpp"

namespace yyc3::process {

struct SpawnedChild {
  int pid = -1;
  int pidfd = -1;   ///< readable when the child has ended
  int output = -1;  ///< its stdout and stderr, non-blocking
};

/// fork and execve with everything ChildSpec promises. The child ends with 127 when the program
/// cannot be executed. Errors: kUnavailable (no process, descriptor or memory).
Result<SpawnedChild> spawn_child(const ChildSpec& spec);

}  // namespace yyc3::process
