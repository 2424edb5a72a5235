#include <algorithm>
#include <array>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <stdlib.h>

#include "api/call_routes.hpp"
#include "api/guard.hpp"
#include "api/live_hub.hpp"
#include "api/new_call_body.hpp"
#include "api/router.hpp"
#include "api/socket_messages.hpp"
#include "api/static_files.hpp"
#include "api/system_routes.hpp"
#include "api/talk_socket.hpp"
#include "house/paths.hpp"

using namespace yyc3;
using namespace yyc3::api;

namespace {

RouteHandler nothing() {
  return [](net::HttpRequest, PathParams) -> net::Task<net::HttpResponse> {
    co_return net::HttpResponse(204);
  };
}

struct Folder {
  std::string path = [] {
    std::string name = "/tmp/api-test-XXXXXX";
    return std::string(mkdtemp(name.data()));
  }();
  ~Folder() { std::filesystem::remove_all(path); }
};

net::HttpRequest request(std::string method, std::string path) {
  net::HttpRequest r;
  r.method = std::move(method);
  r.path = std::move(path);
  r.headers.set("Host", "127.0.0.1:8080");
  return r;
}

}  // namespace

TEST_CASE("routes are found by method and pattern; a wrong method names the right ones") {
  Router router;
  router.add({"GET", "/api/v1/calls", false, nothing()});
  router.add({"POST", "/api/v1/calls", false, nothing()});
  router.add({"GET", "/api/v1/calls/{id}", false, nothing()});
  CHECK(router.find("GET", "/api/v1/calls").route != nullptr);
  CHECK(router.find("HEAD", "/api/v1/calls").route != nullptr);
  CHECK(router.find("GET", "/api/v1/calls/7").params.at("id") == "7");
  CHECK(router.find("GET", "/api/v1/calls/").route == nullptr);
  CHECK(router.find("GET", "/api/v1/calls/7/8").route == nullptr);
  CHECK(router.find("DELETE", "/api/v1/calls").route == nullptr);
  CHECK(router.find("DELETE", "/api/v1/calls").allow == "GET, POST");
}

TEST_CASE("every wrong field of a new call is told at once, with the fix") {
  const std::set<std::string> flows{"appointment_reminder"};
  struct Case {
    const char* body;
    std::vector<std::string> fields;
  };
  const Case cases[] = {
      {R"({"to":"+8613800138000"})", {}},
      {R"({"to":"sip:a@127.0.0.1","language":"en","variables":{"customer_name":"王女士"}})", {}},
      {R"({})", {"to"}},
      {R"({"to":null})", {"to"}},
      {R"({"to":""})", {"to"}},
      {R"({"to":7,"language":"fr","flow":"none","x":1})", {"to", "flow", "language", "x"}},
      {R"({"to":"a\nb"})", {"to"}},
      {R"({"to":"+86138","variables":{"bad name":"x","ok":3}})",
       {"variables.bad name", "variables.ok"}},
      {R"({"to":"+86138","variables":[]})", {"variables"}},
  };
  for (const auto& c : cases) {
    CAPTURE(c.body);
    const auto read = read_new_call(c.body, flows);
    REQUIRE(read);
    std::vector<std::string> fields;
    for (const auto& error : read->errors) {
      fields.push_back(error.field);
      CHECK_FALSE(error.reason.empty());
    }
    CHECK(fields == c.fields);
  }
  CHECK_FALSE(read_new_call("[]", flows));
  CHECK_FALSE(read_new_call("{", flows));
}

TEST_CASE("a hostile body cannot make an answer that is huge or no UTF-8") {
  const std::string cut = std::string(63, 'a') + "王";  // byte 64 is in the middle of a character
  const auto read = read_new_call(R"({"to":"+86138",")" + cut + R"(":1})", {});
  REQUIRE((read && read->errors.size() == 1));
  CHECK(read->errors[0].field == std::string(63, 'a'));
  std::string many = "{";
  for (int i = 0; i < 1000; ++i) many += fmt::format(R"("k{}":0,)", i);
  many.back() = '}';
  const auto flood = read_new_call(many, {});
  REQUIRE(flood);
  CHECK(flood->errors.size() == kFieldErrorsMax);
}

