#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "platform/net/task.hpp"

namespace yyc3::net {

/// A bounded queue of messages to one coroutine (a call, a connection).
/// Drop rule: `push` refuses when `bound` messages wait, and the sender decides.
/// Threads: `push` and `close` any; `pop` by one coroutine on the executor.
template <class T>
class Mailbox {
 public:
  Mailbox(const Executor& executor, std::size_t bound)
      : state_(std::make_shared<State>(executor, bound)) {}

  /// False when full or closed; the message is then lost to the queue.
  bool push(T message) {
    {
      const std::lock_guard lock(state_->mutex);
      if (state_->closed || state_->queue.size() >= state_->bound) return false;
      state_->queue.push_back(std::move(message));
    }
    state_->signal.notify();
    return true;
  }

  /// No more messages are taken; those that wait are still delivered.
  void close() {
    {
      const std::lock_guard lock(state_->mutex);
      state_->closed = true;
    }
    state_->signal.notify();
  }

  /// The next message; nullopt once closed and empty.
  Task<std::optional<T>> pop() {
    const auto state = state_;
    while (true) {
      {
        const std::lock_guard lock(state->mutex);
        if (!state->queue.empty()) {
          std::optional<T> message(std::move(state->queue.front()));
          state->queue.pop_front();
          co_return message;
        }
        if (state->closed) co_return std::nullopt;
      }
      co_await state->signal.wait();
    }
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(state_->mutex);
    return state_->queue.size();
  }

 private:
  struct State {
    State(const Executor& executor, std::size_t limit) : bound(limit), signal(executor) {}
    std::mutex mutex;
    std::deque<T> queue;
    const std::size_t bound;
    bool closed = false;
    Signal signal;
  };
  std::shared_ptr<State> state_;
};

}  // namespace yyc3::net
