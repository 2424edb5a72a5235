#include "platform/net/websocket.hpp"

#include "platform/net/http_client.hpp"
#include "platform/net/http_server.hpp"
#include "platform/net/net_test_support.hpp"

using namespace yyc3;
using namespace yyc3::net;
using namespace yyc3::net::testing;

namespace {

using SocketPtr = std::shared_ptr<WebSocket>;

struct Seen {
  std::atomic<int> ended{0};
  std::atomic<int> close_code{0};
  std::atomic<int> refused{0};
};

Task<void> echo(Seen& seen, SocketPtr socket) {
  while (true) {
    const auto message = co_await socket->read();
    if (!message) break;
    if (message->data == "please close") {
      socket->close(4001, "as you wish");
    } else if (message->is_binary) {
      socket->send_binary(message->data);
    } else {
      socket->send_text(message->data);
    }
  }
  seen.close_code = socket->close_code();
  ++seen.ended;
}

/// Sends without looking whether anyone reads, until the queue refuses.
Task<void> flood(Seen& seen, SocketPtr socket) {
  const std::string block(64 * 1024, 'f');
  for (int i = 0; i < 10'000; ++i) {
    if (!socket->send_binary(block)) break;
    if (socket->queued_bytes() == 0) co_await sleep_for(1ms);
  }
  ++seen.refused;
  const auto message = co_await socket->read();
  if (!message) ++seen.ended;
}

struct Fixture {
  Fixture() : loop("ws", log) {
    HttpHandler handler = [this](HttpRequest request) { return answer(std::move(request)); };
    auto started = HttpServer::start(loop.executor(), {}, handler, log);
    REQUIRE(started);
    server = std::move(*started);
  }
  ~Fixture() {
    server.reset();
    loop.stop();
    loop.join();
  }
  Task<HttpResponse> answer(HttpRequest request) {
    if (request.path == "/forbidden") co_return HttpResponse::problem(403, "No");
    const bool flooding = request.path == "/flood";
    const WebSocketHandler run = [this, flooding](HttpRequest, SocketPtr socket) {
      return flooding ? flood(seen, std::move(socket)) : echo(seen, std::move(socket));
    };
    co_return HttpResponse::upgrade(options, run);
  }
  Result<SocketPtr> connect(std::string path, WebSocketOptions with = {}) {
    WebSocketTarget target;
    target.endpoint = Endpoint::tcp("127.0.0.1", server->port());
    target.target = std::move(path);
    target.options = std::move(with);
    return run_on(loop, connect_websocket(std::move(target)));
  }
  /// On the loop, as a socket demands.
  template <class F>
  auto on_loop(F f) {
    std::promise<decltype(f())> promise;
    loop.post([&] {
      if constexpr (std::is_void_v<decltype(f())>) {
        f();
        promise.set_value();
      } else {
        promise.set_value(f());
      }
    });
    return promise.get_future().get();
  }
  void drop(SocketPtr& socket) {
    on_loop([&] { socket.reset(); });
  }

  telemetry::NullLog log;
  Seen seen;
  WebSocketOptions options;
  EventLoop loop;
  std::unique_ptr<HttpServer> server;
};

}  // namespace

TEST_CASE("text and binary come back as they were, in order; the close code is passed on") {
  Fixture fixture;
  auto socket = fixture.connect("/echo");
  REQUIRE(socket);
  const std::string binary("\0\xff\r\n", 4);
  for (int i = 0; i < 100; ++i) {
    CHECK(fixture.on_loop([&] { return (*socket)->send_text("你好" + std::to_string(i)); }));
  }
  CHECK(fixture.on_loop([&] { return (*socket)->send_binary(binary); }));
  for (int i = 0; i < 100; ++i) {
    const auto message = run_on(fixture.loop, (*socket)->read());
    REQUIRE(message);
    CHECK(message->data == "你好" + std::to_string(i));
    CHECK_FALSE(message->is_binary);
  }
  const auto message = run_on(fixture.loop, (*socket)->read());
  REQUIRE(message);
  CHECK(message->data == binary);
  CHECK(message->is_binary);
  fixture.on_loop([&] { (*socket)->close(4000, "done"); });
  const auto end = run_on(fixture.loop, (*socket)->read());
  REQUIRE_FALSE(end);
  INFO(end.error().detail);
  CHECK(end.error().code == ErrorCode::kCancelled);
  CHECK(eventually([&] { return fixture.seen.ended == 1; }));
  CHECK(fixture.seen.close_code == 4000);
  CHECK_FALSE(fixture.on_loop([&] { return (*socket)->send_text("late"); }));
  fixture.drop(*socket);
}

