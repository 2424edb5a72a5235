#include "engine/telephony/echo/echo_canceller.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/telephony/codec/g711.hpp"
#include "engine/telephony/codec/wav.hpp"
#include "house/paths.hpp"

namespace yyc3::echo {
namespace {

using Verdict = EchoCanceller::Verdict;

/// Something like speech: noise with the envelope of syllables, 180 ms on and 70 ms soft, and the
/// fall of a voice's spectrum.
class Babble {
 public:
  Babble(std::uint32_t seed, double dbov, std::uint64_t syllable = 2'000)
      : state_(seed * 2654435761U + 1), syllable_(syllable) {
    gain_ = 32768 * std::pow(10, dbov / 20) * 1.6;
  }
  double next() {
    state_ = state_ * 1664525U + 1013904223U;
    const double white = static_cast<double>(state_ >> 8) / 8388608.0 - 1.0;
    low_ += 0.35 * (white - low_);
    const double turn = static_cast<double>(at_++ % syllable_) / static_cast<double>(syllable_);
    const double envelope = turn < 0.72 ? std::sin(turn / 0.72 * 3.14159) : 0.02;
    return gain_ * 2.2 * envelope * low_;
  }

 private:
  std::uint32_t state_;
  std::uint64_t syllable_;  // samples
  double gain_;
  double low_ = 0;
  std::uint64_t at_ = 0;
};

/// A line that returns what it plays: late, softer, through a short room, coded both ways.
class EchoingLine {
 public:
  EchoingLine(int delay_ms, double gain_db, double noise_dbov = -90)
      : delay_(static_cast<std::size_t>(delay_ms) * 8),
        gain_(std::pow(10, gain_db / 20)),
        noise_(7, noise_dbov) {}

  codec::Frame frame(const codec::Frame& played, const codec::Frame& said) {
    codec::Frame heard;
    for (std::size_t i = 0; i < heard.size(); ++i) {
      const auto coded = codec::alaw_decode(codec::alaw_encode(played[i]));
      history_.push_back(coded);
      double sum = said[i] + noise_.next();
      static constexpr double kRoom[] = {0.8, 0.45, -0.25, 0.15, -0.08, 0.05};
      for (std::size_t tap = 0; tap < std::size(kRoom); ++tap) {
        const std::size_t late = delay_ + 5 * tap;
        if (history_.size() > late)
          sum += gain_ * kRoom[tap] * history_[history_.size() - 1 - late];
      }
      const auto pcm = static_cast<std::int16_t>(std::clamp(sum, -32'000.0, 32'000.0));
      heard[i] = codec::alaw_decode(codec::alaw_encode(pcm));
    }
    return heard;
  }
  void move(int delay_ms) { delay_ = static_cast<std::size_t>(delay_ms) * 8; }

