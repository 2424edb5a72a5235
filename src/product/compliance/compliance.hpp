#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "platform/net/task.hpp"
#include "platform/security/field_cipher.hpp"
#include "platform/storage/database.hpp"
#include "product/compliance/target.hpp"
#include "product/events/bus.hpp"

namespace yyc3::compliance {

/// [compliance] of the configuration.
struct Rules {
  /// SIP hosts that may be called, exactly as written (lower-case). A bare number goes to the trunk
  /// and is ruled by `allowed_prefixes` alone.
  std::vector<std::string> allowed_hosts{"127.0.0.1"};
  /// Numbers that may be called begin with one of these, e.g. "+86" ; empty: none may.
  std::vector<std::string> allowed_prefixes;
  std::string country = "86";  ///< completes national numbers
  /// Calls leave only at these minutes after local midnight, start inclusive, end exclusive.
  int window_start_minute = 9 * 60;
  int window_end_minute = 20 * 60;
  std::bitset<7> days{0x7F};                ///< bit 0 = Sunday
  std::string time_zone = "Asia/Shanghai";  ///< IANA name, where nothing below says better
  std::vector<std::pair<std::string, std::string>> zones;  ///< number prefix → IANA name
};

struct DialRequest {
  std::string tenant;
  std::string target;                    ///< as given by the user
  std::optional<std::string> time_zone;  ///< of the person called, when known
};

enum class Denial { kNone, kBadTarget, kNotAllowed, kDoNotCall, kOutsideWindow, kBadTimeZone };
const char* name_of(Denial denial);  ///< "none", "bad_target", "destination_not_allowed" …

struct Decision {
  Denial denial = Denial::kNone;
  std::string text;                 ///< for people: why not and what to do; no number in it
  std::optional<UtcTime> retry_at;  ///< kOutsideWindow: when the window opens next
  Target target;                    ///< filled unless kBadTarget
  std::string target_index;         ///< blind index of target.canonical, likewise
  [[nodiscard]] bool allowed() const { return denial == Denial::kNone; }
};

struct DoNotCall {
  std::string tenant;
  std::string target;
  std::string source;  ///< "call", "api", "import"
  std::string reason;  ///< the words said, or the ticket; ≤ 500 bytes kept
  std::optional<CallId> call;
};

/// What of "this is an AI" the caller heard, taken from the playout ledger.
struct Disclosure {
  CallId call;
  std::string tenant;
  std::string text;
  std::string language;
  UtcTime started{};
  Milliseconds played{};
  Milliseconds whole{};
};

/// The one gate before every call. Reads the primary, in the caller's transaction where it has one:
/// a number revoked a millisecond ago is not dialled.
/// Calls to a loopback host ignore the window: that phone is on this machine.
/// An error (database away, no key) is not a yes: do not dial.
/// Threads: any. What it is given must outlive it.
class Compliance {
 public:
  /// Errors: kInvalid with every fault of `rules` as "key: reason", one a line.
  static Result<void> check(const Rules& rules);

  Compliance(Rules rules, storage::Database& database, const security::FieldCipher& cipher,
             events::Bus& bus, const Clock& clock);

  /// In the caller's transaction (the claim of the call), `now` given.
  Result<Decision> may_dial(storage::Connection& connection, const DialRequest& request,
                            UtcTime now) const;
  net::Task<Result<Decision>> may_dial(storage::Lane lane, DialRequest request) const;

  /// Effective, and on the disk, when it returns: call it before the BYE. Adding one that is there
  /// keeps the first. Publishes DoNotCallAdded. Errors: kInvalid bad target, else the database's.
  net::Task<Result<void>> add_do_not_call(storage::Lane lane, DoNotCall entry) const;
  Result<void> add_do_not_call_blocking(storage::Lane lane, const DoNotCall& entry) const;
  /// In the caller's transaction; publishes nothing.
  Result<void> add_do_not_call(storage::Connection& connection, const DoNotCall& entry) const;

  /// `heard` is stored as played ≥ whole. Recorded once a call (a second is kConflict).
  Result<void> record_disclosure(storage::Connection& connection, const Disclosure& heard) const;

 private:
  [[nodiscard]] Decision judge_destination(const DialRequest& request) const;
  void judge_window(const DialRequest& request, UtcTime now, Decision& decision) const;
  [[nodiscard]] std::string zone_for(const DialRequest& request, const Target& target) const;
  void announce(const DoNotCall& entry) const;

  Rules rules_;
  storage::Database& database_;
  const security::FieldCipher& cipher_;
  events::Bus& bus_;
  const Clock& clock_;
};

/// When the window (local minutes, days) is next open in `zone` at or after `now`; `now` itself
/// when it is open. Errors: kInvalid unknown zone, or a window that never opens.
Result<UtcTime> next_opening(const Rules& rules, std::string_view zone, UtcTime now);

}  // namespace yyc3::compliance
