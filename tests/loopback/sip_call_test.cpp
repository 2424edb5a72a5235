#include <doctest/doctest.h>

#include "loopback/sip_caller.hpp"
#include "peers/baresip.hpp"

// Calls to a real phone (baresip, whose SIP stack is not ours).
namespace yyc3::sip {

namespace {

constexpr Milliseconds kSoon{10'000};
using peers::Baresip;
using peers::BaresipOptions;

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("a phone answers and we hang up") {
  Baresip phone;
  Caller caller;
  const auto call = caller.dial(phone.uri());
  const auto answered = caller.next<Answered>(call);
  REQUIRE(answered);
  CHECK(answered->media.codec == AudioCodec::kPcmu);
  CHECK(answered->media.payload_type == 0);
  CHECK(answered->media.dtmf_payload_type == 101);
  CHECK(answered->media.address == "127.0.0.1");
  CHECK(answered->media.direction == Direction::kSendRecv);
  CHECK(answered->setup >= answered->round_trip);
  REQUIRE(phone.wait_event("CALL_ESTABLISHED", kSoon));
  CHECK(caller.agent().live_calls() == 1);
  REQUIRE(caller.agent().hang_up(call, {16, "done"}));
  const auto ended = caller.next<Ended>(call);
  REQUIRE(ended);
  CHECK(ended->who == Who::kUs);
  CHECK(ended->outcome == Outcome::kCompleted);
  CHECK(phone.wait_event("CALL_CLOSED", kSoon));
  CHECK(phone.log().find("Reason: Q.850;cause=16;text=\"done\"") != std::string::npos);
  CHECK(caller.ended_once(call));
  CHECK(caller.agent().live_calls() == 0);
}

TEST_CASE("the phone hangs up") {
  Baresip phone;
  Caller caller;
  const auto call = caller.dial(phone.uri());
  REQUIRE(caller.next<Answered>(call));
  phone.command("hangup");
  const auto ended = caller.next<Ended>(call);
  REQUIRE(ended);
  CHECK(ended->who == Who::kPeer);
  CHECK(ended->outcome == Outcome::kCompleted);
  CHECK(caller.ended_once(call));
  CHECK(caller.agent().live_calls() == 0);
}

TEST_CASE("a phone that rings: picked up later, refused, or left ringing") {
  BaresipOptions manual;
  manual.answer = "manual";
  Baresip phone(manual);
  Caller caller;
  SUBCASE("picked up") {
    const auto call = caller.dial(phone.uri());
    REQUIRE(caller.next<Ringing>(call));
    REQUIRE(phone.wait_event("CALL_INCOMING", kSoon));
    phone.command("accept");
    CHECK(caller.next<Answered>(call));
  }
  SUBCASE("refused") {
    const auto call = caller.dial(phone.uri());
    REQUIRE(caller.next<Ringing>(call));
    REQUIRE(phone.wait_event("CALL_INCOMING", kSoon));
    phone.command("hangup");
    const auto failed = caller.next<Failed>(call);
    REQUIRE(failed);
    CHECK(failed->sip_status == 486);
    CHECK(failed->outcome == Outcome::kBusy);
    CHECK(caller.ended_once(call));
  }
  SUBCASE("nobody answers: CANCEL at the ring timeout") {
    auto request = caller.request(phone.uri());
    request.ring_timeout = Milliseconds{1'500};
    const auto call = caller.dial(request);
    const auto failed = caller.next<Failed>(call);
    REQUIRE(failed);
    CHECK(failed->outcome == Outcome::kNoAnswer);
    CHECK(failed->sip_status == 487);
    CHECK(phone.wait_event("CALL_CLOSED", kSoon));
    CHECK(caller.ended_once(call));
  }
  SUBCASE("we give up while it rings") {
    const auto call = caller.dial(phone.uri());
    REQUIRE(caller.next<Ringing>(call));
    REQUIRE(caller.agent().hang_up(call));
    REQUIRE(caller.agent().hang_up(call));  // twice is once
    const auto failed = caller.next<Failed>(call);
    REQUIRE(failed);
    CHECK(failed->outcome == Outcome::kCancelled);
    CHECK(phone.wait_event("CALL_CLOSED", kSoon));
    CHECK(caller.ended_once(call));
  }
  CHECK(caller.agent().live_calls() <= 1);
}

TEST_CASE("hold and resume by the phone") {
  Baresip phone;
  Caller caller;
  const auto call = caller.dial(phone.uri());
  REQUIRE(caller.next<Answered>(call));
  REQUIRE(phone.wait_event("CALL_ESTABLISHED", kSoon));
  phone.command("hold");
  const auto held = caller.next<MediaChanged>(call);
  REQUIRE(held);
  CHECK(held->by_peer);
  CHECK(held->media.direction == Direction::kRecvOnly);
  phone.command("resume");
  const auto back = caller.next<MediaChanged>(call);
  REQUIRE(back);
  CHECK(back->media.direction == Direction::kSendRecv);
  REQUIRE(caller.agent().hang_up(call));
  CHECK(caller.next<Ended>(call));
}

TEST_CASE("hold and resume by us") {
  Baresip phone;
  Caller caller;
  const auto call = caller.dial(phone.uri());
  const auto answered = caller.next<Answered>(call);
  REQUIRE(answered);
  REQUIRE(phone.wait_event("CALL_ESTABLISHED", kSoon));
  REQUIRE(caller.agent().hold(call));
  const auto held = caller.next<MediaChanged>(call);
  REQUIRE(held);
  CHECK_FALSE(held->by_peer);
  CHECK(held->media.direction == Direction::kSendOnly);
  REQUIRE(caller.agent().resume(call));
  const auto back = caller.next<MediaChanged>(call);
  REQUIRE(back);
  CHECK(back->media.direction == Direction::kSendRecv);
  const auto moved = caller.next<DialogChanged>(call, Milliseconds{100});
  CHECK(count_of(phone.log(), "a=sendonly") >= 1);
  REQUIRE(caller.agent().hang_up(call));
  CHECK(caller.next<Ended>(call));
  CHECK_FALSE(moved);  // it came before, in order, and was passed over
  CHECK(caller.count<DialogChanged>(call) == 2);
}

TEST_CASE("a call over TCP") {
  Baresip phone;
  Caller caller;
  const auto call = caller.dial(phone.uri() + ";transport=tcp");
  const auto answered = caller.next<Answered>(call);
  REQUIRE(answered);
  CHECK(answered->dialog.transport == Transport::kTcp);
  CHECK(caller.messages().find("tcp/[127.0.0.1]") != std::string::npos);
  REQUIRE(caller.agent().hang_up(call));
  CHECK(caller.next<Ended>(call));
  CHECK(phone.wait_event("CALL_CLOSED", kSoon));
}

TEST_CASE("a phone with another codec order, and one without a common codec") {
  Caller caller;
  SUBCASE("A-law only") {
    BaresipOptions options;
    options.codecs = "PCMA/8000/1";
    Baresip phone(options);
    const auto call = caller.dial(phone.uri());
    const auto answered = caller.next<Answered>(call);
    REQUIRE(answered);
    CHECK(answered->media.codec == AudioCodec::kPcma);
    CHECK(answered->media.payload_type == 8);
  }
  SUBCASE("we offer only what the phone has not") {
    BaresipOptions options;
    options.codecs = "PCMA/8000/1";
    Baresip phone(options);
    auto request = caller.request(phone.uri());
    request.media.codecs = {AudioCodec::kPcmu};
    const auto call = caller.dial(request);
    const auto failed = caller.next<Failed>(call);
    REQUIRE(failed);
    CHECK(failed->outcome == Outcome::kNoCommonCodec);
    CHECK(caller.ended_once(call));
  }
}

TEST_CASE("kill -9 and a new process: the orphaned dialog is ended") {
  Baresip phone;
  DialogState dialog;
  {
    Caller first;
    const auto call = first.dial(phone.uri());
    auto answered = first.next<Answered>(call);
    REQUIRE(answered);
    REQUIRE(phone.wait_event("CALL_ESTABLISHED", kSoon));
    dialog = answered->dialog;
    const auto text = dialog.to_json();
    const auto read = DialogState::from_json(text);
    REQUIRE(read);
    CHECK(*read == dialog);
    dialog = *read;

    Caller second;  // the first one still lives, but says nothing: as if it were gone
    const auto orphan = second.request(phone.uri()).call;
    REQUIRE(second.agent().send_bye_for(orphan, dialog));
    const auto gone = second.next<OrphanEnded>(orphan);
    REQUIRE(gone);
    CHECK(gone->gone);
    CHECK(gone->sip_status == 200);
    CHECK(phone.wait_event("CALL_CLOSED", kSoon));
    const std::string trace = phone.log();
    const auto bye = trace.find("BYE " + dialog.remote_target);
    REQUIRE(bye != std::string::npos);
    CHECK(trace.find("Call-ID: " + dialog.call_id, bye) != std::string::npos);
    const auto tag = [](const std::string& uri) { return uri.substr(uri.find(";tag=")); };
    CHECK(trace.find(tag(dialog.local_uri), bye) != std::string::npos);
    CHECK(trace.find(tag(dialog.remote_uri), bye) != std::string::npos);
    CHECK(trace.find(std::to_string(dialog.cseq + 1'000) + " BYE", bye) != std::string::npos);

    REQUIRE(second.agent().send_bye_for(orphan, dialog));  // again: the phone knows it no more
    const auto unknown = second.next<OrphanEnded>(orphan);
    REQUIRE(unknown);
    CHECK(unknown->gone);
    CHECK(unknown->sip_status == 481);
  }
}

TEST_CASE("stop() ends what lives and reports it") {
  Baresip phone;
  Caller caller;
  const auto first = caller.dial(phone.uri());
  const auto second = caller.dial(phone.uri());
  REQUIRE(caller.next<Answered>(first));
  REQUIRE(caller.next<Answered>(second));
  caller.agent().stop();
  CHECK(caller.ended_once(first));
  CHECK(caller.ended_once(second));
  CHECK(caller.agent().live_calls() == 0);
  CHECK(caller.agent().dial(caller.request(phone.uri())).error().code == ErrorCode::kUnavailable);
  CHECK(peers::eventually([&] { return count_of(phone.log(), "BYE sip:") >= 2; }, kSoon));
}

}  // namespace yyc3::sip