 private:
  std::size_t delay_;
  double gain_;
  Babble noise_;
  std::vector<double> history_;
};

codec::Frame frame_of(Babble& voice) {
  codec::Frame frame;
  for (auto& sample : frame)
    sample = static_cast<std::int16_t>(std::clamp(voice.next(), -32'000.0, 32'000.0));
  return frame;
}

constexpr codec::Frame kSilence{};
constexpr int kSecond = 50;     // frames
constexpr int kNobody = 5 + 8;  // a run that stops no bot (160 ms), and what the gate holds

/// What a detector of speech would take for an interruption: so many frames in a row.
struct Run {
  int longest = 0;
  int now = 0;
  void see(Verdict verdict) {
    now = verdict == Verdict::kSpeech ? now + 1 : 0;
    longest = std::max(longest, now);
  }
};

/// The bot speaks, and somebody says something over it.
Verdict over(EchoCanceller& canceller, EchoingLine& line, Babble& bot, const codec::Frame& said,
             codec::Frame& out) {
  const codec::Frame played = frame_of(bot);
  return canceller.process(line.frame(played, said), played, out);
}

/// The bot speaks alone for so many frames.
void alone(EchoCanceller& canceller, EchoingLine& line, Babble& bot, int frames, Run& run) {
  codec::Frame out;
  for (int i = 0; i < frames; ++i) run.see(over(canceller, line, bot, kSilence, out));
}

TEST_CASE("while the bot is silent what is heard is left alone, bit by bit") {
  EchoCanceller canceller(Milliseconds{400});
  Babble caller(3, -26);
  for (int i = 0; i < 3 * kSecond; ++i) {
    const codec::Frame heard = frame_of(caller);
    codec::Frame out;
    CHECK(canceller.process(heard, kSilence, out) == Verdict::kClear);
    CHECK(out == heard);
  }
}

TEST_CASE("the bot's own voice is taken for nobody's, whatever the delay and the level") {
  for (const int delay : {40, 150, 300}) {
    for (const double gain : {-15.0, -20.0, -25.0}) {
      for (const double noise : {-90.0, -50.0}) {
        CAPTURE(delay);
        CAPTURE(gain);
        CAPTURE(noise);
        EchoCanceller canceller(Milliseconds{400});
        EchoingLine line(delay, gain, noise);
        Babble bot(1, -20);
        Run run;
        for (int i = 0; i < 30 * kSecond; ++i) {
          const bool pause = i % (6 * kSecond) > 5 * kSecond;  // between two sentences
          const codec::Frame played = pause ? kSilence : frame_of(bot);
          codec::Frame out;
          run.see(canceller.process(line.frame(played, kSilence), played, out));
        }
        CHECK(run.longest <= kNobody);
      }
    }
  }
}

TEST_CASE("of a real bot's voice the filter takes 12 dB, before anything is gated") {
  std::ifstream in(paths::source_dir() / "docs/media/demo-zh.wav", std::ios::binary);
  const std::string raw{std::istreambuf_iterator<char>(in), {}};
  const auto call = codec::parse_wav(as_bytes(raw));
  REQUIRE(call);
  REQUIRE(call->channels == 2);
  EchoCanceller canceller(Milliseconds{400});
  EchoingLine line(150, -20);
  Run run;
  double before = 0;
  double after = 0;
  for (std::size_t at = 0; at + 320 <= call->samples.size(); at += 320) {
    codec::Frame played;
    for (std::size_t i = 0; i < played.size(); ++i) played[i] = call->samples[at + 2 * i + 1];
    const codec::Frame heard = line.frame(played, kSilence);
    codec::Frame out;
    const Verdict verdict = canceller.process(heard, played, out);
    run.see(verdict);
    if (verdict == Verdict::kClear) continue;
    const double softened = verdict == Verdict::kEcho ? 100 : 1;  // the square of 20 dB
    for (std::size_t n = 0; n < heard.size(); ++n) {
      before += static_cast<double>(heard[n]) * heard[n];
      after += softened * out[n] * out[n];
    }
  }
  CHECK(10 * std::log10(before / after) >= 12);
  CHECK(run.longest <= kNobody);
}

TEST_CASE("whoever speaks over the bot is heard within 60 ms, and softer than it too") {
  for (const double level : {-22.0, -26.0, -30.0}) {
    for (const int begin : {10, 4 * kSecond, 12 * kSecond}) {
      CAPTURE(level);
      CAPTURE(begin);
      EchoCanceller canceller(Milliseconds{400});
      EchoingLine line(150, -20);
      Babble bot(1, -20);
      Babble caller(3, level);
      int heard_after = -1;
      double kept = 0;
      double said = 0;
      for (int i = 0; i < begin + kSecond; ++i) {
        const codec::Frame spoken = i >= begin ? frame_of(caller) : kSilence;
        codec::Frame out;
        const Verdict verdict = over(canceller, line, bot, spoken, out);
        if (i < begin) continue;
        if (verdict == Verdict::kSpeech && heard_after < 0) heard_after = i - begin;
        for (std::size_t n = 0; n < out.size(); ++n) {
          kept += static_cast<double>(out[n]) * out[n];
          said += static_cast<double>(spoken[n]) * spoken[n];
        }
      }
      CHECK(heard_after >= 0);
      CHECK(heard_after <= 3);
      CHECK(std::abs(10 * std::log10(kept / said)) <= 4);  // neither lost nor with the bot in it
    }
  }
}

TEST_CASE("who spoke over the bot once is heard from the first soft sound on the next time") {
  EchoCanceller canceller(Milliseconds{400});
  EchoingLine line(150, -90);
  Babble bot(1, -20);
  Run run;
  alone(canceller, line, bot, 4 * kSecond, run);
  Babble caller(3, -18, 2'700);
  codec::Frame out;
  for (int i = 0; i < kSecond; ++i) over(canceller, line, bot, frame_of(caller), out);
  alone(canceller, line, bot, kSecond / 2, run);
  Babble onset(5, -48);
  codec::Frame soft;
  for (int i = 0; i < 4; ++i) soft = frame_of(onset);  // a syllable's middle
  CHECK(over(canceller, line, bot, soft, out) == Verdict::kSpeech);
}

TEST_CASE("an echo that comes by another way is learnt again within half a second") {
  EchoCanceller canceller(Milliseconds{400});
  EchoingLine line(60, -20);
  Babble bot(1, -20);
  Run run;
  alone(canceller, line, bot, 8 * kSecond, run);
  line.move(220);
  alone(canceller, line, bot, 12 * kSecond, run);
  CHECK(run.longest <= kSecond / 2);
}

TEST_CASE("an echo later than the tail is not filtered, and still taken for nobody's") {
  EchoCanceller canceller(Milliseconds{100});
  EchoingLine line(180, -20);
  Babble bot(1, -20);
  Run run;
  alone(canceller, line, bot, 10 * kSecond, run);
  CHECK(run.longest <= kNobody);
}

TEST_CASE("a tail that makes no sense is brought into its range") {
  for (const int tail : {-5, 0, 10'000}) {
    EchoCanceller canceller{Milliseconds{tail}};
    codec::Frame out;
    CHECK(canceller.process(kSilence, kSilence, out) == Verdict::kClear);
  }
}

}  // namespace
}  // namespace yyc3::echo
