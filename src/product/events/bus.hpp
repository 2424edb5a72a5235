#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <vector>

namespace yyc3::events {

/// Ends a subscription when destroyed. After that the handler neither runs nor starts.
/// Not to be destroyed by its own handler. May outlive the bus.
class Subscription {
 public:
  Subscription() = default;
  Subscription(Subscription&&) = default;
  Subscription& operator=(Subscription&& other) noexcept;
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  ~Subscription() { cancel(); }
  void cancel();

 private:
  friend class Bus;
  struct Handler {
    std::shared_mutex mutex;  ///< shared while the handler runs
    bool live = true;
    std::function<void(const void*)> call;
  };
  explicit Subscription(std::shared_ptr<Handler> handler) : handler_(std::move(handler)) {}
  std::shared_ptr<Handler> handler_;
};

/// In-process publish and subscribe, by type of event.
/// Threads: all functions from any thread. Handlers run on the publisher's thread, one event after
/// another for one publisher, and must return at once: a subscriber that has work to do posts to a
/// bounded mailbox of its own and decides there what to drop. The bus holds no queue.
class Bus {
 public:
  template <class Event>
  [[nodiscard]] Subscription subscribe(std::function<void(const Event&)> handler) {
    return add(typeid(Event), [handler = std::move(handler)](const void* event) {
      handler(*static_cast<const Event*>(event));
    });
  }

  template <class Event>
  void publish(const Event& event) {
    deliver(typeid(Event), &event);
  }

 private:
  Subscription add(std::type_index type, std::function<void(const void*)> call);
  void deliver(std::type_index type, const void* event);

  std::mutex mutex_;
  std::map<std::type_index, std::vector<std::weak_ptr<Subscription::Handler>>> handlers_;
};

}  // namespace yyc3::events
