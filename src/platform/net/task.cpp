#include "platform/net/task.hpp"

#include <atomic>
#include <exception>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "platform/net/race.hpp"

namespace yyc3::net {

namespace asio = boost::asio;

Task<Executor> this_executor() {
  Executor executor = co_await asio::this_coro::executor;
  co_return executor;
}

Task<void> sleep_for(Milliseconds delay) {
  asio::steady_timer timer(co_await asio::this_coro::executor, delay);
  co_await timer.async_wait(asio::use_awaitable);
}

Task<void> sleep_until(SteadyTime when) {
  asio::steady_timer timer(co_await asio::this_coro::executor, when);
  co_await timer.async_wait(asio::use_awaitable);
}

struct Signal::State {
  explicit State(const Executor& executor) : timer(executor) {}
  std::atomic<bool> set{false};
  asio::steady_timer timer;  // its executor's thread alone touches it
};

Signal::Signal(const Executor& executor) : state_(std::make_shared<State>(executor)) {}

void Signal::notify() {
  if (state_->set.exchange(true)) return;  // the wake-up of the earlier one is still to come
  asio::post(state_->timer.get_executor(), [state = state_] { state->timer.cancel(); });
}

Task<void> Signal::wait() {
  const auto state = state_;
  // a cancelled coroutine throws at the next co_await, which ends this loop too
  while (!state->set.exchange(false)) {
    state->timer.expires_at(SteadyTime::max());
    co_await state->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

struct Spawned::State {
  explicit State(Executor on) : executor(std::move(on)) {}
  Executor executor;
  std::atomic<bool> done{false};
  asio::cancellation_signal signal;  // the executor's thread alone emits
};

void Spawned::cancel() const {
  if (!state_ || state_->done) return;
  asio::post(state_->executor, [state = state_] {
    if (!state->done) state->signal.emit(asio::cancellation_type::terminal);
  });
}

bool Spawned::done() const { return !state_ || state_->done; }

Spawned spawn(const Executor& executor, Task<void> work, telemetry::Log& log, std::string what) {
  Spawned spawned;
  spawned.state_ = std::make_shared<Spawned::State>(executor);
  auto ended = [state = spawned.state_, &log,
                what = std::move(what)](const std::exception_ptr& error) {
    state->done = true;
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const boost::system::system_error& e) {
      if (e.code() != asio::error::operation_aborted)
        log.error("task failed", {{"yyc3.net.task", what}, {"error.message", e.what()}});
    } catch (const std::exception& e) {
      log.error("task failed", {{"yyc3.net.task", what}, {"error.message", e.what()}});
    } catch (...) {
      log.error("task failed", {{"yyc3.net.task", what}, {"error.message", "unknown exception"}});
    }
  };
  asio::co_spawn(executor, std::move(work),
                 asio::bind_cancellation_slot(spawned.state_->signal.slot(), std::move(ended)));
  return spawned;
}

namespace detail {

Task<bool> finish_within(Task<void> work, Milliseconds limit) {
  const Executor executor = co_await asio::this_coro::executor;
  Race race(executor);
  race.add(std::move(work));
  const bool timed_out = co_await race.finish(limit);
  const asio::cancellation_state own = co_await asio::this_coro::cancellation_state;
  if (own.cancelled() != asio::cancellation_type::none)
    throw boost::system::system_error(asio::error::operation_aborted);
  if (timed_out) co_return false;
  const std::exception_ptr failure = race.failure(0);
  if (failure) std::rethrow_exception(failure);
  co_return true;
}

}  // namespace detail

}  // namespace yyc3::net
