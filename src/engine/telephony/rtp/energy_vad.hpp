#pragma once

#include <cstdint>

#include "engine/telephony/codec/frame.hpp"

namespace yyc3::rtp {

/// Is somebody speaking? By energy over a noise floor that follows the line: the gate before the
/// real detector (Silero in the hear worker), and its stand-in when that is away. Tuned to miss
/// nothing rather than to be silent: noise may open it, quiet speech must.
class EnergyVad {
 public:
  struct Verdict {
    bool speech = false;
    float level_dbov = -96;
  };
  /// @param hangover frames below the threshold that close it; 15 are 300 ms.
  explicit EnergyVad(int hangover = 15) : hangover_frames_(hangover) {}
  /// One 20 ms frame after the other. 40 ms above the threshold open it.
  /// @param trusted false for concealed frames: they neither open it nor move the floor.
  Verdict step(const codec::Frame& frame, bool trusted = true);
  [[nodiscard]] float floor_dbov() const { return floor_; }

 private:
  int hangover_frames_;
  float floor_ = -60;
  float lowest_ = 0;  ///< of the current 1 s window
  int window_ = 0;
  int above_ = 0;
  int hangover_ = 0;
  bool open_ = false;
};

}  // namespace yyc3::rtp
