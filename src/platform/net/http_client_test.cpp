#include "platform/net/http_client.hpp"

#include <cstdio>

#include "platform/net/http_server.hpp"
#include "platform/net/net_test_support.hpp"
#include "platform/net/websocket.hpp"

using namespace yyc3;
using namespace yyc3::net;
using namespace yyc3::net::testing;

namespace {

struct Seen {
  std::atomic<int> started{0};
  std::atomic<int> ended{0};
};

/// Counts its own leaving, however it happens.
struct Guard {
  explicit Guard(Seen& with) : seen(with) { ++seen.started; }
  ~Guard() { ++seen.ended; }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  Seen& seen;
};

Task<Result<std::string>> event(std::shared_ptr<int> number) {
  co_await sleep_for(2ms);
  ++*number;
  co_return *number > 20 ? std::string() : "data: " + std::to_string(*number) + "\n\n";
}

Task<HttpResponse> handle(Seen& seen, HttpRequest request) {
  if (request.path == "/wait") {
    const Guard guard(seen);
    co_await sleep_for(1h);
  }
  if (request.path == "/events") {
    const auto number = std::make_shared<int>(0);
    co_return HttpResponse::stream(200, "text/event-stream", [number] { return event(number); });
  }
  if (request.path == "/big") co_return HttpResponse(200, std::string(100'000, 'b'), "text/plain");
  if (request.path == "/close") {
    HttpResponse response(200, "bye", "text/plain");
    response.headers.set("Connection", "close");
    co_return response;
  }
  HttpResponse response(200, request.method + request.path + request.body, "text/plain");
  response.headers.set("X-Host", request.headers.get("host").value_or(""));
  co_return response;
}

struct Fixture {
  explicit Fixture(HttpServerOptions options = {}) : loop("client", log) {
    HttpHandler handler = [this](HttpRequest request) { return handle(seen, std::move(request)); };
    auto started = HttpServer::start(loop.executor(), std::move(options), handler, log);
    REQUIRE_MESSAGE(started, (started ? "" : started.error().detail));
    server = std::move(*started);
  }
  ~Fixture() {
    server.reset();
    loop.stop();
    loop.join();
  }
  Result<ClientResponse> send(HttpClient& client, ClientRequest request) {
    return run_on(loop, client.send(std::move(request)));
  }
  Result<ClientResponse> get(HttpClient& client, std::string target) {
    ClientRequest request;
    request.target = std::move(target);
    return send(client, std::move(request));
  }
  [[nodiscard]] Endpoint endpoint() const { return Endpoint::tcp("127.0.0.1", server->port()); }

  telemetry::NullLog log;
  Seen seen;
  EventLoop loop;
  std::unique_ptr<HttpServer> server;
};

Task<void> abandon(HttpClient& client, std::shared_ptr<bool> threw) {
  ClientRequest request;
  request.target = "/wait";
  request.deadline = 1h;
  try {
    (void)co_await client.send(std::move(request));
  } catch (...) {
    *threw = true;
    throw;
  }
}

}  // namespace

TEST_CASE("Endpoint::parse") {
  struct Case {
    const char* url;
    const char* host;  // nullptr: refused
    int port;
    const char* base;
  };
  const Case cases[] = {{"http://example.org", "example.org", 80, ""},
                        {"https://example.org/v1/", "example.org", 443, "/v1"},
                        {"http://127.0.0.1:8080/a/b", "127.0.0.1", 8080, "/a/b"},
                        {"wss://[::1]:9/", "::1", 9, ""},
                        {"unix:/run/x.sock", "localhost", 0, ""},
                        {"unix:///run/x.sock", "localhost", 0, ""},
                        {"ftp://x", nullptr, 0, ""},
                        {"example.org", nullptr, 0, ""},
                        {"http://", nullptr, 0, ""},
                        {"http://u:p@x", nullptr, 0, ""},
                        {"http://x:0", nullptr, 0, ""},
                        {"http://x:65536", nullptr, 0, ""},
                        {"http://x:80x", nullptr, 0, ""},
                        {"http://[::1", nullptr, 0, ""},
                        {"http://x y", nullptr, 0, ""},
                        {"http://x/?q", nullptr, 0, ""},
                        {"unix:relative", nullptr, 0, ""}};
  for (const Case& c : cases) {
    INFO(c.url);
    const auto endpoint = Endpoint::parse(c.url);
    CHECK(endpoint.has_value() == (c.host != nullptr));
    if (!endpoint || !c.host) continue;
    CHECK(endpoint->host == c.host);
    CHECK(endpoint->port == c.port);
    CHECK(endpoint->base_path == c.base);
  }
  CHECK(Endpoint::parse("wss://[::1]:9")->host_header() == "[::1]:9");
  CHECK(Endpoint::parse("https://a")->host_header() == "a");
}

TEST_CASE(
    "requests share a connection; one closed meanwhile is noticed; bodies and headers arrive") {
  HttpServerOptions options;
  options.idle_timeout = 40ms;
  Fixture fixture(options);
  HttpClient client(fixture.loop.executor(), fixture.endpoint());
  for (int i = 0; i < 3; ++i) {
    ClientRequest request;
    request.method = "POST";
    request.target = "/x";
    request.body = "hello";
    const auto response = fixture.send(client, request);
    REQUIRE(response);
    CHECK(response->body == "POST/xhello");
    CHECK(response->headers.get("x-host") == fixture.endpoint().host_header());
    CHECK(fixture.server->connections() == 1);
  }
  REQUIRE(eventually([&] { return fixture.server->connections() == 0; }));  // idle: server closed
  CHECK(fixture.get(client, "/x")->body == "GET/x");
  CHECK(fixture.get(client, "/close")->body == "bye");
  CHECK(fixture.get(client, "/x")->body == "GET/x");
}

TEST_CASE("HEAD, a bound on the body, and a request line that nobody can forge") {
  Fixture fixture;
  HttpClient client(fixture.loop.executor(), fixture.endpoint());
  ClientRequest head;
  head.method = "HEAD";
  head.target = "/big";
  CHECK(fixture.send(client, head)->body.empty());
  ClientRequest big;
  big.target = "/big";
  CHECK(fixture.send(client, big)->body.size() == 100'000);
  big.body_bytes_max = 99'999;
  CHECK(fixture.send(client, big).error().code == ErrorCode::kInvalid);
  CHECK(fixture.get(client, "/a HTTP/1.1\r\nX: y").error().code == ErrorCode::kInvalid);
  CHECK(fixture.get(client, "a").error().code == ErrorCode::kInvalid);
}

TEST_CASE("a body is handed on piece by piece, and can be broken off") {
  Fixture fixture;
  HttpClient client(fixture.loop.executor(), fixture.endpoint());
  std::string all;
  int pieces = 0;
  ClientRequest request;
  request.target = "/events";
  request.on_chunk = [&](std::string_view piece) {
    all += piece;
    ++pieces;
    return true;
  };
  const auto whole = fixture.send(client, request);
  REQUIRE(whole);
  CHECK(whole->body.empty());
  CHECK(all.ends_with("data: 20\n\n"));
  CHECK(pieces > 1);
  request.on_chunk = [](std::string_view) { return false; };
  CHECK(fixture.send(client, request).error().code == ErrorCode::kCancelled);
  CHECK(eventually([&] { return fixture.server->connections() <= 1; }));
}

TEST_CASE("a deadline and a cancellation both end the request at the server") {
  Fixture fixture;
  HttpClient client(fixture.loop.executor(), fixture.endpoint());
  ClientRequest request;
  request.target = "/wait";
  request.deadline = 30ms;
  CHECK(fixture.send(client, request).error().code == ErrorCode::kTimeout);
  CHECK(eventually([&] { return fixture.seen.ended == 1; }));

  const auto threw = std::make_shared<bool>(false);
  const Spawned task = fixture.loop.spawn(abandon(client, threw), "abandoned");
  REQUIRE(eventually([&] { return fixture.seen.started == 2; }));
  task.cancel();
  CHECK(eventually([&] { return fixture.seen.ended == 2; }));
  REQUIRE(eventually([&] { return task.done(); }));
  CHECK(*threw);
}

TEST_CASE("nobody there: kUnavailable, on TCP, on a socket file, and for an unknown name") {
  Fixture fixture;
  std::uint16_t dead = 0;
  {
    Fixture other;
    dead = other.server->port();
  }
  HttpClient tcp(fixture.loop.executor(), Endpoint::tcp("127.0.0.1", dead));
  CHECK(fixture.get(tcp, "/").error().code == ErrorCode::kUnavailable);
  HttpClient file(fixture.loop.executor(), Endpoint::unix_socket("/nonexistent/s"));
  CHECK(fixture.get(file, "/").error().code == ErrorCode::kUnavailable);
}

TEST_CASE("over a Unix socket") {
  const TempDir dir;
  HttpServerOptions options;
  options.unix_path = dir.path / "s";
  Fixture fixture(options);
  HttpClient client(fixture.loop.executor(), *Endpoint::parse("unix:" + options.unix_path));
  CHECK(fixture.get(client, "/u")->body == "GET/u");
}

TEST_CASE("TLS: a trusted peer is spoken to, an unknown one and a wrong name are not") {
  const TempDir dir;
  const std::string key = dir.path / "key.pem";
  const std::string certificate = dir.path / "cert.pem";
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
      "/CN=test -addext subjectAltName=IP:127.0.0.1 -keyout " +
      key + " -out " + certificate + " >/dev/null 2>&1";
  REQUIRE(std::system(command.c_str()) == 0);
  HttpServerOptions options;
  options.certificate_file = certificate;
  options.key_file = key;
  Fixture fixture(options);
  Endpoint endpoint = fixture.endpoint();
  endpoint.tls = true;
  HttpClientOptions trusting;
  trusting.ca_file = certificate;
  HttpClient client(fixture.loop.executor(), endpoint, trusting);
  CHECK(fixture.get(client, "/s")->body == "GET/s");
  CHECK(fixture.get(client, "/s")->body == "GET/s");
  CHECK(fixture.server->connections() == 1);

  HttpClient unknown(fixture.loop.executor(), endpoint);
  CHECK(fixture.get(unknown, "/s").error().code == ErrorCode::kUnavailable);
  Endpoint other_name = endpoint;
  other_name.host = "localhost";
  HttpClient wrong(fixture.loop.executor(), other_name, trusting);
  CHECK(fixture.get(wrong, "/s").error().code == ErrorCode::kUnavailable);

  ClientRequest request;  // leaving is seen through TLS too
  request.target = "/wait";
  request.deadline = 30ms;
  CHECK(fixture.send(client, request).error().code == ErrorCode::kTimeout);
  CHECK(eventually([&] { return fixture.seen.ended == 1; }));
}
