#include "product/events/bus.hpp"

namespace yyc3::events {

Subscription& Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) {
    cancel();
    handler_ = std::move(other.handler_);
  }
  return *this;
}

void Subscription::cancel() {
  if (!handler_) return;
  {
    const std::unique_lock lock(handler_->mutex);
    handler_->live = false;
  }
  handler_.reset();
}

Subscription Bus::add(std::type_index type, std::function<void(const void*)> call) {
  auto handler = std::make_shared<Subscription::Handler>();
  handler->call = std::move(call);
  const std::lock_guard lock(mutex_);
  auto& list = handlers_[type];
  std::erase_if(list, [](const auto& weak) { return weak.expired(); });
  list.push_back(handler);
  return Subscription(std::move(handler));
}

void Bus::deliver(std::type_index type, const void* event) {
  std::vector<std::shared_ptr<Subscription::Handler>> now;
  {
    const std::lock_guard lock(mutex_);
    const auto found = handlers_.find(type);
    if (found == handlers_.end()) return;
    now.reserve(found->second.size());
    for (const auto& weak : found->second) {
      if (auto handler = weak.lock()) now.push_back(std::move(handler));
    }
  }
  for (const auto& handler : now) {
    const std::shared_lock lock(handler->mutex);
    if (handler->live) handler->call(event);
  }
}

}  // namespace yyc3::events