TEST_CASE("messages of our sockets: what is none is nothing, and audio comes in whole frames") {
  CHECK(read_watch(R"({"type":"watch","call_id":null})")->call == std::nullopt);
  CHECK_FALSE(read_watch(R"({"type":"watch","call_id":"7"})"));
  CHECK_FALSE(read_watch("watch"));
  CHECK(read_talk_control(R"({"type":"hang_up"})")->digit == 0);
  CHECK(read_talk_control(R"({"type":"dtmf","digit":"#"})")->digit == '#');
  for (const char* digit : {"", "12", "x", "\\u0000", "\\n"}) {
    CAPTURE(digit);
    CHECK_FALSE(read_talk_control(fmt::format(R"({{"type":"dtmf","digit":"{}"}})", digit)));
  }
  std::array<std::int16_t, TalkFrames::kSamples> pcm{};
  const std::string bytes(2 * TalkFrames::kBytes + 5, '\1');
  TalkFrames frames(bytes);
  CHECK((frames.next(pcm) && frames.next(pcm)));
  CHECK(pcm[159] == 0x0101);
  CHECK_FALSE(frames.next(pcm));
}

TEST_CASE("nobody comes in without the token, from another host, or from another site's page") {
  const Folder folder;
  ManualClock clock;
  const auto token = security::TokenFile::open_or_create(folder.path + "/token");
  REQUIRE(token);
  Guard guard(clock, *token, security::WebGuard({{"127.0.0.1", 8080, false}}));
  auto plain = request("GET", "/api/v1/calls");
  CHECK(guard.check(plain, false)->status == 401);
  CHECK_FALSE(guard.check(plain, true));
  auto good = plain;
  good.headers.set("Authorization", "Bearer " + token->text());
  CHECK_FALSE(guard.check(good, false));
  auto wrong = plain;
  wrong.headers.set("Authorization", "Bearer " + std::string(43, 'x'));
  CHECK(guard.check(wrong, false)->status == 401);
  auto rebound = good;
  rebound.headers.set("Host", "evil.example");
  CHECK(guard.check(rebound, false)->status == 403);
  auto foreign = good;
  foreign.headers.set("Origin", "https://evil.example");
  CHECK(guard.check(foreign, false)->status == 403);
}

TEST_CASE("a login code is good once and for ten minutes, its session for twelve hours") {
  const Folder folder;
  ManualClock clock;
  const auto token = security::TokenFile::open_or_create(folder.path + "/token");
  Guard guard(clock, *token, security::WebGuard({{"127.0.0.1", 8080, false}}));
  const std::string code = guard.make_login_code();
  const auto cookie = guard.trade(code, false);
  REQUIRE(cookie);
  CHECK_FALSE(guard.trade(code, false));
  CHECK(cookie->find("HttpOnly; SameSite=Strict") != std::string::npos);
  auto with_cookie = request("GET", "/api/v1/calls");
  with_cookie.headers.set("Cookie", "a=b; " + cookie->substr(0, cookie->find(';')));
  CHECK_FALSE(guard.check(with_cookie, false));
  clock.advance(std::chrono::hours(13));
  CHECK(guard.check(with_cookie, false)->status == 401);
  const std::string late = guard.make_login_code();
  clock.advance(std::chrono::minutes(11));
  CHECK_FALSE(guard.trade(late, false));
}

TEST_CASE("the console is served from memory: hashed files for ever, pages never cached") {
  const Folder folder;
  std::filesystem::create_directories(folder.path + "/assets");
  std::ofstream(folder.path + "/index.html") << "<!doctype html>";
  std::ofstream(folder.path + "/assets/app-1a2b.js") << "1";
  const auto files = StaticFiles::load(folder.path);
  REQUIRE(files);
  const auto page = files->serve(request("GET", "/calls/7"));
  REQUIRE(page);
  CHECK(page->body == "<!doctype html>");
  CHECK(*page->headers.get("Cache-Control") == "no-cache");
  const auto asset = files->serve(request("GET", "/assets/app-1a2b.js"));
  REQUIRE(asset);
  CHECK(asset->headers.get("Cache-Control")->find("immutable") != std::string_view::npos);
  auto again = request("GET", "/assets/app-1a2b.js");
  again.headers.set("If-None-Match", *asset->headers.get("ETag"));
  CHECK(files->serve(again)->status == 304);
  CHECK_FALSE(files->serve(request("GET", "/assets/none.js")));
  CHECK_FALSE(StaticFiles::load(folder.path + "/assets"));
}

namespace {

/// "GET /api/v1/calls" … of openapi.yaml, read by its indentation.
std::set<std::string> documented_routes() {
  std::ifstream in(paths::source_dir() / "src/api/openapi.yaml");
  std::set<std::string> found;
  std::string line, path;
  bool in_paths = false;
  const std::regex path_line("^  (/[^:]*):$");
  const std::regex method_line("^    (get|post|put|delete|patch):$");
  std::smatch m;
  while (std::getline(in, line)) {
    if (!line.empty() && line[0] != ' ') in_paths = line == "paths:";
    if (!in_paths) continue;
    if (std::regex_match(line, m, path_line)) path = m[1];
    if (!std::regex_match(line, m, method_line)) continue;
    std::string method = m[1];
    std::transform(method.begin(), method.end(), method.begin(),
                   [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    found.insert(method + " " + path);
  }
  return found;
}

}  // namespace

TEST_CASE("openapi.yaml and the router name the same routes, both ways") {
  // The routes keep references and use none of them while they are only listed.
  const Folder folder;
  ManualClock clock;
  telemetry::NullLog log;
  telemetry::Registry metrics;
  events::Bus bus;
  net::EventLoop loop("api-test", log);
  const auto token = security::TokenFile::open_or_create(folder.path + "/token");
  Guard guard(clock, *token, security::WebGuard({{"127.0.0.1", 8080, false}}));
  alignas(16) unsigned char never_used[8192] = {};
  auto& calls = *reinterpret_cast<call::CallService*>(never_used);
  auto& store = *reinterpret_cast<call::CallStore*>(never_used);
  auto& recordings = *reinterpret_cast<call::Recordings*>(never_used);
  Router router;
  CallRoutes call_routes(calls, store, recordings, {});
  TalkSocket talk(calls, {}, log);
  SystemRoutes system(guard, metrics, calls, {}, [] { return std::vector<std::string>(); });
  LiveHub live(loop, bus, store, metrics);
  call_routes.add_to(router);
  talk.add_to(router);
  system.add_to(router);
  live.add_to(router);
  std::set<std::string> built;
  for (const auto& route : router.routes()) built.insert(route.method + " " + route.pattern);
  CHECK(built == documented_routes());
}
