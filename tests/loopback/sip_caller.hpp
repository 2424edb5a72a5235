#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "engine/telephony/sip/sip_agent.hpp"
#include "peers/child.hpp"
#include "platform/telemetry/log.hpp"

namespace yyc3::sip {

/// A SipAgent with everything it said: what the stories ask.
class Caller {
 public:
  explicit Caller(const SipConfig& config = {}) : agent_(start(config)) {}
  ~Caller() { agent_->stop(); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  SipAgent& agent() { return *agent_; }
  /// A request that offers a free port of ours to `target`.
  DialRequest request(const std::string& target) {
    DialRequest request;
    request.call = CallId::make(clock_);
    request.target = target;
    request.media.rtp_port = peers::free_port(2);
    request.ring_timeout = Milliseconds{20'000};
    return request;
  }
  CallId dial(const DialRequest& request) {
    const auto dialled = agent_->dial(request);
    if (!dialled) throw std::runtime_error(dialled.error().detail);
    return request.call;
  }
  CallId dial(const std::string& target) { return dial(request(target)); }

  /// The first event of type T of this call that was not taken yet; those before it are passed
  /// over.
  template <class T>
  std::optional<T> next(const CallId& call, Milliseconds limit = Milliseconds{15'000}) {
    std::unique_lock hold(lock_);
    std::optional<T> found;
    came_.wait_for(hold, limit, [&] {
      std::size_t& from = taken_[call.str()];
      for (; from < events_.size() && !found; ++from)
        if (events_[from].call == call) {
          if (const T* what = std::get_if<T>(&events_[from].what)) found = *what;
        }
      return found.has_value();
    });
    return found;
  }
  /// How many events of type T this call has had.
  template <class T>
  std::size_t count(const CallId& call) {
    const std::lock_guard hold(lock_);
    std::size_t n = 0;
    for (const auto& event : events_)
      n += event.call == call && std::holds_alternative<T>(event.what) ? 1 : 0;
    return n;
  }
  /// The last event of an answered or failed call came once, and nothing behind it.
  bool ended_once(const CallId& call) {
    const std::lock_guard hold(lock_);
    std::size_t n = 0;
    bool last = false;
    for (const auto& event : events_) {
      if (event.call != call) continue;
      last =
          std::holds_alternative<Ended>(event.what) || std::holds_alternative<Failed>(event.what);
      n += last ? 1 : 0;
    }
    return n == 1 && last;
  }
  /// Every SIP message of ours so far.
  /// While it is held, the signalling thread waits with its next event or message.
  std::unique_lock<std::mutex> hold() { return std::unique_lock(lock_); }
  std::string messages() {
    const std::lock_guard hold(lock_);
    return messages_;
  }

 private:
  std::unique_ptr<SipAgent> start(const SipConfig& config) {
    auto agent = SipAgent::start(
        config, clock_, log_,
        [this](SipEvent event) {
          const std::lock_guard hold(lock_);
          events_.push_back(std::move(event));
          came_.notify_all();
        },
        [this](std::string_view message) {
          const std::lock_guard hold(lock_);
          messages_ += message;
        });
    if (!agent) throw std::runtime_error(agent.error().detail);
    return std::move(*agent);
  }

  SystemClock clock_;
  telemetry::NullLog log_;
  std::mutex lock_;  // between the signalling thread and the test
  std::condition_variable came_;
  std::vector<SipEvent> events_;
  std::map<std::string, std::size_t> taken_;
  std::string messages_;
  std::unique_ptr<SipAgent> agent_;
};

}  // namespace yyc3::sip
