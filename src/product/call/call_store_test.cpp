// What the rows of calls must do on SQLite and on a real PostgreSQL.
#include "product/call/call_store.hpp"

#include <doctest/doctest.h>
#include <limits>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "platform/security/tenant_keys.hpp"
#include "platform/storage/blob_store.hpp"
#include "platform/storage/migrations.hpp"
#include "platform/storage/storage_test_support.hpp"
#include "platform/storage/tenant_key_store.hpp"
#include "product/call/recordings.hpp"
#include "product/events/events.hpp"

using namespace yyc3;
using namespace yyc3::call;
using storage::Connection;
using storage::Dialect;
using storage::Lane;
using storage::testing::both;
using storage::testing::name_of;

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kOdd = (std::int64_t{1} << 53) + 1;  // no double holds it

compliance::Rules open_rules() {
  compliance::Rules rules;
  rules.allowed_prefixes = {"+86138"};
  rules.window_start_minute = 0;
  rules.window_end_minute = 24 * 60;
  return rules;
}

NewCall call_to(std::string to) {
  NewCall call;
  call.to = std::move(to);
  return call;
}

struct Fixture {
  explicit Fixture(Dialect dialect) : store(dialect) {
    REQUIRE(storage::migrate(*store.database, system));
    REQUIRE(storage::open_tenant_keys(*store.database, keys, kTenant, system));
    gate.emplace(open_rules(), *store.database, cipher, bus, clock);
    calls.emplace(*store.database, cipher, *gate, clock);
  }

  template <class T>
  T wait_for(net::Task<T> task) {
    boost::asio::io_context loop;
    std::optional<T> result;
    const auto story = [&]() -> net::Task<void> { result = co_await std::move(task); };
    boost::asio::co_spawn(loop, story(), boost::asio::detached);
    loop.run();
    REQUIRE(result);
    return std::move(*result);
  }
  CallRecord create(const NewCall& call) {
    auto created = wait_for(calls->create(call));
    REQUIRE_MESSAGE(created, (created ? "" : created.error().detail));
    CHECK_FALSE(created->repeated);
    return created->call;
  }
  CallDetail find(CallId id) {
    auto found = wait_for(calls->find(id));
    REQUIRE_MESSAGE(found, (found ? "" : found.error().detail));
    REQUIRE(*found);
    return **found;
  }
  template <class Fn>
  Result<void> write(Fn fn) {
    return store->write_blocking(Lane::kCall,
                                 [&](Connection& db) -> Result<void> { return fn(db); });
  }
  Result<void> step(CallId id, std::int64_t seq, CallState from, const TransitionRecord& to) {
    return write([&](Connection& db) { return CallStore::add_transition(db, id, seq, from, to); });
  }
  /// As CallSession does when a call is answered.
  RecordingId add_recording(CallId id, const Bytes& wrapped_key) {
    const RecordingId recording = RecordingId::make(clock);
    const std::string blob = "default/" + recording.str();
    const Result<void> added = write([&](Connection& db) -> Result<void> {
      auto row = db.exec(
          "INSERT INTO recordings (id, call_id, tenant_id, subject_id, wrapped_key, codec, "
          "rate_hz, "
          "channels, blob_key, state, created_ms) SELECT ?, id, tenant_id, subject_id, ?, 'pcmu', "
          "8000, 2, ?, 'recording', ? FROM calls WHERE id = ?",
          {recording.str(), wrapped_key, blob, 7, id.str()});
      if (!row) return passed(row.error());
      return CallStore::set_recording(db, id, recording.str());
    });
    REQUIRE_MESSAGE(added, (added ? "" : added.error().detail));
    return recording;
  }

  SystemClock system;
  ManualClock clock;
  security::KeyText master = *security::KeyText::parse(std::string(64, 'a'));
  security::TenantKeys keys{master};
  security::FieldCipher cipher{keys};
  events::Bus bus;
  storage::testing::Store store;
  std::optional<compliance::Compliance> gate;
  std::optional<CallStore> calls;
};

TurnRecord full_turn() {
  TurnRecord turn;
  turn.seq = kOdd;
  turn.speaker = "bot";
  turn.text = "您好，😀 a'b\"c\\d?$1;--";
  turn.spoken = "您好";
  turn.unsaid = "，😀";
  turn.interrupted_at_ms = kMost;
  turn.started_ms = kLeast;
  turn.ended_ms = kMost - 1;
  turn.node = "greeting";
  turn.intent = "affirm";
  turn.confidence = 0.1;
  turn.sentiment = "neutral";
  turn.stages = Stages{300, kOdd, 1, 2, 3, kMost, "完整"};
  return turn;
}

