#include "product/call/call_store.hpp"

#include <fmt/format.h>
#include <utility>

#include "platform/security/key.hpp"

namespace yyc3::call {

namespace {

using storage::Connection;
using storage::Lane;
using storage::Row;

constexpr const char* kCountry = "86";

json::value json_or(const std::string& text, json::value fallback) {
  auto parsed = parse_json(text);
  return parsed ? std::move(*parsed) : std::move(fallback);
}

security::FieldPlace target_place(const std::string& id) {
  return {kTenant, "calls", "target_sealed", id};
}

/// Two requests are the same when everything that shapes the call is.
std::string hash_of(const NewCall& call) {
  std::string all = fmt::format("{}\n{}\n{}\n{}\n{}", call.to, call.direction, call.flow,
                                speech::code_of(call.language), call.subject_id.value_or(""));
  for (const auto& [name, value] : call.variables) all += fmt::format("\n{}={}", name, value);
  return security::sha256_hex(as_bytes(all));
}

/// Decodes what a flow was given.
NewCall read_request(const Row& row) {
  NewCall call;
  call.direction = row.text("direction");
  call.flow = row.text("flow_id");
  call.language = speech::language_of(row.text("language")).value_or(speech::Language::kChinese);
  call.subject_id = row.maybe_text("subject_id");
  const json::value variables = json_or(row.text("variables"), json::object());
  if (const json::object* fields = variables.if_object())
    for (const auto& [name, value] : *fields)
      if (value.is_string()) call.variables.emplace(name, std::string(value.get_string()));
  return call;
}

}  // namespace

net::Task<Result<CallStore::Created>> CallStore::create(NewCall call) {
  compliance::Target target;
  if (call.direction == "outbound") {
    auto parsed = compliance::normalise_target(call.to, kCountry);
    if (!parsed) co_return passed(parsed.error());
    target = std::move(*parsed);
  } else {
    target.canonical = "browser:console";
  }
  const CallId id = CallId::make(clock_);
  const auto job = [this, call, id, target](Connection& db) {
    return create_row(db, call, id, target);
  };
  co_return co_await database_.write(Lane::kApi, job);
}

Result<CallStore::Created> CallStore::create_row(Connection& db, const NewCall& call, CallId id,
                                                 const compliance::Target& target) const {
  const std::string hash = hash_of(call);
  if (call.idempotency_key) {
    auto rows = db.query("SELECT * FROM calls WHERE tenant_id = ? AND idempotency_key = ?",
                         {kTenant, *call.idempotency_key});
    if (!rows) return passed(rows.error());
    if (!rows->empty()) {
      if (rows->front().text("request_hash") != hash)
        return fail(ErrorCode::kConflict,
                    "Idempotency-Key: already used for another request; use a new one");
      auto before = read_call(rows->front());
      if (!before) return passed(before.error());
      return Created{std::move(*before), true};
    }
  }
  const std::string row_id = id.str();
  const auto sealed = cipher_.encrypt(target_place(row_id), target.canonical);
  if (!sealed) return passed(sealed.error());
  const auto index = cipher_.blind_index(kTenant, "target", target.canonical);
  if (!index) return passed(index.error());
  json::object variables;
  for (const auto& [name, value] : call.variables) variables[name] = value;
  const std::int64_t now = clock_.utc().time_since_epoch().count();
  const auto inserted = db.exec(
      "INSERT INTO calls (id, tenant_id, subject_id, direction, target_sealed, target_index, "
      "state, "
      "created_ms, language, flow_id, variables, idempotency_key, request_hash) "
      "VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?)",
      {row_id, kTenant, call.subject_id, call.direction, *sealed, *index, now,
       speech::code_of(call.language), call.flow, json::serialize(variables), call.idempotency_key,
       hash});
  if (!inserted) return passed(inserted.error());
  auto rows = db.query("SELECT * FROM calls WHERE id = ?", {row_id});
  if (!rows) return passed(rows.error());
  auto record = read_call(rows->front());
  if (!record) return passed(record.error());
  return Created{std::move(*record), false};
}

net::Task<Result<CallStore::Claimed>> CallStore::claim(CallId id) {
  const auto job = [this, id](Connection& db) -> Result<Claimed> {
    auto rows = db.query("SELECT * FROM calls WHERE id = ?", {id.str()});
    if (!rows) return passed(rows.error());
    if (rows->empty()) return fail(ErrorCode::kNotFound, "no such call");
    const Row& row = rows->front();
    if (row.text("state") != "queued") return fail(ErrorCode::kConflict, "the call is not queued");
    Claimed claimed;
    claimed.call = read_request(row);
    auto target = cipher_.decrypt(target_place(id.str()), row.bytes("target_sealed"));
    if (!target) return passed(target.error());
    claimed.target = std::move(*target);
    const UtcTime now = clock_.utc();
    if (claimed.call.direction == "outbound") {
      auto decision = gate_.may_dial(db, {kTenant, claimed.target, std::nullopt}, now);
      if (!decision) return passed(decision.error());
      claimed.decision = std::move(*decision);
    }
    const std::int64_t at = now.time_since_epoch().count();
    if (!claimed.decision.allowed()) {
      Ending refused;
      refused.state = CallState::kFailed;
      refused.outcome = "not_allowed";
      refused.reason = compliance::name_of(claimed.decision.denial);
      refused.at_ms = at;
      auto step =
          add_transition(db, id, 1, CallState::kQueued, {CallState::kFailed, at, refused.reason});
      if (!step) return passed(step.error());
      auto ended = finish(db, id, refused);
      if (!ended) return passed(ended.error());
      return claimed;
    }
    auto step = add_transition(db, id, 1, CallState::kQueued, {CallState::kDialing, at, ""});
    if (!step) return passed(step.error());
    return claimed;
  };
  co_return co_await database_.write(Lane::kCall, job);
}

Result<void> CallStore::add_transition(Connection& db, CallId id, std::int64_t seq, CallState from,
                                       const TransitionRecord& step) {
  auto added = db.exec(
      "INSERT INTO call_transitions (call_id, seq, tenant_id, subject_id, retention_class, "
      "legal_hold, from_state, to_state, reason, at_ms) "
      "SELECT id, ?, tenant_id, subject_id, retention_class, legal_hold, ?, ?, ?, ? FROM calls "
      "WHERE id = ?",
      {seq, name_of(from), name_of(step.state), step.reason, step.at_ms, id.str()});
  if (!added) return passed(added.error());
  auto moved = db.exec(
      "UPDATE calls SET state = ?, revision = revision + 1, "
      "ringing_ms = CASE WHEN ? = 'ringing' THEN ? ELSE ringing_ms END WHERE id = ?",
      {name_of(step.state), name_of(step.state), step.at_ms, id.str()});
  if (!moved) return passed(moved.error());
  return {};
}

Result<void> CallStore::set_answered(Connection& db, CallId id, std::int64_t at_ms,
                                     const std::string& dialog_state) {
  auto done = db.exec(
      "UPDATE calls SET answered_ms = ?, dialog_state = ?, revision = revision + 1 WHERE id = ?",
      {at_ms, dialog_state, id.str()});
  if (!done) return passed(done.error());
  return {};
}

Result<void> CallStore::set_recording(Connection& db, CallId id, const std::string& recording) {
  auto done = db.exec("UPDATE calls SET recording_id = ?, revision = revision + 1 WHERE id = ?",
                      {recording, id.str()});
  if (!done) return passed(done.error());
  return {};
}

Result<void> CallStore::add_turn(Connection& db, CallId id, const TurnRecord& turn) {
  auto added = db.exec(
      "INSERT INTO turns (call_id, seq, tenant_id, subject_id, retention_class, legal_hold, "
      "speaker, text, spoken, unsaid, "
      "interrupted_at_ms, started_ms, ended_ms, node, intent, confidence, sentiment, stages) "
      "SELECT id, ?, tenant_id, subject_id, retention_class, legal_hold, "
      "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM calls WHERE id = ?",
      {turn.seq, turn.speaker, turn.text, turn.spoken, turn.unsaid, turn.interrupted_at_ms,
       turn.started_ms, turn.ended_ms, turn.node, turn.intent, turn.confidence, turn.sentiment,
       turn.stages ? json::serialize(to_json(*turn.stages)) : std::string("{}"), id.str()});
  if (!added) return passed(added.error());
  auto touched = db.exec("UPDATE calls SET revision = revision + 1 WHERE id = ?", {id.str()});
  if (!touched) return passed(touched.error());
  return {};
}

Result<void> CallStore::add_event(Connection& db, CallId id, const EventRecord& event,
                                  const Clock& clock) {
  auto added = db.exec(
      "INSERT INTO call_events (id, call_id, tenant_id, subject_id, retention_class, legal_hold, "
      "kind, at_ms, detail) "
      "SELECT ?, id, tenant_id, subject_id, retention_class, legal_hold, ?, ?, ? FROM calls "
      "WHERE id = ?",
      {EventId::make(clock).str(), event.kind, event.at_ms, json::serialize(event.detail),
       id.str()});
  if (!added) return passed(added.error());
  return {};
}

Result<void> CallStore::finish(Connection& db, CallId id, const Ending& e) {
  json::array degraded(e.degraded.begin(), e.degraded.end());
  auto done = db.exec(
      "UPDATE calls SET state = ?, outcome = ?, disposition = ?, sip_status = ?, q850 = ?, "
      "ended_ms = ?, degraded = ?, slots = ?, dialog_state = NULL, revision = revision + 1 "
      "WHERE id = ? AND ended_ms IS NULL",
      {name_of(e.state), e.outcome, e.disposition, e.sip_status, e.q850, e.at_ms,
       json::serialize(degraded), json::serialize(e.slots), id.str()});
  if (!done) return passed(done.error());
  return {};
}

Result<CallRecord> CallStore::read_call(const Row& row) const {
  CallRecord call;
  auto id = CallId::parse(row.text("id"));
  if (!id) return passed(id.error());
  call.id = *id;
  call.state = call_state_of(row.text("state")).value_or(CallState::kFailed);
  call.direction = row.text("direction");
  // A key that is gone must not hide the call: the number is then simply not shown.
  const auto target = cipher_.decrypt(target_place(row.text("id")), row.bytes("target_sealed"));
  if (target) {
    const auto parsed = compliance::normalise_target(*target, kCountry);
    call.to_masked = parsed ? compliance::masked(*parsed) : "";
  }
  call.language = row.text("language");
  call.flow = row.text("flow_id");
  call.subject_id = row.maybe_text("subject_id");
  call.outcome = row.maybe_text("outcome");
  call.disposition = row.maybe_text("disposition");
  call.sip_status = row.maybe_int64("sip_status");
  call.created_ms = row.int64("created_ms");
  call.answered_ms = row.maybe_int64("answered_ms");
  call.ended_ms = row.maybe_int64("ended_ms");
  call.recording_id = row.maybe_text("recording_id");
  call.slots = json_or(row.text("slots"), json::object());
  call.degraded = json_or(row.text("degraded"), json::array());
  call.revision = row.int64("revision");
  return call;
}

}  // namespace yyc3::call
