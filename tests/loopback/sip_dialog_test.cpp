#include <doctest/doctest.h>

#include "loopback/sip_caller.hpp"
#include "peers/baresip.hpp"
#include "peers/kamailio.hpp"
#include "peers/sipp.hpp"

// What happens inside a call, and behind a proxy that asks for a password.
namespace yyc3::sip {

namespace {

using peers::Sipp;
constexpr Milliseconds kSoon{10'000};

void check_story(Sipp& carrier) {
  const auto status = carrier.wait(Milliseconds{30'000});
  REQUIRE(status);
  const std::string why = *status == 0 ? "" : carrier.errors() + carrier.messages();
  INFO(why);
  CHECK(*status == 0);
}

Trunk trunk_at(const peers::Kamailio& proxy, const std::string& password) {
  Trunk trunk;
  trunk.host = "127.0.0.1";
  trunk.port = proxy.port();
  trunk.auth_user = "yyc3";
  trunk.auth_password = password;
  return trunk;
}

}  // namespace

TEST_CASE("a carrier puts us on hold by re-INVITE and resumes by UPDATE") {
  Sipp carrier("hold");
  Caller caller;
  const auto call = caller.dial(carrier.uri());
  REQUIRE(caller.next<Answered>(call));
  const auto held = caller.next<MediaChanged>(call);
  REQUIRE(held);
  CHECK(held->media.direction == Direction::kRecvOnly);
  const auto back = caller.next<MediaChanged>(call);
  REQUIRE(back);
  CHECK(back->media.direction == Direction::kSendRecv);
  CHECK(back->by_peer);
  peers::sleep_ms(200);
  REQUIRE(caller.agent().hang_up(call));
  CHECK(caller.next<Ended>(call));
  check_story(carrier);
}

TEST_CASE("a re-INVITE without an offer: the answer comes in the ACK") {
  Sipp carrier("late_offer");
  Caller caller;
  const auto call = caller.dial(carrier.uri());
  REQUIRE(caller.next<Answered>(call));
  const auto held = caller.next<MediaChanged>(call);
  REQUIRE(held);
  CHECK(held->media.direction == Direction::kRecvOnly);
  REQUIRE(caller.agent().hang_up(call));
  CHECK(caller.next<Ended>(call));
  check_story(carrier);
}

TEST_CASE("an offer without audio is refused with 488; the call goes on") {
  Sipp carrier("bad_reoffer");
  Caller caller;
  const auto call = caller.dial(carrier.uri());
  REQUIRE(caller.next<Answered>(call));
  REQUIRE(peers::eventually(
      [&] { return carrier.messages().find("SIP/2.0 488") != std::string::npos; }, kSoon));
  peers::sleep_ms(400);
  CHECK(caller.count<Ended>(call) == 0);
  CHECK(caller.count<MediaChanged>(call) == 0);
  REQUIRE(caller.agent().hang_up(call));
  CHECK(caller.next<Ended>(call));
  check_story(carrier);
}

TEST_CASE("REFER, INFO, MESSAGE in mid-call are refused; OPTIONS is answered") {
  Sipp carrier("odd_requests");
  Caller caller;
  const auto call = caller.dial(carrier.uri());
  REQUIRE(caller.next<Answered>(call));
  REQUIRE(peers::eventually(
      [&] { return carrier.messages().find("4 OPTIONS") != std::string::npos; }, kSoon));
  peers::sleep_ms(300);
  CHECK(caller.count<Ended>(call) == 0);
  REQUIRE(caller.agent().hang_up(call));
  CHECK(caller.next<Ended>(call));
  check_story(carrier);
}

TEST_CASE("session timers (RFC 4028): the peer's refresh is answered, ours is sent") {
  SUBCASE("the peer refreshes") {
    Sipp carrier("peer_refresh");
    Caller caller;
    const auto call = caller.dial(carrier.uri());
    REQUIRE(caller.next<Answered>(call));
    REQUIRE(peers::eventually(
        [&] { return carrier.messages().find("1 UPDATE") != std::string::npos; }, kSoon));
    peers::sleep_ms(300);
    REQUIRE(caller.agent().hang_up(call));
    CHECK(caller.next<Ended>(call));
    check_story(carrier);
  }
  SUBCASE("we refresh, twice") {
    Sipp carrier("our_refresh");
    SipConfig config;
    config.session_min_s = 4;
    Caller caller(config);
    const auto call = caller.dial(carrier.uri());
    const auto answered = caller.next<Answered>(call);
    REQUIRE(answered);
    REQUIRE(caller.next<DialogChanged>(call));
    const auto moved = caller.next<DialogChanged>(call);
    REQUIRE(moved);
    CHECK(moved->dialog.cseq == answered->dialog.cseq + 2);
    CHECK(caller.count<Ended>(call) == 0);
    CHECK(caller.count<MediaChanged>(call) == 0);
    REQUIRE(caller.agent().hang_up(call));
    CHECK(caller.next<Ended>(call));
    check_story(carrier);
  }
}

TEST_CASE("our hold: 491 is tried again, 488 is reported") {
  SUBCASE("glare") {
    Sipp carrier("glare");
    Caller caller;
    const auto call = caller.dial(carrier.uri());
    REQUIRE(caller.next<Answered>(call));
    REQUIRE(caller.agent().hold(call));
    const auto held = caller.next<MediaChanged>(call);
    REQUIRE(held);
    CHECK_FALSE(held->by_peer);
    CHECK(held->media.direction == Direction::kSendOnly);
    REQUIRE(caller.agent().hang_up(call));
    CHECK(caller.next<Ended>(call));
    check_story(carrier);
  }
  SUBCASE("refused") {
    Sipp carrier("hold_refused");
    Caller caller;
    const auto call = caller.dial(carrier.uri());
    REQUIRE(caller.next<Answered>(call));
    REQUIRE(caller.agent().hold(call));
    const auto failed = caller.next<HoldFailed>(call);
    REQUIRE(failed);
    CHECK(failed->sip_status == 488);
    CHECK(caller.count<Ended>(call) == 0);
    REQUIRE(caller.agent().hang_up(call));
    CHECK(caller.next<Ended>(call));
    check_story(carrier);
  }
}

TEST_CASE("a peer deaf to our BYE: the call ends all the same") {
  Sipp carrier("deaf_bye");
  Caller caller;
  const auto call = caller.dial(carrier.uri());
  REQUIRE(caller.next<Answered>(call));
  REQUIRE(caller.agent().hang_up(call));
  const auto ended = caller.next<Ended>(call);
  REQUIRE(ended);
  CHECK(ended->who == Who::kUs);
  CHECK(caller.agent().live_calls() == 0);
}

TEST_CASE("a carrier that never accepts our password is asked twice, not more") {
  Sipp carrier("digest_loop");
  Caller caller;
  auto request = caller.request("+8613800138000");
  Trunk trunk;
  trunk.host = "127.0.0.1";
  trunk.port = carrier.port();
  trunk.auth_user = "yyc3";
  trunk.auth_password = "s3cret-word";
  request.trunk = trunk;
  const auto failed = caller.next<Failed>(caller.dial(request));
  REQUIRE(failed);
  CHECK(failed->outcome == Outcome::kForbidden);
  check_story(carrier);
  const std::string messages = caller.messages();
  CHECK(messages.find("INVITE sip:+8613800138000@127.0.0.1") != std::string::npos);
  CHECK(messages.find("Authorization:\n") != std::string::npos);  // the header, not its value
  CHECK(messages.find("s3cret-word") == std::string::npos);
  CHECK(messages.find("response=") == std::string::npos);
}

TEST_CASE("through a proxy with digest: Record-Route is kept, also by an orphan's BYE") {
  peers::Kamailio proxy;
  peers::BaresipOptions options;
  options.registrar = proxy.address();
  options.password = "secret2";
  peers::Baresip phone(options);
  Caller caller;
  auto request = caller.request("sip:callee@" + proxy.address());
  SUBCASE("right password") {
    request.trunk = trunk_at(proxy, "secret");
    const auto call = caller.dial(request);
    const auto answered = caller.next<Answered>(call);
    REQUIRE(answered);
    REQUIRE(answered->dialog.route_set.size() == 1);
    CHECK(answered->dialog.route_set[0].find(proxy.address()) != std::string::npos);
    REQUIRE(caller.agent().hang_up(call));
    CHECK(caller.next<Ended>(call));
    CHECK(phone.wait_event("CALL_CLOSED", kSoon));
    const std::string log = caller.messages();
    const auto bye = log.find("BYE sip:");
    REQUIRE(bye != std::string::npos);
    CHECK(log.rfind(std::to_string(proxy.port()), bye) != std::string::npos);
    CHECK(log.find("Route: <sip:" + proxy.address(), bye) != std::string::npos);
  }
  SUBCASE("an orphan") {
    request.trunk = trunk_at(proxy, "secret");
    const auto answered = caller.next<Answered>(caller.dial(request));
    REQUIRE(answered);
    REQUIRE(phone.wait_event("CALL_ESTABLISHED", kSoon));
    Caller second;
    const auto orphan = second.request("sip:x@127.0.0.1").call;
    REQUIRE(second.agent().send_bye_for(orphan, answered->dialog));
    const auto gone = second.next<OrphanEnded>(orphan);
    REQUIRE(gone);
    CHECK(gone->sip_status == 200);
    CHECK(second.messages().find("Route: <sip:" + proxy.address()) != std::string::npos);
    CHECK(phone.wait_event("CALL_CLOSED", kSoon));
  }
  SUBCASE("wrong password") {
    request.trunk = trunk_at(proxy, "guess");
    const auto call = caller.dial(request);
    const auto failed = caller.next<Failed>(call);
    REQUIRE(failed);
    CHECK(failed->outcome == Outcome::kForbidden);
    CHECK(caller.ended_once(call));
  }
  SUBCASE("no password") {
    const auto failed = caller.next<Failed>(caller.dial(request));
    REQUIRE(failed);
    CHECK(failed->outcome == Outcome::kForbidden);
    CHECK(failed->sip_status == 407);
  }
}

TEST_CASE("incoming calls are refused, garbage is survived") {
  Caller caller;
  const std::string target = "127.0.0.1:" + std::to_string(caller.agent().port());
  peers::TempDir dir;
  peers::Child uac({"sipp", "-sn", "uac", target, "-i", "127.0.0.1", "-p",
                    std::to_string(peers::free_port()), "-m", "5", "-nostdin", "-timeout", "15",
                    "-trace_msg", "-message_file", (dir.path() / "messages").string()},
                   dir.path(), dir.path() / "log");
  REQUIRE(uac.wait(Milliseconds{20'000}));
  const std::string seen = peers::read_file(dir.path() / "messages");
  CHECK(seen.find("SIP/2.0 403") != std::string::npos);
  CHECK(seen.find("SIP/2.0 200") == std::string::npos);
  CHECK(caller.agent().live_calls() == 0);
}

}  // namespace yyc3::sip
