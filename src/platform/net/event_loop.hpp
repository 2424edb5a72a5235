#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "platform/net/task.hpp"

namespace yyc3::net {

/// One thread with one Asio loop: a call loop, a web loop. Everything that runs on it runs one
/// piece after another, so state that lives on a loop needs no lock.
class EventLoop {
 public:
  /// Starts the thread. `name` is cut at 15 bytes by Linux.
  /// @param post_limit functions waiting in `post`, at most; 1 or more.
  EventLoop(const std::string& name, telemetry::Log& log, std::size_t post_limit = 65'536);
  /// stop() and join(). Coroutines still suspended are destroyed here: what they refer to must
  /// still live.
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  [[nodiscard]] Executor executor() const;

  /// Runs `f` on the loop, later. False (and counted) when `post_limit` wait, or after stop().
  /// What `f` throws is logged. Threads: any.
  bool post(std::function<void()> f);
  /// Starts a coroutine on the loop. Threads: any.
  Spawned spawn(Task<void> work, std::string what);

  /// Ends the loop after the piece that runs now. Threads: any.
  void stop();
  /// Waits for the thread. Not from the loop itself.
  void join();

  [[nodiscard]] bool on_thread() const;
  [[nodiscard]] std::size_t posts_waiting() const;
  [[nodiscard]] std::uint64_t posts_refused() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yyc3::net
