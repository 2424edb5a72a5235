#include "product/call/call_record.hpp"

#include "engine/telephony/sip/outcome.hpp"

namespace yyc3::call {

namespace {

json::value time_or_null(const std::optional<std::int64_t>& ms) {
  return ms ? json::value(to_rfc3339(UtcTime{Milliseconds{*ms}})) : json::value(nullptr);
}

template <class T>
json::value or_null(const std::optional<T>& maybe) {
  return maybe ? json::value_from(*maybe) : json::value(nullptr);
}

}  // namespace

json::object to_json(const Stages& s) {
  return {{"end_of_turn_ms", s.end_of_turn_ms},
          {"asr_ms", s.asr_ms},
          {"understanding_ms", s.understanding_ms},
          {"model_ms", s.model_ms},
          {"voice_ms", s.voice_ms},
          {"first_packet_ms", s.first_packet_ms},
          {"gap_ms", s.first_packet_ms},
          {"judged", s.judged}};
}

json::object to_json(const TurnRecord& turn) {
  const bool bot = turn.speaker == "bot";
  return {{"seq", turn.seq},
          {"speaker", turn.speaker},
          {"text", bot ? turn.spoken : turn.text},
          {"unsaid", turn.unsaid.empty() ? json::value(nullptr) : json::value(turn.unsaid)},
          {"interrupted_at_ms", or_null(turn.interrupted_at_ms)},
          {"started_ms", turn.started_ms},
          {"ended_ms", turn.ended_ms},
          {"node", or_null(turn.node)},
          {"intent", or_null(turn.intent)},
          {"confidence", or_null(turn.confidence)},
          {"sentiment", or_null(turn.sentiment)},
          {"stages", turn.stages ? json::value(to_json(*turn.stages)) : json::value(nullptr)}};
}

json::object to_json(const CallRecord& call) {
  const bool talked = call.answered_ms && call.ended_ms;
  return {{"id", call.id.str()},
          {"state", name_of(call.state)},
          {"direction", call.direction},
          {"to", call.to_masked},
          {"language", call.language},
          {"flow", call.flow},
          {"subject_id", or_null(call.subject_id)},
          {"outcome", or_null(call.outcome)},
          {"disposition", or_null(call.disposition)},
          {"sip_status", or_null(call.sip_status)},
          {"created_at", time_or_null(call.created_ms)},
          {"answered_at", time_or_null(call.answered_ms)},
          {"ended_at", time_or_null(call.ended_ms)},
          {"duration_ms",
           talked ? json::value(*call.ended_ms - *call.answered_ms) : json::value(nullptr)},
          {"has_recording", call.recording_id.has_value()},
          {"degraded", call.degraded.is_array() ? call.degraded : json::array()}};
}

json::object to_json(const CallDetail& detail) {
  json::object out = to_json(detail.call);
  json::array transitions;
  for (const auto& step : detail.transitions)
    transitions.push_back(json::object{
        {"state", name_of(step.state)}, {"at", time_or_null(step.at_ms)}, {"reason", step.reason}});
  json::array turns;
  for (const auto& turn : detail.turns) turns.push_back(to_json(turn));
  json::array events;
  for (const auto& event : detail.events)
    events.push_back(json::object{
        {"type", event.kind}, {"at", time_or_null(event.at_ms)}, {"data", event.detail}});
  out["transitions"] = std::move(transitions);
  out["turns"] = std::move(turns);
  out["events"] = std::move(events);
  out["slots"] = detail.call.slots.is_object() ? detail.call.slots : json::object();
  out["disclosure_heard"] = detail.disclosure_heard;
  return out;
}

}  // namespace yyc3::call
