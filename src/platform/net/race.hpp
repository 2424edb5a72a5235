#pragma once

// Internal to platform/net.

#include <array>
#include <exception>
#include <memory>
#include <optional>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>

#include "platform/net/task.hpp"

namespace yyc3::net {

/// Runs one or two tasks side by side until the first ends, time is up or the caller is cancelled;
/// then cancels what still runs and waits for it, so that nothing outlives the race.
/// Not Asio's parallel_group: g++ 12 destroys the tasks stored in it twice.
class Race {
 public:
  explicit Race(const Executor& executor);
  /// One task each, at most two, all before `finish`.
  void add(Task<void> work);
  /// True when time was up before any task had ended.
  Task<bool> finish(std::optional<Milliseconds> limit);
  /// What a task threw; after `finish`.
  [[nodiscard]] std::exception_ptr failure(std::size_t index) const;

 private:
  struct Child {
    boost::asio::cancellation_signal signal;
    bool done = false;
    std::exception_ptr failure;
  };
  struct State {
    explicit State(const Executor& executor) : wake(executor) {}
    boost::asio::steady_timer wake;  // cancelled when a child ends
    std::array<Child, 2> children;
    std::size_t count = 0;
    [[nodiscard]] std::size_t done() const;
  };
  static Task<bool> run(std::shared_ptr<State> state, std::optional<Milliseconds> limit);

  std::shared_ptr<State> state_;
};

}  // namespace yyc3::net
