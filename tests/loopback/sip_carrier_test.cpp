#include <arpa/inet.h>
#include <cstdlib>
#include <doctest/doctest.h>
#include <random>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "loopback/sip_story.hpp"

// Calls to carriers that refuse, stall and misbehave (sipp, one story a file).
namespace yyc3::sip {

namespace {

using peers::Sipp;
using peers::SippOptions;

Failed failure_of(const std::string& name) { return Story(name).failure(); }

/// A UDP port that says nothing but what the test tells it to.
class RawPeer {
 public:
  RawPeer() {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof where;
    REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&where), size) == 0);
    REQUIRE(getsockname(fd_, reinterpret_cast<sockaddr*>(&where), &size) == 0);
    port_ = ntohs(where.sin_port);
    const timeval limit{5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~RawPeer() { close(fd_); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  [[nodiscard]] std::string uri() const { return "sip:nobody@127.0.0.1:" + std::to_string(port_); }
  /// The next request of this method; "" after 5 s or 2,000 others.
  std::string receive(std::string_view method) {
    for (int tries = 0; tries < 2'000; ++tries) {
      char buffer[8192];
      socklen_t size = sizeof from_;
      const ssize_t got =
          recvfrom(fd_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from_), &size);
      if (got <= 0) return "";
      std::string text(buffer, static_cast<std::size_t>(got));
      if (text.starts_with(method)) return text;
    }
    return "";
  }
  void send(const std::string& text) {
    REQUIRE(sendto(fd_, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&from_),
                   sizeof from_) == static_cast<ssize_t>(text.size()));
  }
  /// A response to `request` with the headers it must repeat; `more` ends the headers and the body.
  [[nodiscard]] std::string response(const std::string& request, const std::string& status,
                                     const std::string& more) const {
    std::string text = "SIP/2.0 " + status + "\r\n";
    for (const char* name : {"Via:", "From:", "To:", "Call-ID:", "CSeq:"}) {
      const auto at = request.find(std::string("\r\n") + name) + 2;
      text += request.substr(at, request.find("\r\n", at) - at);
      const bool tag = name == std::string_view("To:") && !request.starts_with("BYE");
      text += tag ? ";tag=raw\r\n" : "\r\n";
    }
    return text + "Contact: <" + uri() + ">\r\n" + more;
  }
  /// A request of ours inside the dialog that `invite` opened.
  [[nodiscard]] std::string request(const std::string& invite, const std::string& method, int cseq,
                                    const std::string& more) const {
    const auto header = [&invite](const std::string& name) {
      const auto at = invite.find("\r\n" + name) + 2 + name.size();
      return invite.substr(at, invite.find("\r\n", at) - at);
    };
    const std::string contact = header("Contact: <");
    return method + " " + contact.substr(0, contact.find('>')) + " SIP/2.0\r\nVia: SIP/2.0/UDP " +
           uri().substr(11) + ";branch=z9hG4bK" + std::to_string(cseq) + method +
           header("Call-ID: ") + "\r\nFrom: " + header("To: ") +
           ";tag=raw\r\nTo: " + header("From: ") + "\r\nCall-ID: " + header("Call-ID: ") +
           "\r\nCSeq: " + std::to_string(cseq) + " " + method +
           "\r\nMax-Forwards: 70\r\nContact: <" + uri() + ">\r\n" + more +
           "Content-Length: 0\r\n\r\n";
  }
  [[nodiscard]] std::string ok_with_sdp(const std::string& invite) const {
    const std::string sdp =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        "m=audio 40000 RTP/AVP 0\r\n";
    return response(invite, "200 OK",
                    "Content-Type: application/sdp\r\nContent-Length: " +
                        std::to_string(sdp.size()) + "\r\n\r\n" + sdp);
  }

 private:
  int fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  std::uint16_t port_ = 0;
  sockaddr_in from_{};
};

}  // namespace

TEST_CASE("a carrier's refusals become outcomes") {
  SUBCASE("busy") {
    const Failed failed = failure_of("busy");
    CHECK(failed.outcome == Outcome::kBusy);
    CHECK(failed.sip_status == 486);
    CHECK(failed.text == "Busy Here");
  }
  SUBCASE("404") { CHECK(failure_of("not_found").outcome == Outcome::kInvalidNumber); }
  SUBCASE("603") { CHECK(failure_of("reject_603").outcome == Outcome::kRejected); }
  SUBCASE("503 with Retry-After") {
    const Failed failed = failure_of("overload_503");
    CHECK(failed.outcome == Outcome::kTrunkBusy);
    CHECK(failed.retry_after == std::chrono::seconds(7));
  }
  SUBCASE("a cause behind a vague status") {
    const Failed failed = failure_of("no_such_number");
    CHECK(failed.outcome == Outcome::kInvalidNumber);
    CHECK(failed.q850 == 1);
    CHECK(failed.sip_status == 480);
  }
  SUBCASE("302 is not followed") {
    const Failed failed = failure_of("redirect");
    CHECK(failed.sip_status == 302);
    CHECK(failed.outcome == Outcome::kTrunkFailure);
  }
}

