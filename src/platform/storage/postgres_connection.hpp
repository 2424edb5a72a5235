#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "platform/storage/database.hpp"

struct pg_conn;
struct pg_result;

namespace yyc3::storage {

/// When to try again what failed: 0.2 s later, then twice that each time, up to 5 s.
class Backoff {
 public:
  [[nodiscard]] bool waits(SteadyTime now) const { return now < next_; }
  void failed(SteadyTime now) {
    next_ = now + step_;
    step_ = std::min(step_ * 2, Milliseconds{5'000});
  }
  void reset() { *this = Backoff(); }

 private:
  SteadyTime next_{};
  Milliseconds step_{200};
};

/// One libpq connection. Threads: one at a time.
class PostgresConnection final : public Connection {
 public:
  PostgresConnection(std::string text, const Limits& limits, const Clock& clock)
      : text_(std::move(text)), limits_(limits), clock_(clock) {}
  ~PostgresConnection() override { close(); }
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  Result<Rows> query(std::string_view sql, std::span<const Value> args) override;
  Result<std::int64_t> exec(std::string_view sql, std::span<const Value> args) override;
  Result<void> script(std::string_view sql) override;
  [[nodiscard]] Dialect dialect() const override { return Dialect::kPostgres; }

  /// Errors: kUnavailable; the text names no password.
  Result<void> connect();
  void close();
  [[nodiscard]] bool connected() const { return connection_ != nullptr; }
  /// The same after a look at the socket, between statements: an idle server says nothing but that
  /// it ends the session, so whatever arrived is answered by a question.
  [[nodiscard]] bool still_there();
  /// BEGIN, COMMIT and the like: not counted as the job's. Gives the server's answer ("COMMIT").
  Result<std::string> control(const char* sql);

  /// Starts a job: forgets the error of the last one.
  void reset() {
    failed_.reset();
    again_ = false;
  }
  [[nodiscard]] const std::optional<Error>& failed() const { return failed_; }
  /// True when the server asked to run the transaction again (deadlock, serialisation).
  [[nodiscard]] bool again() const { return again_; }

 private:
  struct Free {
    void operator()(pg_result* result) const;
  };
  using Answer = std::unique_ptr<pg_result, Free>;

  Result<Answer> ask(std::string_view sql, std::span<const Value> args);
  Result<void> send(const std::string& sql, std::span<const Value> args);
  Result<Answer> receive();
  Result<void> wait_readable(SteadyTime until);
  tl::unexpected<Error> lost(ErrorCode code, const char* why);
  Error error_of(const pg_result* result);
  template <class T>
  Result<T> noted(Result<T> result);

  const std::string text_;
  const Limits limits_;
  const Clock& clock_;
  pg_conn* connection_ = nullptr;
  std::optional<Error> failed_;
  bool again_ = false;
};

/// `text` unless it is no connection string. Errors: kInvalid, without quoting it.
Result<void> check_connection_string(const std::string& text);

}  // namespace yyc3::storage
