#include "platform/net/race.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace yyc3::net {

namespace asio = boost::asio;

Race::Race(const Executor& executor) : state_(std::make_shared<State>(executor)) {}

std::size_t Race::State::done() const {
  std::size_t ended = 0;
  for (std::size_t i = 0; i < count; ++i) ended += children[i].done ? 1 : 0;
  return ended;
}

void Race::add(Task<void> work) {
  const std::size_t index = state_->count++;
  auto ended = [state = state_, index](const std::exception_ptr& failure) {
    state->children[index].done = true;
    state->children[index].failure = failure;
    state->wake.cancel();
  };
  asio::co_spawn(
      state_->wake.get_executor(), std::move(work),
      asio::bind_cancellation_slot(state_->children[index].signal.slot(), std::move(ended)));
}

Task<bool> Race::finish(std::optional<Milliseconds> limit) { return run(state_, limit); }

Task<bool> Race::run(std::shared_ptr<State> state, std::optional<Milliseconds> limit) {
  // a cancelled caller must still wait for its children: they refer to what it owns
  co_await asio::this_coro::throw_if_cancelled(false);
  if (limit) {
    state->wake.expires_after(*limit);
  } else {
    state->wake.expires_at(SteadyTime::max());
  }
  bool timed_out = false;
  bool cancelled = false;
  while (state->done() == 0 && !timed_out && !cancelled) {
    const auto [error] = co_await state->wake.async_wait(asio::as_tuple(asio::use_awaitable));
    timed_out = !error && state->done() == 0;
    const asio::cancellation_state own = co_await asio::this_coro::cancellation_state;
    cancelled = own.cancelled() != asio::cancellation_type::none;
  }
  for (std::size_t i = 0; i < state->count; ++i) {
    if (!state->children[i].done) state->children[i].signal.emit(asio::cancellation_type::terminal);
  }
  state->wake.expires_at(SteadyTime::max());
  while (state->done() < state->count)
    co_await state->wake.async_wait(asio::as_tuple(asio::use_awaitable));
  co_await asio::this_coro::throw_if_cancelled(true);
  co_return timed_out;
}

std::exception_ptr Race::failure(std::size_t index) const {
  return state_->children[index].failure;
}

}  // namespace yyc3::net
