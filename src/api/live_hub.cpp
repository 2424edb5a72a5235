#include "api/live_hub.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "api/problem.hpp"
#include "api/socket_messages.hpp"
#include "platform/net/websocket.hpp"

namespace yyc3::api {

namespace {
constexpr std::size_t kListenersMax = 64;
constexpr const char* kSubprotocol = "aicall.live.v1";
}  // namespace

struct LiveHub::State : std::enable_shared_from_this<State> {
  State(net::EventLoop& l, events::Bus& b, call::CallStore& s, telemetry::Registry& metrics)
      : loop(l),
        bus(b),
        store(s),
        slow(metrics.counter("yyc3_api_live_dropped_total", "Consoles dropped for not reading")),
        count(metrics.gauge("yyc3_api_live_listeners", "Consoles that follow the calls")) {}

  /// Threads: any.
  void tell(json::object message) {
    loop.post(
        [self = shared_from_this(), text = json::serialize(message)] { self->send_all(text); });
  }
  void tell_level(const events::LevelMeasured& e) {
    json::object message{{"type", "level"},
                         {"call_id", e.call.str()},
                         {"customer_dbov", std::lround(e.customer_dbov)},
                         {"bot_dbov", std::lround(e.bot_dbov)}};
    loop.post([self = shared_from_this(), call = e.call, text = json::serialize(message)] {
      self->send(text, call);
    });
  }
  void send_all(const std::string& text) { send(text, std::nullopt); }
  /// To every console, or to those that look at `only`.
  void send(const std::string& text, const std::optional<CallId>& only) {
    for (auto at = listeners.begin(); at != listeners.end();) {
      const auto [socket, watches] = *at++;
      if ((only && watches != only) || socket->send_text(text)) continue;
      slow.add();
      socket->close(1013, "too slow");
      leave(socket);
    }
  }
  /// `socket` looks at `call` from now on (nothing: at none), and the bus hears of the first
  /// console that looks and of the last that ceases.
  void watch(const std::shared_ptr<net::WebSocket>& socket, const std::optional<CallId>& call) {
    const auto at = listeners.find(socket);
    if (at == listeners.end() || at->second == call) return;
    const auto before = std::exchange(at->second, call);
    if (before && watchers(*before) == 0) bus.publish(watched(*before, false));
    if (call && watchers(*call) == 1) bus.publish(watched(*call, true));
  }
  void leave(const std::shared_ptr<net::WebSocket>& socket) {
    watch(socket, std::nullopt);
    listeners.erase(socket);
    count.set(static_cast<double>(listeners.size()));
  }
  [[nodiscard]] std::size_t watchers(const CallId& call) const {
    return static_cast<std::size_t>(
        std::count_if(listeners.begin(), listeners.end(),
                      [&call](const auto& one) { return one.second == call; }));
  }
  static events::CallWatched watched(const CallId& call, bool on) {
    return {call, call::kTenant, on};
  }
  net::Task<void> tell_call(CallId id);
  net::Task<void> listen(std::shared_ptr<net::WebSocket> socket);
  net::Task<net::HttpResponse> open(bool is_upgrade);

  net::EventLoop& loop;
  events::Bus& bus;
  call::CallStore& store;
  telemetry::Counter& slow;
  telemetry::Gauge& count;
  /// Each with the call it looks at.
  std::map<std::shared_ptr<net::WebSocket>, std::optional<CallId>> listeners;
};

net::Task<void> LiveHub::State::tell_call(CallId id) {
  const auto self = shared_from_this();
  if (listeners.empty()) co_return;
  const auto found = co_await store.find(id);
  if (!found || !*found) co_return;
  const json::object message{{"type", "call"}, {"call", call::to_json((*found)->call)}};
  send_all(json::serialize(message));
}

net::Task<void> LiveHub::State::listen(std::shared_ptr<net::WebSocket> socket) {
  const auto self = shared_from_this();
  listeners.emplace(socket, std::nullopt);
  count.set(static_cast<double>(listeners.size()));
  socket->send_text(R"({"type":"hello","version":1})");
  while (true) {
    const auto message = co_await socket->read();  // also keeps pings alive
    if (!message) break;
    const auto asked = read_watch(message->data);
    if (asked) watch(socket, asked->call);
  }
  leave(socket);
}

LiveHub::LiveHub(net::EventLoop& loop, events::Bus& bus, call::CallStore& store,
                 telemetry::Registry& metrics)
    : state_(std::make_shared<State>(loop, bus, store, metrics)) {
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
    state->tell({{"type", "turn"}, {"call_id", e.call.str()}, {"turn", e.turn}});
  }));
  subscriptions_.push_back(
      bus.subscribe<events::PartialHeard>([state](const events::PartialHeard& e) {
        state->tell({{"type", "partial"},
                     {"call_id", e.call.str()},
                     {"speaker", e.speaker},
                     {"text", e.text},
                     {"at_ms", e.at.count()}});
      }));
  subscriptions_.push_back(bus.subscribe<events::LevelMeasured>(
      [state](const events::LevelMeasured& e) { state->tell_level(e); }));
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
