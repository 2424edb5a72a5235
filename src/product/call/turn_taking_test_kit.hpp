#pragma once

// For the tests of this room only: turn-taking fed by hand.

#include <algorithm>
#include <doctest/doctest.h>
#include <string>
#include <utility>
#include <vector>

#include "product/call/turn_taking.hpp"

namespace yyc3::call::kit {

using namespace std::chrono_literals;

/// Plays a script of speech and silence into the machine in 32 ms frames and keeps what it asked
/// for.
struct Bench {
  explicit Bench(TurnConfig with = {}) : config(with) {}
  TurnConfig config;
  Completeness judged = Completeness::kComplete;
  bool interrupts = true;
  TurnTaking turns{config, [this](const std::string&) { return judged; },
                   [this](const SaidOver& heard) {
                     over = heard;
                     return interrupts;
                   }};
  SaidOver over;  ///< asked about last
  SamplePos now = 0;
  TurnActions seen;

  void take(TurnActions actions) {
    for (auto& action : actions) seen.push_back(std::move(action));
  }
  void frames(Milliseconds time, double probability) {
    for (SamplePos i = 0; i < static_cast<SamplePos>(time.count()) / 32; ++i) {
      now += 256;
      take(turns.on_speech(now, probability));
      take(turns.on_clock(now));
    }
  }
  /// The same with the loudness of the line.
  void sound(Milliseconds time, float dbov, double probability) {
    for (SamplePos i = 0; i < static_cast<SamplePos>(time.count()) / 32; ++i) {
      for (SamplePos part = 0; part < 2; ++part)
        take(turns.on_level(now + part * 128, now + (part + 1) * 128, dbov));
      frames(32ms, probability);
    }
  }
  float noise = -70;
  void say_aloud(Milliseconds time) { sound(time, -20, 0.95); }
  void fade(Milliseconds time) { sound(time, noise, 0.8); }
  void loudness(float dbov, Milliseconds time) { sound(time, dbov, 0.02); }
  void say(Milliseconds time) { frames(time, 0.95); }
  void quiet(Milliseconds time) { frames(time, 0.02); }
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& action : seen)
      if (const T* one = std::get_if<T>(&action)) found.push_back(*one);
    return found;
  }
  std::vector<StartDecode> decodes(bool partial) const {
    auto found = all<StartDecode>();
    std::erase_if(found, [&](const StartDecode& one) { return one.partial != partial; });
    return found;
  }
  void hear(bool partial, const char* text) {
    REQUIRE_FALSE(decodes(partial).empty());
    take(turns.on_text(decodes(partial).back().job, text, 0.9, 400ms));
  }
  void answer(const char* text) { hear(false, text); }
  /// Says something and is answered, by what may be taken back.
  void ask(const char* text) {
    say(640ms);
    quiet(256ms);
    answer(text);
    quiet(1'000ms);
    REQUIRE_FALSE(all<TurnEnded>().empty());
    turns.answer_may_be_taken_back(true);
  }
  Milliseconds since_speech(const TurnEnded& end) const {
    return Milliseconds{(end.decided_at - end.speech_to) / kSamplesPerMs};
  }
};

}  // namespace yyc3::call::kit
