#include "engine/telephony/rtp/energy_vad.hpp"

#include <algorithm>

#include "engine/telephony/codec/level.hpp"

namespace yyc3::rtp {

namespace {
constexpr float kQuietest = -50;  // nothing below is speech on a telephone …
constexpr float kFloorMin = -75;
constexpr float kFloorMax = -30;  // … and nothing above is only noise
constexpr float kOpenMargin = 9;  // dB over the floor
constexpr float kStayMargin = 6;
constexpr int kOpenFrames = 2;  // 40 ms
constexpr int kWindow = 50;     // 1 s
}  // namespace

EnergyVad::Verdict EnergyVad::step(const codec::Frame& frame, bool trusted) {
  const float level = codec::level_dbov(frame);
  if (trusted) {
    // The floor falls at once and rises to the quietest frame of each second by at most 3 dB: the
    // pauses between words show it, a long vowel does not.
    lowest_ = std::min(lowest_, level);
    if (level < floor_) floor_ = std::max(kFloorMin, floor_ + (level - floor_) * 0.3F);
    if (++window_ == kWindow) {
      floor_ = std::clamp(std::min(lowest_, floor_ + 3), kFloorMin, kFloorMax);
      window_ = 0;
      lowest_ = 0;
    }
  }
  const float margin = open_ ? kStayMargin : kOpenMargin;
  const bool loud = trusted && level > std::max(floor_ + margin, kQuietest);
  above_ = loud ? above_ + 1 : 0;
  if (above_ >= (open_ ? 1 : kOpenFrames)) {
    open_ = true;
    hangover_ = hangover_frames_;
  } else if (open_ && --hangover_ <= 0) {
    open_ = false;
  }
  return {open_, level};
}

}  // namespace yyc3::rtp
