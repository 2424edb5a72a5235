#include "platform/net/event_loop.hpp"

#include <atomic>
#include <pthread.h>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace yyc3::net {

namespace asio = boost::asio;

struct EventLoop::Impl {
  Impl(telemetry::Log& to, std::size_t limit) : log(to), post_limit(limit) {}

  void run() {
    while (true) {
      try {
        context.run();
        return;
      } catch (const std::exception& error) {  // a completion handler threw: a bug, not the end
        log.error("event loop caught an exception", {{"error.message", error.what()}});
      }
    }
  }

  telemetry::Log& log;
  const std::size_t post_limit;
  std::atomic<std::size_t> waiting{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<bool> stopped{false};
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::thread thread;
  std::thread::id id;
};

EventLoop::EventLoop(const std::string& name, telemetry::Log& log, std::size_t post_limit)
    : impl_(std::make_unique<Impl>(log, post_limit)) {
  impl_->thread = std::thread([impl = impl_.get(), name] {
    ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
    impl->run();
  });
  impl_->id = impl_->thread.get_id();
}

EventLoop::~EventLoop() {
  stop();
  join();
}

Executor EventLoop::executor() const { return impl_->context.get_executor(); }

bool EventLoop::post(std::function<void()> f) {
  Impl* const impl = impl_.get();
  const bool full = impl->waiting.fetch_add(1) >= impl->post_limit;
  if (full || impl->stopped) {
    impl->waiting.fetch_sub(1);
    impl->refused.fetch_add(1);
    return false;
  }
  asio::post(impl->context, [impl, f = std::move(f)] {
    impl->waiting.fetch_sub(1);
    try {
      f();
    } catch (const std::exception& error) {
      impl->log.error("posted function failed", {{"error.message", error.what()}});
    }
  });
  return true;
}

Spawned EventLoop::spawn(Task<void> work, std::string what) {
  return net::spawn(executor(), std::move(work), impl_->log, std::move(what));
}

void EventLoop::stop() {
  impl_->stopped = true;
  impl_->context.stop();
}

void EventLoop::join() {
  if (impl_->thread.joinable()) impl_->thread.join();
}

bool EventLoop::on_thread() const { return std::this_thread::get_id() == impl_->id; }
std::size_t EventLoop::posts_waiting() const { return impl_->waiting; }
std::uint64_t EventLoop::posts_refused() const { return impl_->refused; }

}  // namespace yyc3::net
