#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "base/result.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/storage/database.hpp"
#include "platform/telemetry/log.hpp"

namespace yyc3::call {

/// The rows of one call, committed one job after another, in order. A job that failed because the
/// store was away, full or busy is tried again; a row that is already there is not an error (the
/// commit had succeeded although the connection broke).
///
/// Bounds: 256 jobs wait, 40 tries half a second apart. Beyond either the job is given up: logged
/// and told as its error, and the call is ended politely by its session.
/// Threads: the call's loop; `then` is called there, never from inside `append`.
class Journal {
 public:
  using Then = std::function<void(Result<void>)>;

  Journal(storage::Database& database, net::EventLoop& loop, telemetry::Log& log);
  /// Jobs that wait are still written; their `then` is not called any more.
  ~Journal();

  void append(storage::Job job, Then then = {});
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace yyc3::call
