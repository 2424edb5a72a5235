#pragma once

#include <chrono>
#include <optional>

namespace yyc3::language {

/// How long the machine's processors have had nothing to do, in all, since it started, by Linux's
/// own count (proc(5), /proc/stat), in steps of a hundredth of a second. Threads: one.
class IdleTime {
 public:
  IdleTime();
  ~IdleTime();
  IdleTime(const IdleTime&) = delete;
  IdleTime& operator=(const IdleTime&) = delete;
  /// Some 20 µs. Nothing where there is no such file.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> read() const;

 private:
  int file_;
};

}  // namespace yyc3::language
