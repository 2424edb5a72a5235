#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace yyc3::peers {

using Milliseconds = std::chrono::milliseconds;

/// A folder of one test, gone with the object. YYC3_KEEP_PEERS=1 keeps it for reading.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A port free for UDP and TCP on 127.0.0.1 just now, with `span` - 1 free ones behind it.
/// Throws std::runtime_error when 200 tries find none.
std::uint16_t free_port(std::uint16_t span = 1);

std::string read_file(const std::filesystem::path& path);  ///< empty when absent
void write_file(const std::filesystem::path& path, std::string_view text);

/// Waits until `done()`; false after `limit`. Looks every 10 ms.
template <class F>
bool eventually(F done, Milliseconds limit);
/// Until the file holds `text`, at or behind byte `from`.
bool wait_for_text(const std::filesystem::path& path, std::string_view text, Milliseconds limit,
                   std::size_t from = 0);

/// Another program, started by a test and stopped by its pid.
class Child {
 public:
  /// Runs `argv` in `dir`, input from /dev/null, both outputs to `log`. Throws when it cannot
  /// start.
  Child(const std::vector<std::string>& argv, const std::filesystem::path& dir,
        const std::filesystem::path& log);
  ~Child();  ///< stop()
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] bool running();
  /// Exit status (128 + signal when killed); nullopt when it still runs after `limit`.
  std::optional<int> wait(Milliseconds limit);
  /// SIGTERM, after `grace` SIGKILL. Returns the exit status.
  int stop(Milliseconds grace = Milliseconds{2'000});

 private:
  int pid_ = -1;
  std::optional<int> status_;
};

void sleep_ms(int ms);

template <class F>
bool eventually(F done, Milliseconds limit) {
  for (Milliseconds waited{0}; waited <= limit; waited += Milliseconds{10}) {
    if (done()) return true;
    sleep_ms(10);
  }
  return done();
}

}  // namespace yyc3::peers
