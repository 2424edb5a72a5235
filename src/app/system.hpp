#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "app/config.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "platform/net/event_loop.hpp"
#include "product/call/call_service.hpp"
#include "product/events/bus.hpp"

namespace yyc3::app {

struct SystemOptions {
  bool web = true;           ///< API and console
  bool render_ahead = true;  ///< render the flows' prompts in the background
};

/// The whole of `aicall serve`, put together by hand, top to bottom (system.cpp). Starts in the
/// constructor's order, stops in reverse.
class System {
 public:
  /// Errors: what is missing or taken, and what to do about it, in one line.
  static Result<std::unique_ptr<System>> start(const Config& config, SystemOptions options);
  /// Ends the calls politely (≤ 8 s), stores what there is to store, stops the workers.
  ~System();
  System(const System&) = delete;
  System& operator=(const System&) = delete;

  [[nodiscard]] call::CallService& calls();
  [[nodiscard]] call::CallStore& store();
  [[nodiscard]] events::Bus& bus();
  /// Runs a coroutine on the web loop and blocks until it has ended (commands, tests).
  template <class T>
  T wait_for(net::Task<T> task) {
    std::promise<T> promise;
    auto result = promise.get_future();
    web_loop().spawn(deliver(std::move(task), promise), "command");
    return result.get();
  }

  [[nodiscard]] std::string address() const;  ///< "http://127.0.0.1:8080"; empty without web
  /// One-time link into the console.
  [[nodiscard]] std::string console_link() const;
  /// What keeps calls from being complete: "hearing", "speaking"; empty when all is up.
  [[nodiscard]] std::vector<std::string> missing() const;

 private:
  struct Parts;
  explicit System(std::unique_ptr<Parts> parts);
  [[nodiscard]] net::EventLoop& web_loop();
  template <class T>
  static net::Task<void> deliver(net::Task<T> task, std::promise<T>& promise) {
    promise.set_value(co_await std::move(task));
  }

  std::unique_ptr<Parts> parts_;
};

}  // namespace yyc3::app
