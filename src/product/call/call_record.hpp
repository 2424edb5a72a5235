#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "engine/speech/recognizer.hpp"
#include "product/call/call_state.hpp"

namespace yyc3::call {

constexpr const char* kTenant = "default";  // one tenant at first; every row names it already

/// What a client asks for (POST /api/v1/calls, `aicall call`, "talk to me").
struct NewCall {
  std::string to;  ///< as given; empty for a browser leg
  std::string direction = "outbound";
  std::string flow = "appointment_reminder";
  speech::Language language = speech::Language::kChinese;
  std::map<std::string, std::string> variables;
  std::optional<std::string> subject_id;
  std::optional<std::string> idempotency_key;  ///< 1..128 printable ASCII
};

/// One row of `calls`, without what only the call itself needs.
struct CallRecord {
  CallId id;
  CallState state = CallState::kQueued;
  std::string direction;
  std::string to_masked;
  std::string language;
  std::string flow;
  std::optional<std::string> subject_id;
  std::optional<std::string> outcome;
  std::optional<std::string> disposition;
  std::optional<std::int64_t> sip_status;
  std::int64_t created_ms = 0;
  std::optional<std::int64_t> answered_ms;
  std::optional<std::int64_t> ended_ms;
  std::optional<std::string> recording_id;
  json::value slots;
  json::value degraded;
  std::int64_t revision = 0;
};

struct TransitionRecord {
  CallState state = CallState::kQueued;
  std::int64_t at_ms = 0;
  std::string reason;
};

/// Where the milliseconds of one answer went; each counted from the caller's last speech sample,
/// but for asr, understanding, model and voice, which are spans.
struct Stages {
  std::int64_t end_of_turn_ms = 0;  ///< the turn was taken as over
  std::int64_t asr_ms = 0;          ///< queue + decode of the adopted result
  std::int64_t understanding_ms = 0;
  std::int64_t model_ms = 0;         ///< language model; 0 when a prepared reply was chosen
  std::int64_t voice_ms = 0;         ///< waiting for audio; 0 from the cache
  std::int64_t first_packet_ms = 0;  ///< first packet of the answer left (playout ledger)
  std::string judged;
};

struct TurnRecord {
  std::int64_t seq = 0;
  std::string speaker;
  std::string text;
  std::string spoken;
  std::string unsaid;
  std::optional<std::int64_t> interrupted_at_ms;
  std::int64_t started_ms = 0;
  std::int64_t ended_ms = 0;
  std::optional<std::string> node;
  std::optional<std::string> intent;
  std::optional<double> confidence;
  std::optional<std::string> sentiment;
  std::optional<Stages> stages;
};

struct EventRecord {
  std::string kind;
  std::int64_t at_ms = 0;
  json::value detail;
};

struct CallDetail {
  CallRecord call;
  std::vector<TransitionRecord> transitions;
  std::vector<TurnRecord> turns;
  std::vector<EventRecord> events;
  bool disclosure_heard = false;
};

json::object to_json(const Stages& stages);
json::object to_json(const TurnRecord& turn);
json::object to_json(const CallRecord& call);
json::object to_json(const CallDetail& detail);

}  // namespace yyc3::call
