#include "platform/net/health_probe.hpp"

#include <utility>

namespace yyc3::net {

struct HealthProbe::State : std::enable_shared_from_this<State> {
  State(EventLoop& loop, Endpoint endpoint, HealthProbeConfig c)
      : config(std::move(c)),
        client(loop.executor(), std::move(endpoint),
               HttpClientOptions::one_request_a_connection()) {}

  Task<void> run();
  void note(bool now_up);

  HealthProbeConfig config;
  HttpClient client;
  Spawned running;
  bool up = false;
  bool stopped = false;
};

Task<void> HealthProbe::State::run() {
  const auto self = shared_from_this();
  int silent = 0;
  while (!stopped) {
    ClientRequest request;
    request.target = "/healthz";
    request.deadline = config.timeout;
    const auto answer = co_await client.send(std::move(request));
    note(answer && answer->status == 200);
    const bool hangs = answer ? answer->status == 503 : answer.error().code == ErrorCode::kTimeout;
    silent = hangs ? silent + 1 : 0;
    if (silent >= 2 && !stopped) {
      silent = 0;
      if (config.on_hang) config.on_hang();
    }
    if (silent == 0) co_await sleep_for(config.every);
  }
}

void HealthProbe::State::note(bool now_up) {
  if (stopped || std::exchange(up, now_up) == now_up) return;
  if (config.on_change) config.on_change(now_up);
}

HealthProbe::HealthProbe(EventLoop& loop, Endpoint endpoint, HealthProbeConfig config)
    : state_(std::make_shared<State>(loop, std::move(endpoint), std::move(config))) {
  state_->running = loop.spawn(state_->run(), "health probe");
}

HealthProbe::~HealthProbe() {
  state_->stopped = true;
  state_->running.cancel();
}

}  // namespace yyc3::net
