#include "api/live_hub.hpp"

#include <set>
#include <utility>

#include "api/problem.hpp"
#include "platform/net/websocket.hpp"

namespace yyc3::api {

namespace {
constexpr std::size_t kListenersMax = 64;
constexpr const char* kSubprotocol = "aicall.live.v1";
}  // namespace

struct LiveHub::State : std::enable_shared_from_this<State> {
  State(net::EventLoop& l, call::CallStore& s, telemetry::Registry& metrics)
      : loop(l),
        store(s),
        slow(metrics.counter("yyc3_api_live_dropped_total", "Consoles dropped for not reading")),
        count(metrics.gauge("yyc3_api_live_listeners", "Consoles that follow the calls")) {}

  /// Threads: any.
  void tell(json::object message) {
    loop.post(
        [self = shared_from_this(), text = json::serialize(message)] { self->send_all(text); });
  }
  void send_all(const std::string& text) {
    for (auto at = listeners.begin(); at != listeners.end();) {
      if ((*at)->send_text(text)) {
        ++at;
        continue;
      }
      slow.add();
      (*at)->close(1013, "too slow");
      at = listeners.erase(at);
    }
  }
  net::Task<void> tell_call(CallId id);
  net::Task<void> tell_turn(CallId id, std::int64_t seq);
  net::Task<void> listen(std::shared_ptr<net::WebSocket> socket);
  net::Task<net::HttpResponse> open(bool is_upgrade);

  net::EventLoop& loop;
  call::CallStore& store;
  telemetry::Counter& slow;
  telemetry::Gauge& count;
  std::set<std::shared_ptr<net::WebSocket>> listeners;
};

net::Task<void> LiveHub::State::tell_call(CallId id) {
  const auto self = shared_from_this();
  if (listeners.empty()) co_return;
  const auto found = co_await store.find(id);
  if (!found || !*found) co_return;
  const json::object message{{"type", "call"}, {"call", call::to_json((*found)->call)}};
  send_all(json::serialize(message));
}

net::Task<void> LiveHub::State::tell_turn(CallId id, std::int64_t seq) {
  const auto self = shared_from_this();
  if (listeners.empty()) co_return;
  const auto found = co_await store.find(id);
  if (!found || !*found) co_return;
  for (const auto& turn : (*found)->turns) {
    if (turn.seq != seq) continue;
    const json::object message{
        {"type", "turn"}, {"call_id", id.str()}, {"turn", call::to_json(turn)}};
    send_all(json::serialize(message));
  }
}

net::Task<void> LiveHub::State::listen(std::shared_ptr<net::WebSocket> socket) {
  const auto self = shared_from_this();
  listeners.insert(socket);
  count.set(static_cast<double>(listeners.size()));
  socket->send_text(R"({"type":"hello","version":1})");
  while (true) {
    const auto message = co_await socket->read();  // nothing is expected; reading keeps pings alive
    if (!message) break;
  }
  listeners.erase(socket);
  count.set(static_cast<double>(listeners.size()));
}

LiveHub::LiveHub(net::EventLoop& loop, events::Bus& bus, call::CallStore& store,
                 telemetry::Registry& metrics)
    : state_(std::make_shared<State>(loop, store, metrics)) {
  const auto state = state_;
  const auto call_changed = [state](CallId id) {
    state->loop.post([state, id] { state->loop.spawn(state->tell_call(id), "live call"); });
  };
  subscriptions_.push_back(bus.subscribe<events::CallStateChanged>(
      [call_changed](const events::CallStateChanged& e) { call_changed(e.call); }));
  subscriptions_.push_back(bus.subscribe<events::CallEnded>(
      [call_changed](const events::CallEnded& e) { call_changed(e.call); }));
  subscriptions_.push_back(bus.subscribe<events::RecordingReady>(
      [call_changed](const events::RecordingReady& e) { call_changed(e.call); }));
  subscriptions_.push_back(bus.subscribe<events::TurnSpoken>([state](const events::TurnSpoken& e) {
    state->loop.post([state, id = e.call, seq = e.seq] {
      state->loop.spawn(state->tell_turn(id, seq), "live turn");
    });
  }));
  subscriptions_.push_back(
      bus.subscribe<events::PartialHeard>([state](const events::PartialHeard& e) {
        state->tell({{"type", "partial"},
                     {"call_id", e.call.str()},
                     {"speaker", e.speaker},
                     {"text", e.text},
                     {"at_ms", e.at.count()}});
      }));
  subscriptions_.push_back(
      bus.subscribe<events::LevelMeasured>([state](const events::LevelMeasured& e) {
        state->tell({{"type", "level"},
                     {"call_id", e.call.str()},
                     {"customer_dbov", e.customer_dbov},
                     {"bot_dbov", e.bot_dbov}});
      }));
  subscriptions_.push_back(
      bus.subscribe<events::EngineStateChanged>([state](const events::EngineStateChanged& e) {
        state->tell({{"type", "engine"}, {"name", e.engine}, {"state", e.state}});
      }));
}

LiveHub::~LiveHub() { subscriptions_.clear(); }

net::Task<net::HttpResponse> LiveHub::State::open(bool is_upgrade) {
  const auto self = shared_from_this();
  if (!is_upgrade) co_return problem(426, "this is a WebSocket");
  if (listeners.size() >= kListenersMax) co_return problem(503, "too many consoles listen");
  net::WebSocketOptions options;
  options.subprotocol = kSubprotocol;
  net::WebSocketHandler run = [self](net::HttpRequest, std::shared_ptr<net::WebSocket> socket) {
    return self->listen(std::move(socket));
  };
  co_return net::HttpResponse::upgrade(std::move(options), std::move(run));
}

void LiveHub::add_to(Router& router) {
  router.add({"GET", "/api/v1/live", false, [state = state_](net::HttpRequest request, PathParams) {
                return state->open(request.is_upgrade);
              }});
}

}  // namespace yyc3::api