void check_same(const TurnRecord& a, const TurnRecord& b) {
  CHECK(json::serialize(to_json(a)) == json::serialize(to_json(b)));
  CHECK(a.text == b.text);
  CHECK(a.spoken == b.spoken);
}

}  // namespace

TEST_CASE("a call is created once for its key, and its number is not in the store") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);
    NewCall wanted = call_to("138 0013 8000");
    wanted.subject_id = "客户-1";
    wanted.variables = {{"customer_name", "王女士"}};
    wanted.idempotency_key = "key-1";
    const CallRecord made = f.create(wanted);
    CHECK(made.state == CallState::kQueued);
    CHECK(made.created_ms == f.clock.utc().time_since_epoch().count());
    CHECK(made.to_masked.find("138000") == std::string::npos);

    const auto again = f.wait_for(f.calls->create(wanted));
    REQUIRE(again);
    CHECK(again->repeated);
    CHECK(again->call.id == made.id);
    wanted.variables["customer_name"] = "李先生";
    const auto other = f.wait_for(f.calls->create(wanted));
    REQUIRE_FALSE(other);
    CHECK(other.error().code == ErrorCode::kConflict);
    const auto nonsense = f.wait_for(f.calls->create(call_to("nonsense")));
    REQUIRE_FALSE(nonsense);
    CHECK(nonsense.error().code == ErrorCode::kInvalid);

    const CallDetail found = f.find(made.id);
    CHECK(found.call.subject_id == wanted.subject_id);
    CHECK(found.call.language == "zh");
    CHECK(found.call.to_masked == made.to_masked);
    CHECK_FALSE(found.call.ended_ms);
    CHECK_FALSE(*f.wait_for(f.calls->find(CallId::make(f.clock))));
    const auto rows = storage::testing::ask(*f.store.database, "SELECT target_sealed FROM calls");
    REQUIRE(rows->size() == 1);
    CHECK(as_text(rows->front().bytes("target_sealed")).find("8000") == std::string::npos);
  }
}

TEST_CASE("a call is claimed once, asks the gate, and a refusal ends it") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);
    NewCall wanted = call_to("+8613800138000");
    wanted.variables = {{"customer_name", "王女士"}};
    const CallId good = f.create(wanted).id;
    const auto claimed = f.wait_for(f.calls->claim(good));
    REQUIRE_MESSAGE(claimed, (claimed ? "" : claimed.error().detail));
    CHECK(claimed->decision.allowed());
    CHECK(claimed->target == "+8613800138000");
    CHECK(claimed->call.variables == wanted.variables);
    CHECK(f.find(good).call.state == CallState::kDialing);
    CHECK(f.wait_for(f.calls->claim(good)).error().code == ErrorCode::kConflict);

    const CallId bad = f.create(call_to("+8613900138000")).id;
    const auto refused = f.wait_for(f.calls->claim(bad));
    REQUIRE(refused);
    CHECK_FALSE(refused->decision.allowed());
    const CallDetail ended = f.find(bad);
    CHECK(ended.call.state == CallState::kFailed);
    CHECK(ended.call.outcome == "not_allowed");
    REQUIRE(ended.transitions.size() == 1);
    CHECK(ended.transitions.front().reason == compliance::name_of(compliance::Denial::kNotAllowed));
    CHECK(f.wait_for(f.calls->claim(CallId::make(f.clock))).error().code == ErrorCode::kNotFound);
  }
}

