#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"

namespace yyc3::call {

/// A10 of the requirements: dialing → ringing → answered → talking → (escalated) →
/// completed/failed. Every transition is stored, in order, before anybody is told of it.
enum class CallState {
  kQueued,
  kDialing,
  kRinging,
  kAnswered,
  kTalking,
  kEscalated,
  kCompleted,
  kFailed
};

const char* name_of(CallState state);  ///< "queued", "dialing" …
std::optional<CallState> call_state_of(std::string_view name);

/// No way leads out of completed and failed.
[[nodiscard]] constexpr bool is_final(CallState state) {
  return state == CallState::kCompleted || state == CallState::kFailed;
}

/// True when the table allows the step. A call may skip ringing (200 without 180).
[[nodiscard]] bool may_follow(CallState from, CallState to);

}  // namespace yyc3::call
