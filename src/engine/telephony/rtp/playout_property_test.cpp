#include <doctest/doctest.h>
#include <map>
#include <memory>
#include <rapidcheck.h>
#include <vector>

#include "engine/telephony/rtp/playout.hpp"

using namespace yyc3;
using namespace yyc3::rtp;

namespace {

struct Ledger final : EventSink {
  std::vector<MediaEvent> events;
  void emit(const MediaEvent& event) override { events.push_back(event); }
};

}  // namespace

// The state machine of barge-in under any order of calls. RC_PARAMS="seed=..." replays a failure.
TEST_CASE("the ledger never says more than was sent, and no old epoch is heard") {
  CHECK(rc::check("any interleaving", [] {
    const auto rings = std::make_unique<StreamRings>();
    Ledger ledger;
    Playout playout(*rings, ledger);
    const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 100));
    std::uint32_t epoch = 0;
    std::uint32_t utterance = 1;
    std::uint32_t offset = 0;
    std::map<std::uint32_t, std::uint32_t> sent;  // utterance → samples at full gain
    std::map<std::uint32_t, std::uint32_t> epoch_of;
    bool hold = false;
    std::uint64_t at = 0;
    const auto tick = [&] {
      codec::Frame out;
      playout.next({.at = at, .when = {}, .may_play = !hold}, out);
      at += 160;
      // Sound of frame k of an utterance is 1000 + utterance: after the fade it must be current.
      const int value = out[100];
      if (value == 0) return;
      const auto who = static_cast<std::uint32_t>(value - 1000);
      RC_ASSERT(epoch_of.at(who) == epoch);
      RC_ASSERT(!hold && !rings->paused);
      sent[who] += 160;
    };
    for (const int step : steps) {
      if (step < 45) {
        tick();
      } else if (step < 85) {
        PlayFrame frame;
        frame.epoch = epoch;
        frame.utterance = utterance;
        frame.offset = offset;
        frame.last = step >= 80;
        frame.pcm.fill(static_cast<std::int16_t>(1000 + utterance));
        epoch_of[utterance] = epoch;
        if (!rings->play.push(frame)) continue;
        offset = frame.last ? 0 : offset + 160;
        utterance += frame.last ? 1 : 0;
      } else if (step < 90) {
        epoch = rings->epoch.fetch_add(1) + 1;
        ++utterance;
        offset = 0;
      } else if (step < 96) {
        rings->paused = !rings->paused;
      } else {
        hold = !hold;
      }
    }
    playout.close({.at = at});
    std::map<std::uint32_t, int> started;
    for (const MediaEvent& e : ledger.events) {
      if (e.kind == MediaEventKind::kLedgerStarted) RC_ASSERT(++started[e.utterance] == 1);
      if (e.kind != MediaEventKind::kLedgerEnded) continue;
      RC_ASSERT(--started[e.utterance] == 0);
      RC_ASSERT(e.samples == sent[e.utterance]);
    }
    for (const auto& [id, open] : started) RC_ASSERT(open == 0);
  }));
}

TEST_CASE("a raised epoch fades within 5 ms and is silent from then on") {
  const auto rings = std::make_unique<StreamRings>();
  Ledger ledger;
  Playout playout(*rings, ledger);
  PlayFrame frame;
  frame.utterance = 9;
  frame.pcm.fill(8000);
  for (int i = 0; i < 40; ++i, frame.offset += 160) rings->play.push(frame);
  codec::Frame out;
  for (std::uint64_t i = 0; i < 5; ++i) CHECK(playout.next({.at = i * 160}, out));
  rings->epoch.store(1);
  CHECK(playout.next({.at = 800}, out));
  CHECK(out[0] == 8000);
  CHECK(out[20] < 4100);
  for (std::size_t i = 1; i < 160; ++i) CHECK(out[i] <= out[i - 1]);
  CHECK(out[40] == 0);
  CHECK(rings->play.empty());
  CHECK_FALSE(playout.next({.at = 960}, out));
  REQUIRE(ledger.events.size() == 2);
  CHECK(ledger.events[1].cut);
  CHECK(ledger.events[1].samples == 800);
  CHECK(ledger.events[1].at == 800);
}

TEST_CASE("pausing loses nothing and ducking is 12 dB") {
  const auto rings = std::make_unique<StreamRings>();
  Ledger ledger;
  Playout playout(*rings, ledger);
  PlayFrame frame;
  frame.utterance = 3;
  frame.pcm.fill(8000);
  codec::Frame out;
  for (int i = 0; i < 40; ++i, frame.offset += 160) rings->play.push(frame);
  playout.next({.at = 0}, out);
  rings->paused = true;
  playout.next({.at = 160}, out);
  CHECK(out[39] < 300);
  CHECK_FALSE(playout.next({.at = 320}, out));
  CHECK(rings->play.size() == 39);
  rings->paused = false;
  playout.next({.at = 480}, out);
  CHECK(out[0] == 0);
  CHECK(out[159] == 8000);
  rings->ducked = true;
  playout.next({.at = 640}, out);
  playout.next({.at = 800}, out);
  CHECK(out[100] == 2000);
  rings->ducked = false;
  playout.next({.at = 960}, out);
  playout.next({.at = 1120}, out);
  CHECK(out[0] == 8000);
}
