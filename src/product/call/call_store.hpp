#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/net/task.hpp"
#include "platform/security/field_cipher.hpp"
#include "platform/storage/database.hpp"
#include "product/call/call_record.hpp"
#include "product/compliance/compliance.hpp"

namespace yyc3::call {

/// An error handed on to the caller.
inline tl::unexpected<Error> passed(Error error) { return tl::unexpected<Error>(std::move(error)); }

/// A page of calls, newest first; `next_cursor` is the id to go on behind, empty at the end.
struct CallPage {
  std::vector<CallRecord> calls;
  std::string next_cursor;
};

struct ListQuery {
  std::size_t limit = 50;  ///< 1..200
  std::optional<CallId> before;
  std::optional<CallState> state;
};

/// A call that was under way when the program ended, found at the next start.
struct OpenCall {
  CallId id;
  CallState state = CallState::kQueued;
  std::optional<std::string> dialog_state;
  std::optional<std::string> recording_id;
  std::int64_t transitions = 0;
};

/// What is stored when a call reaches its final state.
struct Ending {
  CallState state = CallState::kCompleted;
  std::string outcome;
  std::string reason;
  std::optional<std::string> disposition;
  std::optional<std::int64_t> sip_status;
  std::optional<std::int64_t> q850;
  std::int64_t at_ms = 0;
  std::int64_t talked_ms = 0;
  std::vector<std::string> degraded;
  json::object slots;
};

/// The rows of calls. The static functions run inside a caller's job, so that rows that belong
/// together are committed together; the rest are jobs of their own. A row of a call takes the
/// call's tenant, subject, retention class and legal hold as they are when it is written.
/// Threads: any. What it is given must outlive it.
class CallStore {
 public:
  CallStore(storage::Database& database, const security::FieldCipher& cipher,
            const compliance::Compliance& gate, const Clock& clock)
      : database_(database), cipher_(cipher), gate_(gate), clock_(clock) {}

  struct Created {
    CallRecord call;
    bool repeated = false;  ///< the idempotency key was used before, by the same request
  };
  /// Stores the call as `queued`. Errors: kInvalid with the field; kConflict the key was used for
  /// another request.
  net::Task<Result<Created>> create(NewCall call);

  struct Claimed {
    compliance::Decision decision;
    std::string target;  ///< as given, decrypted: what is dialled
    NewCall call;
  };
  /// The step before the INVITE: asks may_dial() and, in the same transaction, moves the call from
  /// queued to dialing, or to failed with the denial as its reason. Errors: kConflict not queued.
  net::Task<Result<Claimed>> claim(CallId id);

  net::Task<Result<std::optional<CallDetail>>> find(CallId id);
  net::Task<Result<CallPage>> list(ListQuery query);

  /// Start-up, blocking: calls without an end.
  Result<std::vector<OpenCall>> open_calls();
  /// Start-up, blocking: ends a call that a crash cut off.
  Result<void> finish_blocking(const OpenCall& call, const Ending& ending);

  static Result<void> add_transition(storage::Connection& db, CallId id, std::int64_t seq,
                                     CallState from, const TransitionRecord& step);
  static Result<void> set_answered(storage::Connection& db, CallId id, std::int64_t at_ms,
                                   const std::string& dialog_state);
  static Result<void> set_recording(storage::Connection& db, CallId id,
                                    const std::string& recording);
  static Result<void> add_turn(storage::Connection& db, CallId id, const TurnRecord& turn);
  static Result<void> add_event(storage::Connection& db, CallId id, const EventRecord& event,
                                const Clock& clock);
  static Result<void> finish(storage::Connection& db, CallId id, const Ending& ending);

 private:
  Result<Created> create_row(storage::Connection& db, const NewCall& call, CallId id,
                             const compliance::Target& target) const;
  Result<CallRecord> read_call(const storage::Row& row) const;

  storage::Database& database_;
  const security::FieldCipher& cipher_;
  const compliance::Compliance& gate_;
  const Clock& clock_;
};

}  // namespace yyc3::call
