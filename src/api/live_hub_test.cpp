#include "api/live_hub.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <doctest/doctest.h>
#include <future>
#include <mutex>
#include <utility>

#include "platform/net/http_client.hpp"
#include "platform/net/http_server.hpp"
#include "platform/net/websocket.hpp"
#include "platform/telemetry/log.hpp"

// Consoles over real sockets against the hub; the store behind it is never asked (and would crash).
namespace yyc3::api {

namespace {

constexpr auto kPatience = std::chrono::seconds(20);

template <class T>
net::Task<void> deliver(net::Task<T> task, std::shared_ptr<std::promise<T>> promise) {
  promise->set_value(co_await std::move(task));
}

struct Fixture {
  Fixture() : hub(std::in_place, loop, bus, store, metrics) {
    hub->add_to(router);
    seen = bus.subscribe<events::CallWatched>([this](const events::CallWatched& e) {
      const std::lock_guard hold(lock);
      watched.emplace_back(e.call, e.watched);
      came.notify_all();
    });
    net::HttpHandler handler = [this](net::HttpRequest request) {
      const auto match = router.find("GET", request.path);
      return match.route->handler(std::move(request), match.params);
    };
    auto started = net::HttpServer::start(loop.executor(), {}, handler, log);
    REQUIRE(started);
    server = std::move(*started);
  }
  ~Fixture() {
    server.reset();
    hub.reset();
    loop.stop();
    loop.join();
  }
  template <class T>
  T run(net::Task<T> task) {
    const auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    loop.spawn(deliver(std::move(task), promise), "test");
    REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
    return future.get();
  }
  using Socket = std::shared_ptr<net::WebSocket>;
  Socket connect() {
    net::WebSocketTarget target;
    target.endpoint = net::Endpoint::tcp("127.0.0.1", server->port());
    target.target = "/api/v1/live";
    target.options.subprotocol = "aicall.live.v1";
    auto socket = run(net::connect_websocket(std::move(target)));
    REQUIRE(socket);
    CHECK(read(*socket).at("type") == "hello");
    return *socket;
  }
  json::object read(const Socket& socket) {
    const auto message = run(socket->read());
    REQUIRE(message);
    return json::parse(message->data).as_object();
  }
  void send(const Socket& socket, std::string text) {
    loop.post([socket, text = std::move(text)] { socket->send_text(text); });
  }
  void watch(const Socket& socket, const CallId& call) {
    send(socket, json::serialize(json::object{{"type", "watch"}, {"call_id", call.str()}}));
  }
  /// The n-th change of who watches, 1 = first.
  std::pair<CallId, bool> change(std::size_t n) {
    std::unique_lock hold(lock);
    REQUIRE(came.wait_for(hold, kPatience, [&] { return watched.size() >= n; }));
    return watched[n - 1];
  }

  telemetry::NullLog log;
  telemetry::Registry metrics;
  events::Bus bus;
  net::EventLoop loop{"live-test", log};
  Router router;
  alignas(16) unsigned char never_used[sizeof(call::CallStore)] = {};
  call::CallStore& store = *reinterpret_cast<call::CallStore*>(never_used);
  std::optional<LiveHub> hub;
  events::Subscription seen;
  std::mutex lock;  // between the hub's loop and the test
  std::condition_variable came;
  std::vector<std::pair<CallId, bool>> watched;
  std::unique_ptr<net::HttpServer> server;
};

}  // namespace

TEST_CASE("a turn is told as the event carries it, without asking the store") {
  Fixture fixture;
  const auto socket = fixture.connect();
  const CallId call = CallId::make(SystemClock{});
  fixture.bus.publish(events::TurnSpoken{call, "default", 3, "bot", {{"seq", 3}, {"text", "好"}}});
  const json::object told = fixture.read(socket);
  CHECK(told.at("type") == "turn");
  CHECK(told.at("call_id") == json::value(call.str()));
  CHECK(told.at("turn") == json::value{{"seq", 3}, {"text", "好"}});
}

TEST_CASE("levels go to the consoles that watch the call, and are wanted while there is one") {
  Fixture fixture;
  const SystemClock clock;
  const CallId one = CallId::make(clock);
  const CallId other = CallId::make(clock);
  const auto first = fixture.connect();
  auto second = fixture.connect();
  const auto elsewhere = fixture.connect();
  fixture.watch(elsewhere, other);
  CHECK(fixture.change(1) == std::pair(other, true));
  fixture.watch(first, one);
  CHECK(fixture.change(2) == std::pair(one, true));
  fixture.watch(second, one);       // the second watcher is no news
  fixture.watch(elsewhere, other);  // nor is the same wish again
  fixture.send(first, "{\"type\":\"watch\",\"call_id\":\"no such\"}");
  fixture.send(first, "not JSON");
  fixture.bus.publish(events::PartialHeard{one, "default", "customer", "喂", Milliseconds{5}});
  for (const auto& socket : {first, second, elsewhere})
    CHECK(fixture.read(socket).at("type") == "partial");

  fixture.bus.publish(events::LevelMeasured{one, "default", -20.4, -96});
  fixture.bus.publish(events::LevelMeasured{other, "default", -30, -12.6});
  const json::object loud = fixture.read(first);
  CHECK(loud.at("type") == "level");
  CHECK(loud.at("call_id") == json::value(one.str()));
  CHECK(loud.at("customer_dbov") == -20);
  CHECK(loud.at("bot_dbov") == -96);
  CHECK(fixture.read(elsewhere).at("call_id") == json::value(other.str()));

  fixture.send(first, "{\"type\":\"watch\",\"call_id\":null}");  // the second still looks
  fixture.watch(second, other);
  CHECK(fixture.change(3) == std::pair(one, false));
  fixture.loop.post([&second] { second.reset(); });  // a closed page ceases to look
  fixture.watch(elsewhere, one);
  std::vector changes{fixture.change(4), fixture.change(5)};  // in either order
  CHECK(std::ranges::count(changes, std::pair(one, true)) == 1);
  CHECK(std::ranges::count(changes, std::pair(other, false)) == 1);
}

}  // namespace yyc3::api
