#include "engine/telephony/sip/sip_agent.hpp"

#include <doctest/doctest.h>

#include "platform/telemetry/log.hpp"

// The stories with real peers are in tests/loopback/sip_*; here is what needs none.
namespace yyc3::sip {

namespace {

struct Fixture {
  SystemClock clock;
  telemetry::NullLog log;
  Result<std::unique_ptr<SipAgent>> start(const SipConfig& config = {}) {
    return SipAgent::start(config, clock, log, [](const SipEvent&) {});
  }
  DialRequest request() {
    DialRequest request;
    request.call = CallId::make(clock);
    request.target = "sip:nobody@127.0.0.1:9";
    request.media.rtp_port = 22'000;
    return request;
  }
};

}  // namespace

TEST_CASE("a bad configuration names its field") {
  Fixture f;
  const auto error = [&f](auto change) {
    SipConfig config;
    change(config);
    const auto started = f.start(config);
    REQUIRE_FALSE(started);
    CHECK(started.error().code == ErrorCode::kInvalid);
    return started.error().detail;
  };
  CHECK(error([](SipConfig& c) { c.bind_address = "localhost"; }).find("sip.listen") == 0);
  CHECK(error([](SipConfig& c) { c.session_expires_s = 30; }).find("sip.session_expires_s") == 0);
  CHECK(error([](SipConfig& c) { c.max_calls = 0; }).find("sip.max_calls") == 0);
  CHECK(error([](SipConfig& c) { c.user_agent = "a\r\nb"; }).find("sip.user_agent") == 0);
  CHECK(error([](SipConfig& c) { c.invite_timeout = Milliseconds{1}; }).find("sip.invite") == 0);
}

TEST_CASE("a port that is taken, an address that is not ours") {
  Fixture f;
  const auto first = f.start();
  REQUIRE(first);
  SipConfig config;
  config.port = (*first)->port();
  const auto second = f.start(config);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::kUnavailable);
  CHECK(second.error().detail.find(std::to_string(config.port)) != std::string::npos);
  SipConfig elsewhere;
  elsewhere.bind_address = "192.0.2.1";
  elsewhere.port = 5'060;
  CHECK_FALSE(f.start(elsewhere));
}

TEST_CASE("a bad request names its field and starts nothing") {
  Fixture f;
  const auto agent = f.start();
  REQUIRE(agent);
  const auto error = [&](auto change) {
    DialRequest request = f.request();
    change(request);
    const auto dialled = (*agent)->dial(request);
    REQUIRE_FALSE(dialled);
    CHECK(dialled.error().code == ErrorCode::kInvalid);
    return dialled.error().detail;
  };
  CHECK(error([](DialRequest& r) { r.target = "tel:110"; }).find("target") == 0);
  CHECK(error([](DialRequest& r) { r.target = "+8613800138000"; }).find("target") == 0);
  CHECK(error([](DialRequest& r) { r.target = "+86x"; }).find("target") == 0);
  CHECK(error([](DialRequest& r) { r.target = "sip:a@b\r\nVia: c"; }).find("target") == 0);
  CHECK(error([](DialRequest& r) { r.caller_id = "1\n2"; }).find("caller_id") == 0);
  CHECK(error([](DialRequest& r) { r.media.rtp_port = 0; }).find("media.rtp_port") == 0);
  CHECK(error([](DialRequest& r) { r.media.address = "phone.example"; }).find("media.address") ==
        0);
  CHECK(error([](DialRequest& r) { r.media.codecs.clear(); }).find("media.codecs") == 0);
  CHECK(error([](DialRequest& r) { r.media.dtmf_payload_type = 0; }).find("media.dtmf") == 0);
  CHECK(error([](DialRequest& r) { r.ring_timeout = Milliseconds{0}; }).find("ring_timeout") == 0);
  CHECK(error([](DialRequest& r) { r.headers = {{"X-A", "b\r\nc"}}; }).find("headers") == 0);
  CHECK(error([](DialRequest& r) { r.headers = {{"Via", "b"}}; }).find("headers") == 0);
  CHECK(error([](DialRequest& r) { r.headers = {{"X A", "b"}}; }).find("headers") == 0);
  CHECK(error([](DialRequest& r) { r.headers.assign(17, {"X-A", "b"}); }).find("headers") == 0);
  CHECK(error([](DialRequest& r) {
          r.trunk = Trunk{};
          r.trunk->host = "a\r\nb";
        }).find("trunk") == 0);
  CHECK((*agent)->live_calls() == 0);
}

TEST_CASE("agents start, stop twice, and start again") {
  Fixture f;
  for (int i = 0; i < 5; ++i) {
    auto agent = f.start();
    REQUIRE(agent);
    CHECK((*agent)->port() != 0);
    (*agent)->stop();
    (*agent)->stop();
    CHECK((*agent)->dial(f.request()).error().code == ErrorCode::kUnavailable);
    CHECK((*agent)->hang_up(f.request().call).error().code == ErrorCode::kUnavailable);
  }
}

}  // namespace yyc3::sip
