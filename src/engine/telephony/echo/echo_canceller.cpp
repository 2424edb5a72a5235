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
constexpr float kForget = 0.99F;  ///< a frame: two seconds
constexpr float kPrior = 20;      ///< frames of the worst line, believed at first
constexpr float kUsual = 0.95F;   ///< so many frames are not above it
constexpr int kHoldFrames = 8;    ///< soft ends of words
constexpr int kSurelySpeech = 3;  ///< frames; from then on little is learnt of them
constexpr float kSpeechWeight = 0.1F;
constexpr int kSoften = 10;  ///< times: 20 dB

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

EchoCanceller::EchoCanceller(Milliseconds tail)
    : tail_frames_(static_cast<std::size_t>(std::clamp(tail, kTailMin, kTailMax).count()) / 20) {
  constexpr int kFrame = static_cast<int>(codec::kFrameSamples);
  int rate = codec::kSampleRate;
  filter_.reset(speex_echo_state_init(kFrame, kFrame * static_cast<int>(tail_frames_)));
  speex_echo_ctl(speex(filter_.get()), SPEEX_ECHO_SET_SAMPLING_RATE, &rate);
  played_.fill(codec::kSilenceDbov);
}

float EchoCanceller::loudest_played(const codec::Frame& played) {
  played_[next_] = codec::level_dbov(played);
  next_ = (next_ + 1) % (tail_frames_ + 1);
  return *std::max_element(played_.begin(), played_.begin() + static_cast<int>(tail_frames_) + 1);
}

EchoCanceller::Verdict EchoCanceller::process(const codec::Frame& heard, const codec::Frame& played,
                                              codec::Frame& out) {
  const float loudest = loudest_played(played);
  if (loudest < kAudibleDbov) {
    out = heard;
    open_ = hold_ = 0;
    return Verdict::kClear;
  }
  speex_echo_cancellation(speex(filter_.get()), heard.data(), played.data(), out.data());
  const float below = codec::level_dbov(out) - loudest;
  const bool speech = below > residual_.limit_db();
  open_ = speech ? open_ + 1 : 0;
  residual_.learn(below, open_ > kSurelySpeech ? kSpeechWeight : 1);
  hold_ = speech ? kHoldFrames : std::max(hold_ - 1, 0);
  if (hold_ > 0) return Verdict::kSpeech;
  for (std::int16_t& sample : out) sample = static_cast<std::int16_t>(sample / kSoften);
  return Verdict::kEcho;
}

}  // namespace yyc3::echo
