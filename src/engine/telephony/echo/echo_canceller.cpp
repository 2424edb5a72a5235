#include "engine/telephony/echo/echo_canceller.hpp"

#include <algorithm>
#include <speex/speex_echo.h>

#include "engine/telephony/codec/level.hpp"

namespace yyc3::echo {

namespace {

constexpr float kAudibleDbov = -55;  ///< softer echoes of it are below any noise
constexpr float kLimitMaxDb = -12;   ///< no line returns more; whoever is louder is a person
constexpr float kLimitMinDb = -40;
constexpr float kMarginDb = 4;
constexpr float kForget = 0.99F;         ///< a frame: two seconds
constexpr float kPrior = 20;             ///< frames of the worst line, believed at first
constexpr float kUsual = 0.95F;          ///< so many frames are not above it
constexpr int kHoldFrames = 8;           ///< soft ends of words
constexpr float kSpeechWeight = 0.01F;   ///< a frame above the limit that is no echo, to learn from
constexpr std::size_t kCompared = 16;    ///< frames of loudness compared: 320 ms
constexpr float kAlike = 0.92F;          ///< correlation of an echo's loudness with what was played
constexpr float kWorthwhileDb = 3;       ///< what the filter takes out at least, to be believed
constexpr float kSwingDb = 3;            ///< of loudness, less says nothing
constexpr float kLoudnessMinDbov = -60;  ///< softer is alike
constexpr int kSoften = 10;              ///< times: 20 dB

SpeexEchoState* speex(void* state) { return static_cast<SpeexEchoState*>(state); }

}  // namespace

void EchoCanceller::Free::operator()(void* state) const { speex_echo_state_destroy(speex(state)); }

EchoCanceller::Residual::Residual() { share_[static_cast<std::size_t>(-kLimitMaxDb)] = kPrior; }

void EchoCanceller::Residual::learn(float below_db, float weight) {
  for (float& share : share_) share *= kForget;
  const float bin = std::clamp(-below_db, 0.0F, static_cast<float>(share_.size() - 1));
  share_[static_cast<std::size_t>(bin)] += weight;
}

float EchoCanceller::Residual::limit_db() const {
  float all = 0;
  for (const float share : share_) all += share;
  float above = 0;
  std::size_t bin = 0;
  while (bin + 1 < share_.size() && above + share_[bin] < (1 - kUsual) * all)
    above += share_[bin++];
  return std::clamp(-static_cast<float>(bin) + kMarginDb, kLimitMinDb, kLimitMaxDb);
}

EchoCanceller::Loudness::Loudness() {
  heard_.fill(codec::kSilenceDbov);
  played_.fill(codec::kSilenceDbov);
}

void EchoCanceller::Loudness::add(float heard_dbov, float played_dbov) {
  heard_[next_] = heard_dbov;
  played_[next_] = played_dbov;
  next_ = (next_ + 1) % kKept;
}

float EchoCanceller::Loudness::loudest_played(std::size_t frames) const {
  float loudest = codec::kSilenceDbov;
  for (std::size_t i = 0; i <= frames; ++i) loudest = std::max(loudest, played_[before(i)]);
  return loudest;
}

bool EchoCanceller::Loudness::follows(std::size_t lags) const {
  static_assert(kKept >= kCompared + static_cast<std::size_t>(kTailMax.count()) / 20);
  // From kLoudnessMinDbov on, so that nothing at all is exactly 0.
  const auto above = [](float dbov) { return std::max(dbov - kLoudnessMinDbov, 0.0F); };
  for (std::size_t lag = 0; lag <= lags; ++lag) {
    float h = 0;
    float p = 0;
    float hh = 0;
    float pp = 0;
    float hp = 0;
    for (std::size_t i = 0; i < kCompared; ++i) {
      const float x = above(heard_[before(i)]);
      const float y = above(played_[before(i + lag)]);
      h += x;
      p += y;
      hh += x * x;
      pp += y * y;
      hp += x * y;
    }
    constexpr auto kN = static_cast<float>(kCompared);
    const float heard = kN * hh - h * h;
    const float played = kN * pp - p * p;
    const float both = kN * hp - h * p;
    constexpr float kLeast = kN * kN * kSwingDb * kSwingDb;
    const bool swing = heard > kLeast && played > kLeast;
    if (swing && both > 0 && both * both > kAlike * kAlike * heard * played) return true;
  }
  return false;
}

EchoCanceller::EchoCanceller(Milliseconds tail)
    : tail_frames_(static_cast<std::size_t>(std::clamp(tail, kTailMin, kTailMax).count()) / 20) {
  constexpr int kFrame = static_cast<int>(codec::kFrameSamples);
  int rate = codec::kSampleRate;
  filter_.reset(speex_echo_state_init(kFrame, kFrame * static_cast<int>(tail_frames_)));
  speex_echo_ctl(speex(filter_.get()), SPEEX_ECHO_SET_SAMPLING_RATE, &rate);
}

EchoCanceller::Verdict EchoCanceller::process(const codec::Frame& heard, const codec::Frame& played,
                                              codec::Frame& out) {
  const float heard_dbov = codec::level_dbov(heard);
  loudness_.add(heard_dbov, codec::level_dbov(played));
  const float loudest = loudness_.loudest_played(tail_frames_);
  if (loudest < kAudibleDbov) {
    out = heard;
    hold_ = 0;
    return Verdict::kClear;
  }
  speex_echo_cancellation(speex(filter_.get()), heard.data(), played.data(), out.data());
  // What it makes little softer, or louder, is no echo it knows: left alone, or the voice of who
  // speaks over the bot, from which it learns wrongly, is hard to tell for a detector of speech.
  float left_dbov = codec::level_dbov(out);
  if (heard_dbov - left_dbov < kWorthwhileDb) {
    out = heard;
    left_dbov = heard_dbov;
  }
  const float below = left_dbov - loudest;
  const bool echo =
      below <= residual_.limit_db() || (below < kLimitMaxDb && loudness_.follows(tail_frames_));
  residual_.learn(below, echo ? 1 : kSpeechWeight);
  hold_ = !echo ? kHoldFrames : std::max(hold_ - 1, 0);
  if (hold_ > 0) return Verdict::kSpeech;
  for (std::int16_t& sample : out) sample = static_cast<std::int16_t>(sample / kSoften);
  return Verdict::kEcho;
}

}  // namespace yyc3::echo
