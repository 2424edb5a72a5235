#include "product/call/quiet_run.hpp"

#include <algorithm>

namespace yyc3::call {

namespace {
constexpr float kBelowDb = 35;
constexpr float kFallDb = 0.2F;  // a frame, so 10 dB a second: a voice may go softer
constexpr float kLoudMinDbov = -45;
}  // namespace

void QuietRun::on_level(SamplePos from, SamplePos to, float dbov) {
  recent_[next_++ % kSustained] = dbov;
  loudest_ = std::max({*std::ranges::min_element(recent_), loudest_ - kFallDb, kLoudMinDbov});
  sounding_ = dbov > loudest_ - kBelowDb;
  if (sounding_) {
    if (sound_.to != from) sound_.from = from;
    sound_.to = to;
    now_ = {to, to};
    return;
  }
  if (now_.to != from) now_ = {from, from};
  now_.to = to;
  if (now_.length() >= kLeast) last_ = now_;
}

}  // namespace yyc3::call
