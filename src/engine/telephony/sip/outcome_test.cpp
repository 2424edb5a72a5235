#include "engine/telephony/sip/outcome.hpp"

#include <doctest/doctest.h>
#include <set>
#include <string>

#include "base/bytes.hpp"

namespace yyc3::sip {

namespace {
Outcome of(int status, std::optional<int> q850 = std::nullopt, bool network = true,
           bool retry_after = false) {
  return outcome_of({status, q850, network, retry_after});
}
}  // namespace

TEST_CASE("every outcome has a name of its own and two texts, and is found by its name") {
  std::set<std::string> names;
  for (int i = 0; i <= static_cast<int>(Outcome::kInternal); ++i) {
    const auto outcome = static_cast<Outcome>(i);
    const OutcomeInfo& info = describe(outcome);
    CHECK(info.outcome == outcome);
    CHECK(names.insert(std::string(info.name)).second);
    CHECK(info.en.size() > 5);
    CHECK(info.zh.size() > 5);
    CHECK(is_utf8(info.zh));
    CHECK(*parse_outcome(info.name) == outcome);
  }
  CHECK(parse_outcome("nonsense").error().code == ErrorCode::kInvalid);
}

TEST_CASE("SIP statuses") {
  CHECK(of(486) == Outcome::kBusy);
  CHECK(of(600) == Outcome::kBusy);
  CHECK(of(603) == Outcome::kRejected);
  CHECK(of(607) == Outcome::kRejected);
  CHECK(of(404) == Outcome::kInvalidNumber);
  CHECK(of(484) == Outcome::kInvalidNumber);
  CHECK(of(604) == Outcome::kInvalidNumber);
  CHECK(of(480) == Outcome::kUnavailable);
  CHECK(of(401) == Outcome::kForbidden);
  CHECK(of(403) == Outcome::kForbidden);
  CHECK(of(407) == Outcome::kForbidden);
  CHECK(of(904) == Outcome::kForbidden);  // Sofia: the password was refused twice
  CHECK(of(488) == Outcome::kNoCommonCodec);
  CHECK(of(606) == Outcome::kNoCommonCodec);
  CHECK(of(500) == Outcome::kTrunkFailure);
  CHECK(of(502) == Outcome::kTrunkFailure);
  CHECK(of(302) == Outcome::kTrunkFailure);
  CHECK(of(0) == Outcome::kInternal);
  CHECK(of(900) == Outcome::kInternal);
}

TEST_CASE("who said it makes a difference") {
  CHECK(of(503, std::nullopt, true, false) == Outcome::kTrunkFailure);
  CHECK(of(503, std::nullopt, true, true) == Outcome::kTrunkBusy);
  CHECK(of(503, std::nullopt, false) == Outcome::kUnreachable);  // ICMP: nobody listens
  CHECK(of(408) == Outcome::kTimeout);
  CHECK(of(408, std::nullopt, false) == Outcome::kUnreachable);  // timer B
}

TEST_CASE("a definite cause wins over a vague status, never over a definite one") {
  CHECK(of(480, 1) == Outcome::kInvalidNumber);
  CHECK(of(480, 19) == Outcome::kNoAnswer);
  CHECK(of(500, 17) == Outcome::kBusy);
  CHECK(of(503, 34) == Outcome::kTrunkBusy);
  CHECK(of(603, 17) == Outcome::kBusy);
  CHECK(of(480, 16) == Outcome::kUnavailable);  // normal clearing says nothing
  CHECK(of(480, 31) == Outcome::kUnavailable);
  CHECK(of(486, 1) == Outcome::kBusy);
  CHECK(of(404, 17) == Outcome::kInvalidNumber);
  CHECK(of(0, 20) == Outcome::kUnavailable);
}

TEST_CASE("what may be tried again") {
  for (const auto outcome : {Outcome::kBusy, Outcome::kNoAnswer, Outcome::kUnavailable,
                             Outcome::kTrunkBusy, Outcome::kTrunkFailure, Outcome::kUnreachable})
    CHECK(describe(outcome).retryable);
  for (const auto outcome : {Outcome::kCompleted, Outcome::kRejected, Outcome::kInvalidNumber,
                             Outcome::kForbidden, Outcome::kCancelled})
    CHECK_FALSE(describe(outcome).retryable);
}

TEST_CASE("no status falls through the table") {
  for (int status = 0; status < 1'000; ++status)
    for (int cause = 1; cause < 128; ++cause)
      CHECK(parse_outcome(describe(of(status, cause)).name).has_value());
  for (int status = 300; status < 700; ++status) {
    const int cause = q850_of_status(status);
    CHECK((cause >= 1 && cause <= 127));
  }
  CHECK(q850_of_status(486) == 17);
  CHECK(q850_of_status(404) == 1);
  CHECK(q850_of_status(699) == 31);
}

}  // namespace yyc3::sip
