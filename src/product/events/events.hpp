#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"

/// What happened, as plain values. Rooms of the product speak sideways only through these, and each
/// is published after the row behind it is committed (partial transcripts have no row).
/// Names of states, outcomes and speakers are those of the API. Text of a conversation is personal
/// data: it goes to consoles of the same tenant, never to a log.
namespace yyc3::events {

struct CallStateChanged {
  CallId call;
  std::string tenant;
  std::string from;  ///< empty for the first state
  std::string to;
  std::string reason;
  UtcTime at{};
};

/// What the recogniser makes of an utterance that is still going on. May be withdrawn.
struct PartialHeard {
  CallId call;
  std::string tenant;
  std::string speaker;
  std::string text;
  Milliseconds at{};  ///< where its speech began, on the clock of the turns
};

/// A turn is finished and stored as `turns(call_id, seq)`.
struct TurnSpoken {
  CallId call;
  std::string tenant;
  std::int64_t seq = 0;
  std::string speaker;
  json::object turn;  ///< all of it, as the API shows it (`Turn` of openapi.yaml)
};

/// A console began or ceased to look at a call: loudness is measured for eyes only.
struct CallWatched {
  CallId call;
  std::string tenant;
  bool watched = false;
};

/// Loudness of both sides over the last 200 ms, while somebody watches the call.
struct LevelMeasured {
  CallId call;
  std::string tenant;
  double customer_dbov = -96;  ///< loudest 20 ms; -96 while the energy gate is shut
  double bot_dbov = -96;       ///< RMS of what was played; -96 = nothing
};

struct CallEnded {
  CallId call;
  std::string tenant;
  std::string outcome;
  std::optional<std::string> disposition;
  std::optional<std::int64_t> sip_status;
  UtcTime at{};
  Milliseconds talked{};  ///< answer to end; 0 when never answered
};

struct RecordingReady {
  CallId call;
  std::string tenant;
  RecordingId recording;
  Milliseconds duration{};
};

struct DoNotCallAdded {
  std::string tenant;
  std::string target_index;  ///< blind index; the number itself is not told
  std::string source;
  std::optional<CallId> call;
  UtcTime at{};
};

/// An engine went up, down or into its degraded mode: "hear", "speak", "recording".
struct EngineStateChanged {
  std::string engine;
  std::string state;  ///< starting up down degraded
  UtcTime at{};
};

}  // namespace yyc3::events
