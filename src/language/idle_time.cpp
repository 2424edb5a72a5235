#include "language/idle_time.hpp"

#include <array>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace yyc3::language {

IdleTime::IdleTime() : file_(::open("/proc/stat", O_RDONLY | O_CLOEXEC)) {}

IdleTime::~IdleTime() {
  if (file_ >= 0) ::close(file_);
}

std::optional<std::chrono::nanoseconds> IdleTime::read() const {
  std::array<char, 256> line{};
  if (file_ < 0 || ::pread(file_, line.data(), line.size() - 1, 0) <= 0) return std::nullopt;
  unsigned long long idle = 0;
  unsigned long long waiting = 0;  // for a disk: nothing to do either
  if (std::sscanf(line.data(), "cpu %*u %*u %*u %llu %llu", &idle, &waiting) != 2)
    return std::nullopt;
  static const long ticks = ::sysconf(_SC_CLK_TCK);
  return std::chrono::nanoseconds{static_cast<std::int64_t>(
      (idle + waiting) * (1'000'000'000ULL / static_cast<unsigned long long>(ticks)))};
}

}  // namespace yyc3::language
