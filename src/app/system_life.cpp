#include <future>
#include <utility>

#include "app/parts.hpp"

namespace yyc3::app {

namespace {

constexpr Milliseconds kDrain{8'000};

net::Task<void> drain_calls(call::CallCenter& center, std::promise<void>& done) {
  co_await center.drain(kDrain);
  done.set_value();
}

net::Task<void> drain_web(net::HttpServer& server, std::promise<void>& done) {
  co_await server.drain(Milliseconds{1'000});
  done.set_value();
}

}  // namespace

/// Calls first, so that every customer hears a goodbye from the network and every row is stored;
/// then what fed them; the loops last, when nothing can be posted to them any more.
void System::Parts::stop() {
  if (!call_loop) return;
  if (server) {
    std::promise<void> done;
    web_loop->spawn(drain_web(*server, done), "drain web");
    done.get_future().wait();
  }
  if (center) {
    std::promise<void> done;
    call_loop->spawn(drain_calls(*center, done), "drain calls");
    done.get_future().wait();
  }
  if (sip_owner) sip_owner->stop();
  std::promise<void> cleared;
  call_loop->post([this, &cleared] {
    center.reset();
    rendering.reset();
    prompts.reset();
    speak.reset();
    hear.reset();
    language.reset();
    call_loop->post([&cleared] { cleared.set_value(); });
  });
  cleared.get_future().wait();
  workers.stop();
  live_hub.reset();
  recorder.reset();  // writes the rows of the calls that ended just now
  if (database) database->stop();
  for (net::EventLoop* loop : {web_loop.get(), call_loop.get(), files.get()}) {
    loop->stop();
    loop->join();
  }
}

System::Parts::~Parts() { stop(); }

System::System(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

System::~System() = default;

call::CallService& System::calls() { return *parts_->center; }
call::CallStore& System::store() { return *parts_->store; }
events::Bus& System::bus() { return parts_->bus; }
net::EventLoop& System::web_loop() { return *parts_->web_loop; }

std::string System::address() const {
  if (!parts_->server) return {};
  const bool tls = !parts_->config.server.certificate_file.empty();
  return std::string(tls ? "https://" : "http://") + parts_->config.server.listen + ":" +
         std::to_string(parts_->server->port());
}

std::string System::console_link() const {
  return address() + "/login?code=" + parts_->guard->make_login_code();
}

std::vector<std::string> System::missing() const { return parts_->missing(); }

}  // namespace yyc3::app
