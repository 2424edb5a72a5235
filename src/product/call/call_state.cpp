#include "product/call/call_state.hpp"

#include <array>
#include <utility>

namespace yyc3::call {

namespace {
using enum CallState;

constexpr std::array<std::pair<CallState, const char*>, 8> kNames{{{kQueued, "queued"},
                                                                   {kDialing, "dialing"},
                                                                   {kRinging, "ringing"},
                                                                   {kAnswered, "answered"},
                                                                   {kTalking, "talking"},
                                                                   {kEscalated, "escalated"},
                                                                   {kCompleted, "completed"},
                                                                   {kFailed, "failed"}}};

constexpr std::array<std::pair<CallState, CallState>, 12> kSteps{{
    {kQueued, kDialing},
    {kQueued, kFailed},  // refused by may_dial, or hung up before the INVITE
    {kDialing, kRinging},
    {kDialing, kAnswered},
    {kDialing, kFailed},
    {kRinging, kAnswered},
    {kRinging, kFailed},
    {kAnswered, kTalking},
    {kAnswered, kCompleted},
    {kTalking, kEscalated},
    {kTalking, kCompleted},
    {kEscalated, kCompleted},
}};
}  // namespace

const char* name_of(CallState state) { return kNames[static_cast<std::size_t>(state)].second; }

std::optional<CallState> call_state_of(std::string_view name) {
  for (const auto& [state, text] : kNames)
    if (name == text) return state;
  return std::nullopt;
}

bool may_follow(CallState from, CallState to) {
  for (const auto& step : kSteps)
    if (step == std::pair{from, to}) return true;
  return false;
}

}  // namespace yyc3::call
