#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "platform/telemetry/log.hpp"

namespace yyc3::net {

/// A coroutine of this house. It runs on one executor (an EventLoop's thread) from start to end.
///
/// Cancellation: whoever waits may cancel; the innermost wait (sleep, socket, Signal) then throws
/// boost::system::system_error(operation_aborted), which unwinds the coroutine. Let it pass
/// through. g++ 12 frees coroutine temporaries twice: name every aggregate and every capturing
/// lambda before the co_await.
template <class T>
using Task = boost::asio::awaitable<T>;

using Executor = boost::asio::any_io_executor;

/// The executor that the calling coroutine runs on.
Task<Executor> this_executor();

Task<void> sleep_for(Milliseconds delay);
Task<void> sleep_until(SteadyTime when);

/// A wake-up between a coroutine and anyone. Remembers one notification, as an auto-reset event
/// does: `notify` before `wait` makes that `wait` return at once. One waiter at a time.
/// Threads: `notify` any; `wait` on the executor.
class Signal {
 public:
  explicit Signal(const Executor& executor);
  void notify();
  Task<void> wait();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// A running task that can be cancelled. Dropping the handle lets the task run on.
class Spawned {
 public:
  Spawned() = default;
  /// Threads: any; the task sees it soon after, on its own executor. Harmless when it has ended.
  void cancel() const;
  [[nodiscard]] bool done() const;  ///< true when it has ended, or was never started

 private:
  friend Spawned spawn(const Executor&, Task<void>, telemetry::Log&, std::string);
  struct State;
  std::shared_ptr<State> state_;
};

/// Starts `work` on `executor`. An exception other than a cancellation is logged under `what`.
/// Objects that `work` refers to must outlive it. Threads: any.
Spawned spawn(const Executor& executor, Task<void> work, telemetry::Log& log, std::string what);

namespace detail {

/// False when `limit` passed before `work` had ended; it was then cancelled, and what it threw is
/// dropped. Else an exception of `work` passes through. Throws when the caller is cancelled.
Task<bool> finish_within(Task<void> work, Milliseconds limit);

template <class T>
Task<void> store(Task<T> work, std::optional<T>& out) {
  out.emplace(co_await std::move(work));
}

template <class T>
struct Unwrapped {
  using Type = T;
};
template <class T>
struct Unwrapped<Result<T>> {
  using Type = T;
};

template <class T>
bool is_success(const std::optional<T>& value) {
  return value.has_value();
}
template <class T>
bool is_success(const std::optional<Result<T>>& value) {
  return value && value->has_value();
}

template <class T>
struct CallbackState {
  explicit CallbackState(const Executor& executor) : ready(executor) {}
  std::mutex mutex;  // the callback may come from a thread without a loop (db, Sofia, media)
  std::optional<T> value;
  std::optional<Signal> ready;  ///< ends with the wait: the callback may outlive the loop
};

template <class T>
struct CallbackWait {
  ~CallbackWait() {
    const std::lock_guard lock(state->mutex);
    state->ready.reset();
  }
  std::shared_ptr<CallbackState<T>> state;
};

}  // namespace detail

/// `work`, cancelled after `limit`. Errors: kTimeout then. A Task<Result<T>> gives Result<T>.
template <class T>
Task<Result<typename detail::Unwrapped<T>::Type>> with_deadline(Task<T> work, Milliseconds limit) {
  if constexpr (std::is_void_v<T>) {
    const bool in_time = co_await detail::finish_within(std::move(work), limit);
    if (!in_time) co_return fail(ErrorCode::kTimeout, "deadline passed");
    co_return Result<void>();
  } else {
    std::optional<T> value;
    Task<void> stored = detail::store(std::move(work), value);
    const bool in_time = co_await detail::finish_within(std::move(stored), limit);
    // work that was cancelled may still give a value: an error, or a success that came too late
    if (!in_time && !detail::is_success(value))
      co_return fail(ErrorCode::kTimeout, "deadline passed");
    co_return std::move(*value);
  }
}

/// Bridges a callback API: calls `start(done)` and waits until `done(value)` is called, once, by
/// any thread. The coroutine goes on on its own executor. Cancelling stops the wait, not the work:
/// a later `done` is then harmless, also when the loop is gone. `done` must be called in the end,
/// or the wait never ends.
template <class T>
Task<T> await_callback(std::function<void(std::function<void(T)>)> start) {
  const Executor executor = co_await this_executor();
  const auto state = std::make_shared<detail::CallbackState<T>>(executor);
  const detail::CallbackWait<T> wait{state};
  const std::function<void(T)> done = [state](T value) {
    const std::lock_guard lock(state->mutex);
    if (!state->value) state->value.emplace(std::move(value));
    if (state->ready) state->ready->notify();
  };
  start(done);
  co_await state->ready->wait();
  const std::lock_guard lock(state->mutex);
  co_return std::move(*state->value);
}

}  // namespace yyc3::net
