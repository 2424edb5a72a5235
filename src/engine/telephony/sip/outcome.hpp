#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"

namespace yyc3::sip {

/// How a call ended, in the words of the business: what is stored, counted and retried.
enum class Outcome {
  kCompleted,  ///< answered, and somebody hung up
  kBusy,
  kNoAnswer,       ///< it rang; nobody took it in time
  kRejected,       ///< the customer refused (603, Q.850 21)
  kUnavailable,    ///< the customer's phone is off or out of reach (480, Q.850 18, 20)
  kInvalidNumber,  ///< no such number (404, 484, Q.850 1, 28)
  kUnreachable,    ///< nothing answers at the peer's address, or no route to it
  kTrunkFailure,   ///< the carrier failed (5xx, Q.850 38, 41)
  kTrunkBusy,      ///< the carrier is full and says try later (503 + Retry-After, Q.850 34, 42)
  kForbidden,      ///< our credentials or our rights were refused (401, 403, 407)
  kNoCommonCodec,  ///< no common media (488, Q.850 65, 88, or an unusable SDP answer)
  kTimeout,        ///< the carrier accepted the request and then stayed silent
  kCancelled,      ///< we gave up before the answer
  kMediaLost,      ///< answered, then no audio came any more (named by the call, not by SIP)
  kLost,           ///< the dialog broke under the call (session timer, 481, transport)
  kInternal        ///< our own fault; see the log
};

/// What the product says and does about an outcome.
struct OutcomeInfo {
  Outcome outcome;
  std::string_view name;  ///< stored and in the API: "no_answer"
  bool retryable;         ///< another attempt later may reach the customer
  std::string_view en;    ///< one sentence for the console
  std::string_view zh;
};

const OutcomeInfo& describe(Outcome outcome);
/// Errors: kInvalid for a name that describe() never gives.
Result<Outcome> parse_outcome(std::string_view name);

/// Why a call did not come about, as the network put it.
struct Disposition {
  int sip_status = 0;        ///< 300–699, or 9xx of the stack; 0 = none
  std::optional<int> q850;   ///< Reason: Q.850;cause= (RFC 3326), 1–127
  bool from_network = true;  ///< false: made up by our own stack (ICMP, timer B, 904)
  bool retry_after = false;  ///< the response named a time
};

/// THE table from the network's words to ours. A Q.850 cause that says something definite wins over
/// a vague status (480, 487, 500, 503, 603 …): carriers map causes to statuses as they like.
Outcome outcome_of(const Disposition& disposition);

/// Q.850 cause for a SIP status (RFC 3398 §8.2.6.1, ITU-T Q.1912.5), 31 when none fits.
int q850_of_status(int sip_status);

}  // namespace yyc3::sip