TEST_CASE("the story of a call comes back as it was told, to the last digit") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);
    const CallId id = f.create(call_to("sip:100@127.0.0.1")).id;
    REQUIRE(f.step(id, 1, CallState::kQueued, {CallState::kDialing, kLeast, ""}));
    REQUIRE(f.step(id, 2, CallState::kDialing, {CallState::kRinging, kOdd, "180 响铃"}));
    REQUIRE(f.step(id, kMost, CallState::kRinging, {CallState::kAnswered, kMost, "200"}));
    REQUIRE(f.write([&](Connection& db) { return CallStore::set_answered(db, id, kOdd, "{}"); }));
    TurnRecord bare;
    bare.seq = 1;
    bare.speaker = "customer";
    bare.text = "喂";
    for (const TurnRecord& turn : {bare, full_turn()})
      REQUIRE(f.write([&](Connection& db) { return CallStore::add_turn(db, id, turn); }));
    const EventRecord keypad{"dtmf", kMost, json::object{{"digit", "5"}, {"n", kOdd}}};
    const EventRecord held{"held", kLeast, json::object{{"谁", "王女士"}}};
    for (const EventRecord& event : {keypad, held})
      REQUIRE(
          f.write([&](Connection& db) { return CallStore::add_event(db, id, event, f.clock); }));
    Ending ending{
        CallState::kCompleted, "completed",       "bye", "confirmed", kLeast, kMost, kMost, 0,
        {"hearing"},           {{"time", "三点"}}};
    REQUIRE(f.write([&](Connection& db) { return CallStore::finish(db, id, ending); }));

    const CallDetail found = f.find(id);
    REQUIRE(found.transitions.size() == 3);
    CHECK(found.transitions[0].at_ms == kLeast);
    CHECK(found.transitions[1].reason == "180 响铃");
    CHECK(found.transitions[2].at_ms == kMost);
    REQUIRE(found.turns.size() == 2);
    check_same(found.turns[0], bare);
    CHECK_FALSE(found.turns[0].stages);
    check_same(found.turns[1], full_turn());
    REQUIRE(found.events.size() == 2);
    CHECK(found.events[0].at_ms == kMost);
    CHECK(found.events[0].detail == keypad.detail);
    CHECK(found.events[1].detail == held.detail);
    CHECK(found.call.answered_ms == kOdd);
    CHECK(found.call.ended_ms == kMost);
    CHECK(found.call.sip_status == kLeast);
    CHECK(found.call.disposition == "confirmed");
    CHECK(found.call.slots == json::value(ending.slots));
    CHECK(found.call.degraded == json::value(json::array{"hearing"}));
    CHECK(found.call.revision == 7);  // three steps, the answer, two turns, the end
    const auto rows = storage::testing::ask(*f.store.database, "SELECT * FROM calls");
    CHECK(rows->front().int64("ringing_ms") == kOdd);
    CHECK(rows->front().int64("q850") == kMost);
    CHECK(rows->front().is_null("dialog_state"));
  }
}

TEST_CASE("every row of a call says whom it is about, how long it stays and what holds it") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);
    NewCall wanted = call_to("sip:100@127.0.0.1");
    wanted.subject_id = "客户-1";
    const CallId id = f.create(wanted).id;
    REQUIRE(storage::testing::run(*f.store.database,
                                  "UPDATE calls SET retention_class = 'long', legal_hold = 1"));
    REQUIRE(f.step(id, 1, CallState::kQueued, {CallState::kDialing, 1, ""}));
    REQUIRE(f.write([&](Connection& db) { return CallStore::add_turn(db, id, full_turn()); }));
    const EventRecord held{"held", 2, json::object{}};
    REQUIRE(f.write([&](Connection& db) { return CallStore::add_event(db, id, held, f.clock); }));
    compliance::Disclosure told;
    told.call = id;
    told.tenant = kTenant;
    REQUIRE(f.write([&](Connection& db) { return f.gate->record_disclosure(db, told); }));
    for (const char* table : {"calls", "call_transitions", "turns", "call_events", "disclosures"}) {
      CAPTURE(table);
      const auto rows =
          storage::testing::ask(*f.store.database, "SELECT * FROM " + std::string(table));
      REQUIRE(rows->size() == 1);
      CHECK(rows->front().text("tenant_id") == kTenant);
      CHECK(rows->front().text("subject_id") == "客户-1");
      CHECK(rows->front().text("retention_class") == "long");
      CHECK(rows->front().flag("legal_hold"));
    }
  }
}

TEST_CASE("a row told twice is a conflict that leaves nothing, and an end is set once") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);
    const CallId id = f.create(call_to("sip:100@127.0.0.1")).id;
    REQUIRE(f.step(id, 1, CallState::kQueued, {CallState::kDialing, 1, ""}));
    const Result<void> again = f.step(id, 1, CallState::kQueued, {CallState::kFailed, 2, ""});
    REQUIRE_FALSE(again);
    CHECK(again.error().code == ErrorCode::kConflict);
    CHECK(f.find(id).call.state == CallState::kDialing);
    for (const char* outcome : {"completed", "lost"}) {
      Ending ending;
      ending.outcome = outcome;
      REQUIRE(f.write([&](Connection& db) { return CallStore::finish(db, id, ending); }));
    }
    CHECK(f.find(id).call.outcome == "completed");
  }
}

TEST_CASE("pages go from the newest to the oldest, each call once") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);
    std::vector<CallId> newest_first;
    for (int i = 0; i < 5; ++i) {
      newest_first.insert(newest_first.begin(), f.create(call_to("sip:100@127.0.0.1")).id);
      f.clock.advance(Milliseconds{i % 2});  // two of them in one millisecond
    }
    std::vector<CallId> seen;
    ListQuery query;
    query.limit = 2;
    for (int pages = 0; pages < 3; ++pages) {
      const auto page = f.wait_for(f.calls->list(query));
      REQUIRE_MESSAGE(page, (page ? "" : page.error().detail));
      for (const CallRecord& call : page->calls) seen.push_back(call.id);
      CHECK(page->next_cursor.empty() == (pages == 2));
      if (!page->next_cursor.empty()) query.before = *CallId::parse(page->next_cursor);
    }
    CHECK(seen == newest_first);
    REQUIRE(f.wait_for(f.calls->claim(newest_first[3])));
    ListQuery dialing;
    dialing.state = CallState::kDialing;
    const auto found = f.wait_for(f.calls->list(dialing));
    REQUIRE(found->calls.size() == 1);
    CHECK(found->calls.front().id == newest_first[3]);
    CHECK(found->next_cursor.empty());
  }
}

