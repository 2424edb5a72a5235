#include "engine/telephony/rtp/playout.hpp"

#include <algorithm>

namespace yyc3::rtp {

namespace {
constexpr std::size_t kFade = 40;       // 5 ms
constexpr float kDucked = 0.25F;        // -12 dB
constexpr float kGainStep = 1.0F / 80;  // full range in 10 ms

/// Epochs are compared on their circle: a call that lives for 2^31 replies does not exist.
bool older(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

void ramp_up(codec::Frame& pcm) {
  for (std::size_t i = 0; i < kFade; ++i)
    pcm[i] = static_cast<std::int16_t>(pcm[i] * static_cast<int>(i) / static_cast<int>(kFade));
}
}  // namespace

void Playout::tell(MediaEventKind kind, const Tick& tick, bool cut) {
  MediaEvent event;
  event.kind = kind;
  event.cut = cut;
  event.utterance = utterance_;
  event.epoch = epoch_;
  event.offset = from_;
  event.samples = to_ - from_;
  event.at = tick.at;
  event.when = tick.when;
  sink_.emit(event);
}

void Playout::end(const Tick& tick, bool cut) {
  active_ = false;
  audible_ = false;
  tell(MediaEventKind::kLedgerEnded, tick, cut);
}

void Playout::drop_old(std::uint32_t epoch) {
  for (const PlayFrame* f = rings_.play.peek(); f != nullptr && older(f->epoch, epoch);
       f = rings_.play.peek())
    rings_.play.drop();
}

/// The first 5 ms of what would have come next, going to nothing: no click. The frame stays.
bool Playout::fade_out(codec::Frame& out) {
  const PlayFrame* const next = rings_.play.peek();
  if (!audible_ || next == nullptr || next->utterance != utterance_ || next->epoch != epoch_)
    return false;
  for (std::size_t i = 0; i < kFade; ++i) {
    const float level = gain_ * static_cast<float>(kFade - i) / static_cast<float>(kFade);
    out[i] = static_cast<std::int16_t>(static_cast<float>(next->pcm[i]) * level);
  }
  return true;
}

void Playout::scale(codec::Frame& out) {
  const float wanted = rings_.ducked.load(std::memory_order_relaxed) ? kDucked : 1.0F;
  if (gain_ >= 1 && wanted >= 1) return;
  for (std::int16_t& x : out) {
    gain_ =
        wanted < gain_ ? std::max(wanted, gain_ - kGainStep) : std::min(wanted, gain_ + kGainStep);
    x = static_cast<std::int16_t>(static_cast<float>(x) * gain_);
  }
}

void Playout::take(const Tick& tick, const PlayFrame& frame, codec::Frame& out) {
  if (active_ && (frame.utterance != utterance_ || frame.epoch != epoch_)) end(tick, true);
  const std::size_t samples = std::min<std::size_t>(frame.samples, codec::kFrameSamples);
  std::copy_n(frame.pcm.begin(), samples, out.begin());
  if (!active_) {
    active_ = true;
    low_told_ = false;
    utterance_ = frame.utterance;
    epoch_ = frame.epoch;
    from_ = to_ = frame.offset;
    tell(MediaEventKind::kLedgerStarted, tick);
  }
  if (!audible_ && frame.offset > 0) ramp_up(out);  // it was held, had run dry, or goes on
  to_ += static_cast<std::uint32_t>(samples);
  audible_ = true;
  dry_told_ = false;
  rings_.progress.store(static_cast<std::uint64_t>(utterance_) << 32 |
                            (frame.offset + static_cast<std::uint32_t>(samples)),
                        std::memory_order_release);
}

bool Playout::next(const Tick& tick, codec::Frame& out) {
  out.fill(0);
  const std::uint32_t epoch = rings_.epoch.load(std::memory_order_acquire);
  if (active_ && older(epoch_, epoch)) {
    const bool sound = fade_out(out);
    end(tick, true);
    drop_old(epoch);
    return sound;
  }
  drop_old(epoch);
  if (!tick.may_play || rings_.paused.load(std::memory_order_acquire)) {
    const bool sound = fade_out(out);
    audible_ = false;
    return sound;
  }
  const PlayFrame* const frame = rings_.play.peek();
  if (frame == nullptr) {
    if (active_ && !dry_told_) tell(MediaEventKind::kUnderrun, tick);
    dry_told_ = active_;
    audible_ = false;
    return false;
  }
  const bool last = frame->last;
  take(tick, *frame, out);
  rings_.play.drop();
  scale(out);
  const bool low = rings_.play.size() < kPlayLowFrames;
  if (last) {
    end(tick, false);
  } else if (low && !low_told_) {
    tell(MediaEventKind::kPlayLow, tick);
  }
  low_told_ = low;
  return true;
}

void Playout::close(const Tick& tick) {
  if (active_) end(tick, true);
}

}  // namespace yyc3::rtp
