#include "platform/storage/job_queue.hpp"

#include <cmath>
#include <exception>

namespace yyc3::storage {

Result<void> JobQueue::push(Lane lane, Pending& pending) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return fail(ErrorCode::kUnavailable, "the database is stopped");
    auto& queue = lanes_[static_cast<std::size_t>(lane)];
    if (queue.size() >= limit_)
      return fail(ErrorCode::kBusy, "too many database jobs wait: try again later");
    queue.push_back(std::move(pending));
  }
  ready_.notify_one();
  return {};
}

std::optional<Pending> JobQueue::take() {
  for (auto& queue : lanes_) {
    if (queue.empty()) continue;
    std::optional<Pending> next(std::move(queue.front()));
    queue.pop_front();
    return next;
  }
  return std::nullopt;
}

std::optional<Pending> JobQueue::pop() {
  std::unique_lock lock(mutex_);
  while (true) {
    std::optional<Pending> next = take();
    if (next || closed_) return next;
    ready_.wait(lock);
  }
}

std::optional<Pending> JobQueue::try_pop() {
  const std::lock_guard lock(mutex_);
  return take();
}

void JobQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  ready_.notify_all();
}

Result<void> run_guarded(const Job& job, Connection& connection) {
  try {
    return job(connection);
  } catch (const std::exception& error) {
    return fail(ErrorCode::kInternal, std::string("a database job threw: ") + error.what());
  } catch (...) {
    return fail(ErrorCode::kInternal, "a database job threw");
  }
}

Result<void> check_value(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value.data())) {
    if (text->find('\0') != std::string::npos)
      return fail(ErrorCode::kInvalid, "text for the database holds a NUL");
    if (!is_utf8(*text)) return fail(ErrorCode::kInvalid, "text for the database is not UTF-8");
  }
  const auto* real = std::get_if<double>(&value.data());
  if (real != nullptr && std::isnan(*real))
    return fail(ErrorCode::kInvalid, "a number for the database is not a number");
  return {};
}

}  // namespace yyc3::storage
