#include "product/call/journal.hpp"

#include <utility>

namespace yyc3::call {

namespace {
constexpr std::size_t kJobsMax = 256;
constexpr int kTriesMax = 40;
constexpr Milliseconds kBetweenTries{500};

bool worth_another_try(ErrorCode code) {
  return code == ErrorCode::kUnavailable || code == ErrorCode::kBusy || code == ErrorCode::kTimeout;
}
}  // namespace

struct Journal::State : std::enable_shared_from_this<State> {
  struct Entry {
    storage::Job job;
    Then then;
  };

  State(storage::Database& d, net::EventLoop& l, telemetry::Log& lg)
      : database(d), loop(l), log(lg) {}

  net::Task<void> run();
  net::Task<Result<void>> commit(storage::Job job);

  storage::Database& database;
  net::EventLoop& loop;
  telemetry::Log& log;
  std::deque<Entry> entries;
  bool running = false;
  bool owned = true;
};

net::Task<Result<void>> Journal::State::commit(storage::Job job) {
  Result<void> done;
  for (int tries = 1;; ++tries) {
    done = co_await database.write(storage::Lane::kCall, job);
    if (done || !worth_another_try(done.error().code) || tries == kTriesMax) break;
    log.warn("a row of a call could not be stored, trying again",
             {{"error.message", done.error().detail}, {"yyc3.call.tries", tries}});
    co_await net::sleep_for(kBetweenTries);
  }
  if (!done && done.error().code == ErrorCode::kConflict) done = Result<void>();
  if (!done) log.error("a row of a call was lost", {{"error.message", done.error().detail}});
  co_return done;
}

net::Task<void> Journal::State::run() {
  const auto self = shared_from_this();
  while (!entries.empty()) {
    Entry entry = std::move(entries.front());
    entries.pop_front();
    Result<void> done = co_await commit(std::move(entry.job));
    if (owned && entry.then) entry.then(std::move(done));
  }
  running = false;
}

Journal::Journal(storage::Database& database, net::EventLoop& loop, telemetry::Log& log)
    : state_(std::make_shared<State>(database, loop, log)) {}

Journal::~Journal() { state_->owned = false; }

void Journal::append(storage::Job job, Then then) {
  if (state_->entries.size() >= kJobsMax) {
    state_->log.error("too many rows of a call wait for the store");
    if (then)
      state_->loop.post([then = std::move(then), state = state_] {
        if (state->owned) then(fail(ErrorCode::kBusy, "too many rows wait for the store"));
      });
    return;
  }
  state_->entries.push_back({std::move(job), std::move(then)});
  if (std::exchange(state_->running, true)) return;
  state_->loop.spawn(state_->run(), "call journal");
}

std::size_t Journal::waiting() const { return state_->entries.size(); }

}  // namespace yyc3::call
