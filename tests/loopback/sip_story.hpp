#pragma once

#include <doctest/doctest.h>
#include <functional>
#include <string>

#include "loopback/sip_caller.hpp"
#include "peers/sipp.hpp"

namespace yyc3::sip {

inline constexpr Milliseconds kSoon{10'000};

/// One call to a carrier (sipp) that plays one story of tests/peers/carriers.
class Story {
 public:
  using Change = std::function<void(DialRequest&)>;
  explicit Story(const std::string& name, const SipConfig& config = {}, const Change& change = {})
      : carrier(name), caller(config), call(caller.dial(request(change))) {}

  /// REQUIREs the answer.
  Answered answered() { return require<Answered>(); }
  /// REQUIREs the next event of type T of this call.
  template <class T>
  T require() {
    const auto event = caller.next<T>(call);
    REQUIRE(event);
    return *event;
  }
  /// REQUIREs that the carrier has sent or received a message with `text` in it.
  void wait_for_message(const std::string& text) {
    REQUIRE(peers::eventually([&] { return carrier.messages().find(text) != std::string::npos; },
                              kSoon));
  }
  /// We hang up the live call; it has ended, and the story went as its file says.
  void hang_up() {
    REQUIRE(caller.agent().hang_up(call));
    CHECK(caller.next<Ended>(call));
    check_carrier();
  }
  /// The story went as its file says.
  void check_carrier() {
    const auto status = carrier.wait(Milliseconds{30'000});
    REQUIRE(status);
    const std::string why = *status == 0 ? "" : carrier.errors() + carrier.messages();
    INFO(why);
    CHECK(*status == 0);
  }
  /// How the call failed: once, with nothing left of it.
  Failed failure() {
    const Failed failed = require<Failed>();
    CHECK(caller.ended_once(call));
    CHECK(caller.agent().live_calls() == 0);
    check_carrier();
    return failed;
  }

  peers::Sipp carrier;
  Caller caller;
  const CallId call;

 private:
  DialRequest request(const Change& change) {
    DialRequest request = caller.request(carrier.uri());
    if (change) change(request);
    return request;
  }
};

}  // namespace yyc3::sip
