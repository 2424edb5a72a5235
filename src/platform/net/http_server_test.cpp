#include "platform/net/http_server.hpp"

#include <atomic>
#include <fstream>
#include <stdexcept>
#include <sys/stat.h>

#include <boost/system/system_error.hpp>

#include "platform/net/net_test_support.hpp"

using namespace yyc3;
using namespace yyc3::net;
using namespace yyc3::net::testing;

namespace {

/// What the handlers of these tests have seen.
struct Seen {
  std::atomic<int> started{0};
  std::atomic<int> cancelled{0};
  std::atomic<int> finished{0};
};

Task<HttpResponse> wait_for_ever(Seen& seen) {
  ++seen.started;
  try {
    co_await sleep_for(1h);
  } catch (const boost::system::system_error&) {
    ++seen.cancelled;
    throw;
  }
  co_return HttpResponse(200);
}

Task<Result<std::string>> next_piece(std::shared_ptr<int> left) {
  co_await sleep_for(1ms);
  if (*left == 0) co_return std::string();
  --*left;
  co_return std::string(1000, 'x');
}

Task<Result<std::string>> torn_piece(std::shared_ptr<int> left) {
  if ((*left)-- > 0) co_return std::string(10, 'x');
  co_return fail(ErrorCode::kUnavailable, "disk");
}

HttpResponse streamed(int pieces, std::optional<std::uint64_t> size) {
  const auto left = std::make_shared<int>(pieces);
  return HttpResponse::stream(200, "audio/wav", [left] { return next_piece(left); }, size);
}

Task<HttpResponse> handle(Seen& seen, HttpRequest request) {
  if (request.path == "/echo")
    co_return HttpResponse(200, request.method + " " + request.body, "text/plain");
  if (request.path == "/peer")
    co_return HttpResponse(200, request.is_unix ? "unix" : request.peer, "text/plain");
  if (request.path == "/query") co_return HttpResponse(200, request.param("q").value_or("?"));
  if (request.path == "/throw") throw std::runtime_error("handler bug");
  if (request.path == "/wait") {
    HttpResponse response = co_await wait_for_ever(seen);
    co_return response;
  }
  if (request.path == "/slow") {
    ++seen.started;
    co_await sleep_for(100ms);
    ++seen.finished;
    co_return HttpResponse(200, "slow", "text/plain");
  }
  if (request.path == "/chunked") co_return streamed(5, std::nullopt);
  if (request.path == "/sized") co_return streamed(5, 4500);
  if (request.path == "/endless") co_return streamed(1'000'000'000, std::nullopt);
  if (request.path == "/torn") {
    const auto left = std::make_shared<int>(2);
    co_return HttpResponse::stream(200, "text/plain", [left] { return torn_piece(left); }, 100);
  }
  co_return HttpResponse::problem(404, "Not found");
}

struct Fixture {
  explicit Fixture(HttpServerOptions options = {}) : loop("http", log) {
    HttpHandler handler = [this](HttpRequest request) { return handle(seen, std::move(request)); };
    auto started = HttpServer::start(loop.executor(), std::move(options), handler, log);
    REQUIRE(started);
    server = std::move(*started);
  }
  ~Fixture() {
    server.reset();
    loop.stop();
    loop.join();
  }
  telemetry::NullLog log;
  Seen seen;
  EventLoop loop;
  std::unique_ptr<HttpServer> server;
};

std::string get(const std::string& path) { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"; }

std::string body_of(const std::string& response) {
  return response.substr(std::min(response.size(), response.find("\r\n\r\n") + 4));
}

}  // namespace

TEST_CASE("keep-alive: several requests on one connection, then close when asked") {
  Fixture fixture;
  RawClient client(fixture.server->port());
  for (int i = 0; i < 3; ++i) {
    client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    CHECK(body_of(client.response()) == "POST hello");
  }
  client.send(get("/query?q=%E4%BD%A0"));
  CHECK(body_of(client.response()) == "你");
  client.send(get("/peer"));
  CHECK(body_of(client.response()) == "127.0.0.1");
  client.send("GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string last = client.response();
  CHECK(last.find("Connection: close\r\n") != std::string::npos);
  CHECK(client.at_end());
}

TEST_CASE("pipelined requests are answered in order, none lost") {
  Fixture fixture;
  RawClient client(fixture.server->port());
  std::string burst;
  for (int i = 0; i < 50; ++i)
    burst += get(i % 10 == 0 ? "/slow" : "/query?q=" + std::to_string(i));
  client.send(burst);
  for (int i = 0; i < 50; ++i)
    CHECK(body_of(client.response()) == (i % 10 == 0 ? "slow" : std::to_string(i)));
}

TEST_CASE("HEAD has the size and no body; the next answer is not disturbed") {
  Fixture fixture;
  RawClient client(fixture.server->port());
  client.send("HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.read_until("\r\n\r\n").find("Content-Length: 5") != std::string::npos);
  client.send("HEAD /sized HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.read_until("\r\n\r\n").find("Content-Length: 4500") != std::string::npos);
  client.send(get("/echo"));
  CHECK(body_of(client.response()) == "GET ");
}

TEST_CASE("a chunked body whole; a sized one cut to its size; a torn one breaks off") {
  Fixture fixture;
  RawClient client(fixture.server->port());
  client.send(get("/chunked"));
  const std::string chunked = client.read_until("\r\n0\r\n\r\n");
  CHECK(chunked.find("Transfer-Encoding: chunked") != std::string::npos);
  std::size_t letters = 0;
  for (const char c : body_of(chunked)) letters += c == 'x';
  CHECK(letters == 5000);
  client.send(get("/sized"));
  const std::string sized = client.response();
  CHECK(body_of(sized) == std::string(4500, 'x'));
  client.send(get("/torn"));
  CHECK(body_of(client.response()) == std::string(20, 'x'));
  CHECK(client.at_end());
}

TEST_CASE("limits: 431, 413 by length and by chunks, a route's own limit") {
  HttpServerOptions options;
  options.header_bytes_max = 4096;
  options.body_bytes_max = 100;
  options.body_limit = [](const std::string&, const std::string& path) {
    return std::size_t{path == "/echo" ? 1000U : 100U};
  };
  Fixture fixture(options);
  const auto status = [&](const std::string& request) {
    RawClient client(fixture.server->port());
    client.send(request);
    const std::string response = client.response();
    CHECK(client.at_end());
    return response.substr(9, 3);
  };
  CHECK(status("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(5000, 'a') + "\r\n\r\n") == "431");
  CHECK(status("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n") == "413");
  CHECK(status("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n" +
               std::string(128, 'a') + "\r\n0\r\n\r\n") == "413");
  CHECK(
      status("POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 500\r\n\r\n" +
             std::string(500, 'a')) == "200");
}

TEST_CASE("what is not HTTP, or could be read two ways, is refused with 400 and closed") {
  Fixture fixture;
  const char* const bad[] = {
      "hello\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",                        // no Host
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",  // two
      "GET /../etc HTTP/1.1\r\nHost: x\r\n\r\n",       //
      "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",          //
      "GET /?a=%zz HTTP/1.1\r\nHost: x\r\n\r\n",       //
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\n",  // smuggling
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
      "0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
  };
  for (const char* request : bad) {
    INFO(request);
    RawClient client(fixture.server->port());
    client.send(request);
    CHECK(client.response().starts_with("HTTP/1.1 400 "));
    CHECK(client.at_end());
  }
}

TEST_CASE("a handler that throws is a 500 problem, and the connection survives") {
  Fixture fixture;
  RawClient client(fixture.server->port());
  client.send(get("/throw"));
  const std::string response = client.response();
  CHECK(response.starts_with("HTTP/1.1 500 "));
  CHECK(response.find("application/problem+json") != std::string::npos);
  CHECK(response.find("handler bug") == std::string::npos);  // inner words stay inside
  client.send(get("/echo"));
  CHECK(body_of(client.response()) == "GET ");
}

TEST_CASE("Expect: 100-continue") {
  Fixture fixture;
  RawClient client(fixture.server->port());
  client.send(
      "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  CHECK(body_of(client.response()) == "POST ok");
}

TEST_CASE("a client that leaves cancels its handler, and a streaming body") {
  Fixture fixture;
  {
    RawClient client(fixture.server->port());
    client.send(get("/wait"));
    REQUIRE(eventually([&] { return fixture.seen.started == 1; }));
    CHECK(fixture.seen.cancelled == 0);
  }
  CHECK(eventually([&] { return fixture.seen.cancelled == 1; }));
  {
    RawClient client(fixture.server->port());
    client.send(get("/endless"));
    client.read_until("xxxx");
  }
  CHECK(eventually([&] { return fixture.server->connections() == 0; }));
}

TEST_CASE("slow and silent clients are cut: header, body, idle") {
  HttpServerOptions options;
  options.header_timeout = 50ms;
  options.body_timeout = 50ms;
  options.idle_timeout = 50ms;
  Fixture fixture(options);
  const char* const starts[] = {"", "GET / HT",
                                "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"};
  for (const char* start : starts) {
    INFO(start);
    RawClient client(fixture.server->port());
    client.send(start);
    CHECK(client.at_end());
  }
  RawClient trickle(fixture.server->port());  // slowloris: always a byte, never an end
  bool cut = false;
  trickle.send("GET / HTTP/1.1\r\nA: ");
  for (int i = 0; i < 2000 && !cut; ++i) {
    cut = !trickle.send("a");
    ::usleep(5000);
  }
  CHECK(cut);
}

TEST_CASE("connections are bounded: one more gets 503 with Retry-After, and room is found again") {
  HttpServerOptions options;
  options.connections_max = 2;
  Fixture fixture(options);
  auto one = std::make_unique<RawClient>(fixture.server->port());
  RawClient two(fixture.server->port());
  one->send(get("/echo"));
  two.send(get("/echo"));
  one->response();
  two.response();
  {
    RawClient three(fixture.server->port());
    const std::string response = three.response();
    CHECK(response.starts_with("HTTP/1.1 503 "));
    CHECK(response.find("Retry-After: 1") != std::string::npos);
    CHECK(three.at_end());
  }
  one.reset();
  REQUIRE(eventually([&] { return fixture.server->connections() == 1; }));
  RawClient four(fixture.server->port());
  four.send(get("/echo"));
  CHECK(body_of(four.response()) == "GET ");
}

TEST_CASE("drain: a running request is finished, an idle connection closed, a new one refused") {
  Fixture fixture;
  RawClient idle(fixture.server->port());
  idle.send(get("/echo"));
  idle.response();
  RawClient busy(fixture.server->port());
  busy.send(get("/slow"));
  REQUIRE(eventually([&] { return fixture.seen.started == 1; }));
  run_on(fixture.loop, fixture.server->drain(10s));
  CHECK(fixture.seen.finished == 1);
  const std::string response = busy.response();
  CHECK(body_of(response) == "slow");
  CHECK(response.find("Connection: close") != std::string::npos);
  CHECK(busy.at_end());
  CHECK(idle.at_end());
  CHECK(fixture.server->connections() == 0);
}

TEST_CASE("drain does not wait for ever: after its limit the rest is cut") {
  Fixture fixture;
  RawClient client(fixture.server->port());
  client.send(get("/wait"));
  REQUIRE(eventually([&] { return fixture.seen.started == 1; }));
  run_on(fixture.loop, fixture.server->drain(30ms));
  CHECK(client.at_end());
  CHECK(eventually([&] { return fixture.seen.cancelled == 1; }));
}

TEST_CASE("a Unix socket: mode 0600, a leftover is replaced, a living one is not") {
  const TempDir dir;
  HttpServerOptions options;
  options.unix_path = dir.path / "s";
  {
    Fixture fixture(options);
    struct stat info{};
    REQUIRE(::stat(options.unix_path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    RawClient client(options.unix_path);
    client.send(get("/peer"));
    CHECK(body_of(client.response()) == "unix");
    const auto second =
        HttpServer::start(fixture.loop.executor(), options, HttpHandler(), fixture.log);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::kBusy);
    client.send(get("/peer"));
    CHECK(body_of(client.response()) == "unix");
  }
  const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);  // bound, never listening: as after kill -9
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, options.unix_path.c_str(), options.unix_path.size() + 1);
  ::unlink(options.unix_path.c_str());
  REQUIRE(::bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  ::close(left);
  Fixture again(options);
  RawClient client(options.unix_path);
  client.send(get("/peer"));
  CHECK(body_of(client.response()) == "unix");
}

TEST_CASE("start refuses what cannot work, naming the field") {
  telemetry::NullLog log;
  EventLoop loop("http", log);
  const auto code = [&](const HttpServerOptions& options) {
    const auto server = HttpServer::start(loop.executor(), options, HttpHandler(), log);
    REQUIRE_FALSE(server);
    return server.error().code;
  };
  HttpServerOptions open_world;
  open_world.address = "0.0.0.0";
  CHECK(code(open_world) == ErrorCode::kInvalid);
  HttpServerOptions name;
  name.address = "localhost";
  CHECK(code(name) == ErrorCode::kInvalid);
  HttpServerOptions half_tls;
  half_tls.certificate_file = "cert.pem";
  CHECK(code(half_tls) == ErrorCode::kInvalid);
  HttpServerOptions long_path;
  long_path.unix_path = "/" + std::string(200, 'a');
  CHECK(code(long_path) == ErrorCode::kInvalid);
  Fixture fixture;
  HttpServerOptions taken;
  taken.port = fixture.server->port();
  CHECK(code(taken) == ErrorCode::kBusy);
}
