#include <doctest/doctest.h>

#include "loopback/sip_story.hpp"
#include "peers/baresip.hpp"
#include "peers/kamailio.hpp"

// What happens inside a call, and behind a proxy that asks for a password.
namespace yyc3::sip {

namespace {

Trunk trunk_at(std::uint16_t port, const std::string& password) {
  Trunk trunk;
  trunk.host = "127.0.0.1";
  trunk.port = port;
  trunk.auth_user = "yyc3";
  trunk.auth_password = password;
  return trunk;
}

}  // namespace

TEST_CASE("a carrier puts us on hold by re-INVITE and resumes by UPDATE") {
  Story story("hold");
  story.answered();
  CHECK(story.require<MediaChanged>().media.direction == Direction::kRecvOnly);
  const MediaChanged back = story.require<MediaChanged>();
  CHECK(back.media.direction == Direction::kSendRecv);
  CHECK(back.by_peer);
  peers::sleep_ms(200);
  story.hang_up();
}

TEST_CASE("a re-INVITE without an offer: the answer comes in the ACK") {
  Story story("late_offer");
  story.answered();
  CHECK(story.require<MediaChanged>().media.direction == Direction::kRecvOnly);
  story.hang_up();
}

TEST_CASE("an offer without audio is refused with 488; the call goes on") {
  Story story("bad_reoffer");
  story.answered();
  story.wait_for_message("SIP/2.0 488");
  peers::sleep_ms(400);
  CHECK(story.caller.count<Ended>(story.call) == 0);
  CHECK(story.caller.count<MediaChanged>(story.call) == 0);
  story.hang_up();
}

TEST_CASE("REFER, INFO, MESSAGE in mid-call are refused; OPTIONS is answered") {
  Story story("odd_requests");
  story.answered();
  story.wait_for_message("4 OPTIONS");
  peers::sleep_ms(300);
  CHECK(story.caller.count<Ended>(story.call) == 0);
  story.hang_up();
}

TEST_CASE("session timers (RFC 4028): the peer's refresh is answered") {
  Story story("peer_refresh");
  story.answered();
  story.wait_for_message("1 UPDATE");
  peers::sleep_ms(300);
  story.hang_up();
}

TEST_CASE("session timers (RFC 4028): we refresh, twice") {
  SipConfig config;
  config.session_min_s = 4;
  Story story("our_refresh", config);
  const Answered answered = story.answered();
  story.require<DialogChanged>();
  CHECK(story.require<DialogChanged>().dialog.cseq == answered.dialog.cseq + 2);
  CHECK(story.caller.count<Ended>(story.call) == 0);
  CHECK(story.caller.count<MediaChanged>(story.call) == 0);
  story.hang_up();
}

TEST_CASE("our hold: 491 is tried again") {
  Story story("glare");
  story.answered();
  REQUIRE(story.caller.agent().hold(story.call));
  const MediaChanged held = story.require<MediaChanged>();
  CHECK_FALSE(held.by_peer);
  CHECK(held.media.direction == Direction::kSendOnly);
  story.hang_up();
}

TEST_CASE("our hold: 488 is reported, the call goes on") {
  Story story("hold_refused");
  story.answered();
  REQUIRE(story.caller.agent().hold(story.call));
  CHECK(story.require<HoldFailed>().sip_status == 488);
  CHECK(story.caller.count<Ended>(story.call) == 0);
  story.hang_up();
}

TEST_CASE("a peer deaf to our BYE: the call ends all the same") {
  Story story("deaf_bye");
  story.answered();
  REQUIRE(story.caller.agent().hang_up(story.call));
  CHECK(story.require<Ended>().who == Who::kUs);
  CHECK(story.caller.agent().live_calls() == 0);
}

TEST_CASE("a carrier that never accepts our password is asked twice, not more") {
  peers::Sipp carrier("digest_loop");
  Caller caller;
  auto request = caller.request("+8613800138000");
  request.trunk = trunk_at(carrier.port(), "s3cret-word");
  const auto failed = caller.next<Failed>(caller.dial(request));
  REQUIRE(failed);
  CHECK(failed->outcome == Outcome::kForbidden);
  CHECK(carrier.wait(Milliseconds{30'000}) == 0);
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
    request.trunk = trunk_at(proxy.port(), "secret");
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
    request.trunk = trunk_at(proxy.port(), "secret");
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
    request.trunk = trunk_at(proxy.port(), "guess");
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
