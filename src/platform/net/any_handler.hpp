#pragma once

// Internal to platform/net.

#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>

namespace yyc3::net {

/// A completion handler whose type is forgotten, with its executor and cancellation slot. What is
/// called with it is compiled once, not once for every operation above it: Beast's WebSocket
/// has many (Asio's own any_completion_handler is newer than Debian's Boost). One allocation. A
/// slot that filters (Beast's) passes every kind of cancellation on; this code base emits only
/// terminal.
template <class... Args>
class AnyHandler {
 public:
  using executor_type = boost::asio::any_io_executor;
  using cancellation_slot_type = boost::asio::cancellation_slot;

  /// @param fallback of a handler that has no executor of its own
  template <class Handler>
  AnyHandler(Handler handler, const boost::asio::any_io_executor& fallback)
      : executor_(boost::asio::get_associated_executor(handler, fallback)),
        slot_(boost::asio::get_associated_cancellation_slot(handler)),
        held_(std::make_unique<Held<Handler>>(std::move(handler))) {}

  [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }
  [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }

  void operator()(Args... args) {
    const auto held = std::move(held_);
    held->call(std::move(args)...);
  }

 private:
  struct Anything {
    virtual ~Anything() = default;
    virtual void call(Args... args) = 0;
  };
  template <class Handler>
  struct Held final : Anything {
    explicit Held(Handler&& given) : handler(std::move(given)) {}
    void call(Args... args) override { std::move(handler)(std::move(args)...); }
    Handler handler;
  };

  executor_type executor_;
  cancellation_slot_type slot_;
  std::unique_ptr<Anything> held_;
};

}  // namespace yyc3::net
