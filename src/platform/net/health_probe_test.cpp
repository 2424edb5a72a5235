#include "platform/net/health_probe.hpp"

#include <doctest/doctest.h>
#include <vector>

#include "platform/net/http_server.hpp"
#include "platform/net/loop_test_support.hpp"

namespace yyc3::net {
namespace {

/// A process whose health is what the test says.
struct Patient {
  telemetry::NullLog log;
  int status = 200;
  bool silent = false;
  std::vector<bool> changes;
  int hangs = 0;
  EventLoop loop{"probe test", log};
  std::unique_ptr<HttpServer> server;
  std::unique_ptr<HealthProbe> probe;

  Patient() {
    testing::on_loop(loop, [this] {
      HttpHandler handler = [this](HttpRequest) { return answer(); };
      auto started = HttpServer::start(loop.executor(), {}, std::move(handler), log);
      REQUIRE(started);
      server = std::move(*started);
      HealthProbeConfig config;
      config.every = Milliseconds{5};
      config.timeout = Milliseconds{100};
      config.on_change = [this](bool up) { changes.push_back(up); };
      config.on_hang = [this] { ++hangs; };
      probe = std::make_unique<HealthProbe>(loop, Endpoint::tcp("127.0.0.1", server->port()),
                                            std::move(config));
    });
  }
  ~Patient() {
    testing::on_loop(loop, [this] { probe.reset(); });
  }
  Task<HttpResponse> answer() {
    while (silent) co_await sleep_for(Milliseconds{2});
    co_return HttpResponse(status, "{}");
  }
  bool eventually(const std::function<bool()>& done) { return testing::eventually_on(loop, done); }
};

TEST_CASE("a process that is there is up, one that went away is not, and neither hangs") {
  Patient patient;
  REQUIRE(patient.eventually([&] { return patient.changes == std::vector<bool>{true}; }));
  testing::on_loop(patient.loop, [&] { patient.server->stop(); });
  REQUIRE(patient.eventually([&] { return patient.changes.size() == 2; }));
  testing::on_loop(patient.loop, [&] {
    CHECK_FALSE(patient.changes.back());
    CHECK(patient.hangs == 0);
  });
}

TEST_CASE("one that says that it is stuck, or says nothing, hangs") {
  Patient patient;
  REQUIRE(patient.eventually([&] { return !patient.changes.empty(); }));
  testing::on_loop(patient.loop, [&] { patient.status = 503; });
  REQUIRE(patient.eventually([&] { return patient.hangs > 0; }));
  testing::on_loop(patient.loop, [&] {
    patient.status = 200;
    patient.silent = true;
    patient.hangs = 0;
  });
  CHECK(patient.eventually([&] { return patient.hangs > 0; }));
  testing::on_loop(patient.loop, [&] { patient.silent = false; });
}

}  // namespace
}  // namespace yyc3::net