TEST_CASE("the server closes with its own code and reason") {
  Fixture fixture;
  auto socket = fixture.connect("/echo");
  REQUIRE(socket);
  fixture.on_loop([&] { (*socket)->send_text("please close"); });
  CHECK(run_on(fixture.loop, (*socket)->read()).error().code == ErrorCode::kCancelled);
  CHECK(fixture.on_loop([&] { return (*socket)->close_code(); }) == 4001);
  CHECK(fixture.on_loop([&] { return (*socket)->close_reason(); }) == "as you wish");
  fixture.drop(*socket);
}

TEST_CASE("a read with a deadline tears nothing: the next message is whole") {
  Fixture fixture;
  auto socket = fixture.connect("/echo");
  REQUIRE(socket);
  const auto late = run_on(fixture.loop, with_deadline((*socket)->read(), 10ms));
  CHECK(late.error().code == ErrorCode::kTimeout);
  fixture.on_loop([&] { (*socket)->send_text("after"); });
  CHECK(run_on(fixture.loop, (*socket)->read())->data == "after");
  fixture.drop(*socket);
}

TEST_CASE("a handler may refuse; a subprotocol must be agreed; plain HTTP gets 426") {
  Fixture fixture;
  const auto forbidden = fixture.connect("/forbidden");
  REQUIRE_FALSE(forbidden);
  CHECK(forbidden.error().detail.find("403") != std::string::npos);

  WebSocketOptions hear;
  hear.subprotocol = "yyc3-hear.v1";
  CHECK_FALSE(fixture.connect("/echo", hear));  // the server does not answer with it
  fixture.on_loop([&] { fixture.options.subprotocol = "yyc3-hear.v1"; });
  CHECK_FALSE(fixture.connect("/echo"));  // the server demands it
  auto socket = fixture.connect("/echo", hear);
  REQUIRE(socket);
  CHECK(fixture.on_loop([&] { return (*socket)->subprotocol(); }) == "yyc3-hear.v1");
  fixture.drop(*socket);

  RawClient plain(fixture.server->port());
  plain.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(plain.response().starts_with("HTTP/1.1 426 "));
}

TEST_CASE("a message beyond the limit ends the connection with 1009") {
  Fixture fixture;
  fixture.on_loop([&] { fixture.options.message_bytes_max = 1000; });
  auto socket = fixture.connect("/echo");
  REQUIRE(socket);
  fixture.on_loop([&] { (*socket)->send_text(std::string(1001, 'a')); });
  CHECK_FALSE(run_on(fixture.loop, (*socket)->read()));
  CHECK(fixture.on_loop([&] { return (*socket)->close_code(); }) == 1009);
  CHECK(eventually([&] { return fixture.seen.ended == 1; }));
  fixture.drop(*socket);
}

TEST_CASE("a reader that does not read: send says false, nothing grows, the loop goes on") {
  Fixture fixture;
  auto socket = fixture.connect("/flood");
  REQUIRE(socket);
  CHECK(eventually([&] { return fixture.seen.refused == 1; }));
  auto other = fixture.connect("/echo");
  REQUIRE(other);
  fixture.on_loop([&] { (*other)->send_text("still here"); });
  CHECK(run_on(fixture.loop, (*other)->read())->data == "still here");
  fixture.drop(*other);
  fixture.drop(*socket);
  CHECK(eventually([&] { return fixture.seen.ended == 2; }));
}

TEST_CASE("a peer that vanishes or falls silent is noticed") {
  Fixture fixture;
  fixture.on_loop([&] { fixture.options.idle_timeout = 60ms; });
  auto socket = fixture.connect("/echo");
  REQUIRE(socket);
  fixture.drop(*socket);  // cut, no close frame
  CHECK(eventually([&] { return fixture.seen.ended == 1; }));
  CHECK(fixture.seen.close_code == 1006);

  RawClient silent(fixture.server->port());  // never answers a ping
  silent.send(
      "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  CHECK(silent.read_until("\r\n\r\n").find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != std::string::npos);
  CHECK(eventually([&] { return fixture.seen.ended == 2; }));
}

TEST_CASE("drain closes WebSockets with 1001") {
  Fixture fixture;
  auto socket = fixture.connect("/echo");
  REQUIRE(socket);
  auto drained =
      std::async(std::launch::async, [&] { run_on(fixture.loop, fixture.server->drain(10s)); });
  CHECK(run_on(fixture.loop, (*socket)->read()).error().code == ErrorCode::kCancelled);
  drained.get();
  CHECK(fixture.on_loop([&] { return (*socket)->close_code(); }) == 1001);
  CHECK(fixture.server->connections() == 0);
  fixture.drop(*socket);
}