TEST_CASE("nothing listens: unreachable at once") {
  Caller caller;
  const auto call = caller.dial("sip:nobody@127.0.0.1:" + std::to_string(peers::free_port()));
  const auto failed = caller.next<Failed>(call, Milliseconds{5'000});
  REQUIRE(failed);
  CHECK(failed->outcome == Outcome::kUnreachable);
  CHECK(caller.ended_once(call));
}

TEST_CASE("a peer that says nothing") {
  RawPeer peer;
  SipConfig config;
  config.invite_timeout = Milliseconds{2'000};
  Caller caller(config);
  SUBCASE("timer B") {
    const auto call = caller.dial(peer.uri());
    const auto failed = caller.next<Failed>(call);
    REQUIRE(failed);
    CHECK(failed->outcome == Outcome::kUnreachable);
    CHECK(failed->sip_status == 408);
  }
  SUBCASE("the ring timeout comes first") {
    auto request = caller.request(peer.uri());
    request.ring_timeout = Milliseconds{300};
    const auto failed = caller.next<Failed>(caller.dial(request));
    REQUIRE(failed);
    CHECK(failed->outcome == Outcome::kUnreachable);
  }
  SUBCASE("we hang up before any answer") {
    const auto call = caller.dial(peer.uri());
    REQUIRE(caller.agent().hang_up(call));
    const auto failed = caller.next<Failed>(call);
    REQUIRE(failed);
    CHECK(failed->outcome == Outcome::kCancelled);
    CHECK(caller.ended_once(call));
  }
}

TEST_CASE("stop() is bounded though no peer answers") {
  RawPeer peer;
  SipConfig config;
  config.drain_limit = Milliseconds{300};
  Caller caller(config);
  std::vector<CallId> calls;
  calls.reserve(120);
  for (int i = 0; i < 120; ++i) calls.push_back(caller.dial(peer.uri()));
  caller.agent().stop();
  for (const auto& call : calls) CHECK(caller.ended_once(call));
  CHECK(caller.agent().live_calls() == 0);
}

TEST_CASE("calls accepted in the moment of stop() end all the same") {
  RawPeer peer;
  SipConfig config;
  config.drain_limit = Milliseconds{0};
  Caller caller(config);
  std::vector<CallId> calls{caller.dial(peer.uri())};
  auto held = caller.hold();  // the signalling thread waits in its first message
  for (int i = 0; i < 20; ++i) calls.push_back(caller.dial(peer.uri()));
  std::thread stopping([&] { caller.agent().stop(); });
  while (caller.agent().dial(caller.request(peer.uri()))) std::this_thread::yield();
  std::this_thread::sleep_for(Milliseconds{50});  // its clock ticks before it takes what waits
  held.unlock();
  stopping.join();
  for (const auto& call : calls) CHECK(caller.ended_once(call));
  CHECK(caller.agent().live_calls() == 0);
}

TEST_CASE("a carrier answers, and hangs up with a reason") {
  Story story("answer_bye");
  story.require<Ringing>();
  story.answered();
  const Ended ended = story.require<Ended>();
  CHECK(ended.who == Who::kPeer);
  CHECK(ended.q850 == 16);
  CHECK(ended.text == "gone");
  story.check_carrier();
}

TEST_CASE("CANCEL carries a reason; 487 closes it") {
  Story story("no_answer", {}, [](DialRequest& r) { r.ring_timeout = Milliseconds{1'000}; });
  CHECK(story.failure().outcome == Outcome::kNoAnswer);
  CHECK(story.carrier.messages().find("Q.850;cause=102") != std::string::npos);
}

TEST_CASE("a 200 that crosses our CANCEL is ACKed and ended") {
  Story story("late_200");
  story.require<Ringing>();
  REQUIRE(story.caller.agent().hang_up(story.call));
  CHECK(story.require<Failed>().outcome == Outcome::kCancelled);
  CHECK(story.caller.count<Answered>(story.call) == 0);
  story.check_carrier();
}

TEST_CASE("early media, then the answer") {
  Story story("early_media");
  const Progress early = story.require<Progress>();
  CHECK(early.media.rtp_port != 0);
  CHECK(story.answered().media == early.media);
  story.hang_up();
}

TEST_CASE("early media, then our CANCEL") {
  Story story("early_cancel");
  story.require<Progress>();
  REQUIRE(story.caller.agent().hang_up(story.call));
  story.require<Failed>();
  story.check_carrier();
}

TEST_CASE("a reliable 183 gets its PRACK") {
  Story story("prack");
  story.require<Progress>();
  story.answered();
  story.hang_up();
}

TEST_CASE("an answer we cannot use is ACKed and ended: no common codec") {
  for (const char* name : {"no_codec", "bad_sdp"}) {
    CAPTURE(name);
    Story story(name);
    const Failed failed = story.failure();
    CHECK(failed.outcome == Outcome::kNoCommonCodec);
    CHECK(failed.sip_status == 488);
    CHECK(story.caller.count<Answered>(story.call) == 0);
  }
}

TEST_CASE("a slow carrier gets the INVITE again; of two phones that answer one is sent away") {
  for (const std::string name : {"slow", "fork"}) {
    CAPTURE(name);
    Story story(name);
    story.answered();
    peers::sleep_ms(700);  // the carrier's second 200
    CHECK(story.caller.count<Answered>(story.call) == 1);
    CHECK(story.caller.count<Ended>(story.call) == 0);
    story.hang_up();
    const std::string messages = story.carrier.messages();
    const bool again = messages.find("INVITE sip:") != messages.rfind("INVITE sip:");
    CHECK(again == (name == "slow"));
  }
}

TEST_CASE("each 200 is acknowledged; the call is answered once") {
  RawPeer peer;
  Caller caller;
  const auto call = caller.dial(peer.uri());
  const std::string invite = peer.receive("INVITE");
  REQUIRE_FALSE(invite.empty());
  for (int i = 0; i < 3; ++i) {
    peer.send(peer.ok_with_sdp(invite));
    CHECK_FALSE(peer.receive("ACK").empty());
  }
  REQUIRE(caller.next<Answered>(call));
  CHECK(caller.count<Answered>(call) == 1);
  REQUIRE(caller.agent().hang_up(call));
  const std::string bye = peer.receive("BYE");
  REQUIRE_FALSE(bye.empty());
  peer.send(peer.response(bye, "200 OK", "Content-Length: 0\r\n\r\n"));
  CHECK(caller.next<Ended>(call));
}

TEST_CASE("Retry-After is reported, and nothing is dialled again behind our back") {
  RawPeer peer;
  Caller caller;
  const auto call = caller.dial(peer.uri());
  const std::string invite = peer.receive("INVITE");
  REQUIRE_FALSE(invite.empty());
  peer.send(peer.response(invite, "503 Full", "Retry-After: 1\r\nContent-Length: 0\r\n\r\n"));
  const auto failed = caller.next<Failed>(call);
  REQUIRE(failed);
  CHECK(failed->outcome == Outcome::kTrunkBusy);
  CHECK(failed->retry_after == std::chrono::seconds(1));
  CHECK(peer.receive("INVITE").empty());
}

TEST_CASE("hostile answers: the agent lives and every call ends") {
  RawPeer peer;
  SipConfig config;
  config.drain_limit = Milliseconds{200};
  config.invite_timeout = Milliseconds{2'000};
  Caller caller(config);
  const std::string long_line(5'000, 'x');
  const std::vector<std::pair<std::string, std::string>> answers = {
      {"200 OK", "Content-Length: 0\r\n\r\n"},
      {"200 OK", "Content-Type: application/sdp\r\nContent-Length: 60000\r\n\r\nv=0\r\n"},
      {"200 " + long_line, "Content-Type: text/html\r\nContent-Length: 4\r\n\r\nv=0\n"},
      {"183 Session Progress", "Require: 100rel\r\nRSeq: 99999999999\r\nContent-Length: 0\r\n\r\n"},
      {"180 Ringing", "Require: 100rel\r\nRSeq: 1\r\nRSeq: 2\r\nContent-Length: 0\r\n\r\n"},
      {"486 \xff\xfe\x01 Busy", "Reason: Q.850;cause=999999999999;text=\"\xff\"\r\n\r\n"},
      {"401 Unauthorized", "WWW-Authenticate: Digest\r\nContent-Length: 0\r\n\r\n"},
      {"407 Denied", "Proxy-Authenticate: Basic realm=\"a\\\"b\"\r\nContent-Length: 0\r\n\r\n"},
      {"422 Small", "Min-SE: 4294967295\r\nContent-Length: 0\r\n\r\n"},
      {"503 Down", "Retry-After: 99999999999999\r\nContent-Length: 0\r\n\r\n"},
      {"302 Moved", "Contact: *\r\nContent-Length: 0\r\n\r\n"},
      {"699 Odd", "Record-Route: <sip:>\r\nContent-Length: -5\r\n\r\n"}};
  for (const auto& [status, more] : answers) {
    CAPTURE(status.substr(0, 40));
    auto request = caller.request(peer.uri());
    request.ring_timeout = Milliseconds{500};
    Trunk trunk;
    trunk.host = "127.0.0.1";
    trunk.auth_user = "u";
    trunk.auth_password = "p";
    request.trunk = trunk;
    request.trunk->port = static_cast<std::uint16_t>(std::stoi(peer.uri().substr(21)));
    const auto call = caller.dial(request);
    const std::string invite = peer.receive("INVITE");
    REQUIRE_FALSE(invite.empty());
    peer.send(peer.response(invite, status, more));
    CHECK(caller.next<Failed>(call));
    CHECK(caller.ended_once(call));
  }
  CHECK(caller.agent().live_calls() == 0);
}

TEST_CASE("damaged messages of every kind, seeded: the agent lives and every call ends") {
  const char* chosen = std::getenv("SEED");
  std::mt19937 random(chosen == nullptr ? 1U : static_cast<unsigned>(std::atoi(chosen)));
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  SipConfig config;
  config.drain_limit = Milliseconds{500};
  Caller caller(config);
  RawPeer peer;
  std::vector<CallId> calls;
  const std::vector<std::string> statuses = {
      "100 Trying", "180 Ringing", "183 Progress", "200 OK",    "302 Moved",    "401 Unauthorized",
      "422 Small",  "486 Busy",    "491 Pending",  "500 Error", "699 Whatever", "999 Odd"};
  const std::vector<std::string> extra = {"Require: 100rel\r\nRSeq: 1\r\n",
                                          "Record-Route: <sip:127.0.0.1:9;lr>\r\n",
                                          "Session-Expires: 1;refresher=uac\r\nRequire: timer\r\n",
                                          "Min-SE: 900\r\n",
                                          "Retry-After: 1\r\n",
                                          "WWW-Authenticate: Digest realm=\"x\", nonce=\"y\"\r\n",
                                          "Allow: UPDATE\r\n",
                                          "Contact: <sip:127.0.0.1:9>\r\n",
                                          ""};
  const std::vector<std::string> methods = {"INVITE", "UPDATE", "BYE",  "CANCEL", "PRACK",
                                            "ACK",    "REFER",  "INFO", "NOTIFY", "OPTIONS"};
  for (int round = 0; round < 150; ++round) {
    const auto call = caller.dial(peer.uri());
    calls.push_back(call);
    const std::string invite = peer.receive("INVITE");
    REQUIRE_FALSE(invite.empty());
    if (below(2) == 0) peer.send(peer.ok_with_sdp(invite));
    for (int i = 0; i < 6; ++i) {
      std::string text;
      if (below(2) == 0)
        text = below(3) == 0
                   ? peer.ok_with_sdp(invite)
                   : peer.response(invite, statuses[below(statuses.size())],
                                   extra[below(extra.size())] + "Content-Length: 0\r\n\r\n");
      else
        text =
            peer.request(invite, methods[below(methods.size())], i + 1, extra[below(extra.size())]);
      for (std::size_t hits = below(4); hits > 0; --hits) {
        const std::size_t at = below(text.size());
        if (below(2) == 0)
          text[at] = static_cast<char>(below(256));
        else
          text.erase(at, below(20));
        if (text.empty()) text = "x";
      }
      peer.send(text);
    }
    static_cast<void>(caller.agent().hang_up(call));
  }
  caller.agent().stop();
  for (const auto& call : calls) CHECK(caller.ended_once(call));
  CHECK(caller.agent().live_calls() == 0);
}

TEST_CASE("a lossy line: every call comes through") {
  SippOptions options;
  options.lost_percent = 5;
  options.calls = 20;
  Sipp carrier("answer", options);
  Caller caller;
  for (int i = 0; i < options.calls; ++i) {
    const auto call = caller.dial(carrier.uri());
    REQUIRE(caller.next<Answered>(call));
    REQUIRE(caller.agent().hang_up(call));
    REQUIRE(caller.next<Ended>(call));
  }
  CHECK(caller.agent().live_calls() == 0);
}

TEST_CASE("TCP to a carrier") {
  SippOptions options;
  options.tcp = true;
  Sipp carrier("answer", options);
  Caller caller;
  const auto call = caller.dial(carrier.uri() + ";transport=tcp");
  REQUIRE(caller.next<Answered>(call));
  REQUIRE(caller.agent().hang_up(call));
  CHECK(caller.next<Ended>(call));
  CHECK(carrier.wait(Milliseconds{30'000}) == 0);
}

TEST_CASE("bounds: calls and commands beyond the limits are refused") {
  RawPeer peer;
  SipConfig config;
  config.max_calls = 3;
  config.drain_limit = Milliseconds{100};
  Caller caller(config);
  for (int i = 0; i < 3; ++i) caller.dial(peer.uri());
  const auto refused = caller.agent().dial(caller.request(peer.uri()));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::kBusy);
}

}  // namespace yyc3::sip