TEST_CASE("calls that a crash cut off are found and ended") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);
    const CallId over = f.create(call_to("+8613900138000")).id;
    REQUIRE(f.wait_for(f.calls->claim(over)));  // refused: ended
    const CallId cut = f.create(call_to("sip:100@127.0.0.1")).id;
    REQUIRE(f.wait_for(f.calls->claim(cut)));
    REQUIRE(f.step(cut, 2, CallState::kDialing, {CallState::kAnswered, 5, ""}));
    REQUIRE(
        f.write([&](Connection& db) { return CallStore::set_answered(db, cut, 5, "{\"a\":1}"); }));
    const RecordingId recording = f.add_recording(cut, {1, 2, 3});

    const auto open = f.calls->open_calls();
    REQUIRE_MESSAGE(open, (open ? "" : open.error().detail));
    REQUIRE(open->size() == 1);
    CHECK(open->front().id == cut);
    CHECK(open->front().state == CallState::kAnswered);
    CHECK(open->front().dialog_state == "{\"a\":1}");
    CHECK(open->front().recording_id == recording.str());
    CHECK(open->front().transitions == 2);
    Ending ending;
    ending.outcome = "lost";
    ending.reason = "the program ended during the call";
    REQUIRE(f.calls->finish_blocking(open->front(), ending));
    CHECK(f.calls->open_calls()->empty());
    const CallDetail found = f.find(cut);
    CHECK(found.call.outcome == "lost");
    REQUIRE(found.transitions.size() == 3);
    CHECK(found.transitions.back().reason == ending.reason);
  }
}

TEST_CASE("a recording is told ready when its row is, and opened only then") {
  for (const Dialect dialect : both()) {
    CAPTURE(name_of(dialect));
    Fixture f(dialect);
    telemetry::Log log(f.system);
    net::EventLoop files("files", log);
    const auto blobs = storage::FolderBlobs::open(f.store.folder.path() / "blobs");
    REQUIRE(blobs);
    Recordings recordings({*f.store.database, **blobs, f.keys, files, f.bus});
    std::vector<events::RecordingReady> told;
    const auto subscription = f.bus.subscribe<events::RecordingReady>(
        [&](const events::RecordingReady& ready) { told.push_back(ready); });
    const auto why_not = [&](CallId id) {
      const auto opened = f.wait_for(recordings.open(id));
      REQUIRE_FALSE(opened);
      CHECK(opened.error().code == ErrorCode::kNotFound);
      return opened.error().detail;
    };
    const CallId id = f.create(call_to("sip:100@127.0.0.1")).id;
    CHECK(why_not(id).find("no recording") != std::string::npos);
    const RecordingId recording = f.add_recording(id, {0, 255, 0});
    CHECK(f.find(id).call.recording_id == recording.str());
    CHECK(why_not(id).find("not finished") != std::string::npos);

    recording::FinishedRecording finished{recording, kTenant, "default/" + recording.str()};
    finished.samples = 8 * static_cast<std::uint64_t>(kOdd);
    finished.dropped_frames = 3;
    REQUIRE(recordings.finished(finished));
    REQUIRE(told.size() == 1);
    CHECK(told.front().call == id);
    CHECK(told.front().duration == Milliseconds{kOdd});
    const auto rows = storage::testing::ask(*f.store.database, "SELECT * FROM recordings");
    REQUIRE(rows->size() == 1);
    CHECK(rows->front().text("state") == "ready");
    CHECK(rows->front().int64("duration_ms") == kOdd);
    CHECK(rows->front().int64("lost_frames") == 3);
    CHECK(rows->front().bytes("wrapped_key") == Bytes{0, 255, 0});
    REQUIRE(storage::testing::run(*f.store.database,
                                  "UPDATE recordings SET state = 'erased', wrapped_key = NULL"));
    CHECK(why_not(id).find("erased") != std::string::npos);
    finished.error = "disk full";
    REQUIRE(recordings.finished(finished));
    CHECK(told.size() == 1);  // of a failed one nobody is told that it is there
    files.stop();
    files.join();
  }
}
