#include <utility>

#include "product/call/call_store.hpp"

namespace yyc3::call {

namespace {

using storage::Connection;
using storage::Lane;
using storage::Row;
using storage::Value;

json::value object_of(const std::string& text) {
  auto parsed = parse_json(text);
  return parsed ? std::move(*parsed) : json::value(json::object());
}

std::optional<Stages> stages_of(const std::string& text) {
  const json::value stored = object_of(text);
  if (!stored.is_object() || stored.get_object().empty()) return std::nullopt;
  const auto ms = [&stored](const char* key) { return int_field(stored, key).value_or(0); };
  return Stages{ms("end_of_turn_ms"),
                ms("asr_ms"),
                ms("understanding_ms"),
                ms("model_ms"),
                ms("voice_ms"),
                ms("first_packet_ms"),
                string_field(stored, "judged").value_or("")};
}

TurnRecord turn_of(const Row& row) {
  TurnRecord turn;
  turn.seq = row.int64("seq");
  turn.speaker = row.text("speaker");
  turn.text = row.text("text");
  turn.spoken = row.text("spoken");
  turn.unsaid = row.text("unsaid");
  turn.interrupted_at_ms = row.maybe_int64("interrupted_at_ms");
  turn.started_ms = row.int64("started_ms");
  turn.ended_ms = row.int64("ended_ms");
  turn.node = row.maybe_text("node");
  turn.intent = row.maybe_text("intent");
  if (!row.is_null("confidence")) turn.confidence = row.real("confidence");
  turn.sentiment = row.maybe_text("sentiment");
  turn.stages = stages_of(row.text("stages"));
  return turn;
}

Result<void> read_parts(Connection& db, const std::string& id, CallDetail& detail) {
  auto steps = db.query("SELECT * FROM call_transitions WHERE call_id = ? ORDER BY seq", {id});
  if (!steps) return passed(steps.error());
  for (const Row& row : *steps)
    detail.transitions.push_back({call_state_of(row.text("to_state")).value_or(CallState::kFailed),
                                  row.int64("at_ms"), row.text("reason")});
  auto turns = db.query("SELECT * FROM turns WHERE call_id = ? ORDER BY seq LIMIT 2000", {id});
  if (!turns) return passed(turns.error());
  for (const Row& row : *turns) detail.turns.push_back(turn_of(row));
  auto events =
      db.query("SELECT * FROM call_events WHERE call_id = ? ORDER BY id LIMIT 2000", {id});
  if (!events) return passed(events.error());
  for (const Row& row : *events)
    detail.events.push_back({row.text("kind"), row.int64("at_ms"), object_of(row.text("detail"))});
  auto told = db.query("SELECT heard FROM disclosures WHERE call_id = ?", {id});
  if (!told) return passed(told.error());
  detail.disclosure_heard = !told->empty() && told->front().flag("heard");
  return {};
}

}  // namespace

net::Task<Result<std::optional<CallDetail>>> CallStore::find(CallId id) {
  const auto job = [this, id](Connection& db) -> Result<std::optional<CallDetail>> {
    auto rows = db.query("SELECT * FROM calls WHERE id = ? AND tenant_id = ?", {id.str(), kTenant});
    if (!rows) return passed(rows.error());
    if (rows->empty()) return std::optional<CallDetail>();
    auto call = read_call(rows->front());
    if (!call) return passed(call.error());
    CallDetail detail;
    detail.call = std::move(*call);
    auto parts = read_parts(db, id.str(), detail);
    if (!parts) return passed(parts.error());
    return std::optional(std::move(detail));
  };
  co_return co_await database_.read(Lane::kApi, job);
}

net::Task<Result<CallPage>> CallStore::list(ListQuery query) {
  const auto job = [this, query](Connection& db) -> Result<CallPage> {
    std::string sql = "SELECT * FROM calls WHERE tenant_id = ?";
    std::vector<Value> args{kTenant};
    if (query.before) {
      sql += " AND id < ?";
      args.emplace_back(query.before->str());
    }
    if (query.state) {
      sql += " AND state = ?";
      args.emplace_back(name_of(*query.state));
    }
    sql += " ORDER BY id DESC LIMIT ?";
    args.emplace_back(static_cast<std::int64_t>(query.limit + 1));
    auto rows = db.query(sql, std::span<const Value>(args));
    if (!rows) return passed(rows.error());
    CallPage page;
    for (const Row& row : *rows) {
      if (page.calls.size() == query.limit) {
        page.next_cursor = page.calls.back().id.str();
        break;
      }
      auto call = read_call(row);
      if (!call) return passed(call.error());
      page.calls.push_back(std::move(*call));
    }
    return page;
  };
  co_return co_await database_.read(Lane::kApi, job);
}

Result<std::vector<OpenCall>> CallStore::open_calls() {
  return database_.read_blocking(Lane::kCall, [](Connection& db) -> Result<std::vector<OpenCall>> {
    auto rows = db.query(
        "SELECT id, state, dialog_state, recording_id, (SELECT COUNT(*) FROM call_transitions t "
        "WHERE t.call_id = calls.id) AS steps FROM calls WHERE ended_ms IS NULL ORDER BY id");
    if (!rows) return passed(rows.error());
    std::vector<OpenCall> open;
    for (const Row& row : *rows) {
      auto id = CallId::parse(row.text("id"));
      if (!id) return passed(id.error());
      open.push_back({*id, call_state_of(row.text("state")).value_or(CallState::kFailed),
                      row.maybe_text("dialog_state"), row.maybe_text("recording_id"),
                      row.int64("steps")});
    }
    return open;
  });
}

Result<void> CallStore::finish_blocking(const OpenCall& call, const Ending& ending) {
  return database_.write_blocking(Lane::kCall, [&](Connection& db) -> Result<void> {
    auto step = add_transition(db, call.id, call.transitions + 1, call.state,
                               {ending.state, ending.at_ms, ending.reason});
    if (!step) return step;
    return finish(db, call.id, ending);
  });
}

}  // namespace yyc3::call
