#include "product/call/line_input.hpp"

#include <utility>

#include "engine/telephony/codec/g711.hpp"
#include "engine/telephony/codec/level.hpp"

namespace yyc3::call {

LineInput::LineInput(rtp::MediaStream& media, Milliseconds echo_tail) : media_(media) {
  if (echo_tail == Milliseconds{0}) return;
  auto tap = std::make_shared<rtp::RecordTap>();
  if (!media_.monitor(tap)) return;  // its media thread is stuck: the call has other troubles
  tap_ = std::move(tap);
  canceller_.emplace(echo_tail);
  cleaned_ = std::make_unique<std::array<Cleaned, kKept>>();
}

void LineInput::compare() {
  codec::Frame heard;
  codec::Frame played;
  while (const rtp::RecordFrame* const frame = tap_->frames.peek()) {
    codec::mulaw_decode(frame->heard, heard);
    codec::mulaw_decode(frame->played, played);
    compared_to_ = frame->at + codec::kFrameSamples;
    Cleaned& cleaned = slot(frame->at);
    const auto verdict = canceller_->process(heard, played, cleaned.pcm);
    const bool touched = verdict != echo::EchoCanceller::Verdict::kClear;
    cleaned.at = touched ? frame->at : UINT64_MAX;
    cleaned.echo = verdict == echo::EchoCanceller::Verdict::kEcho;
    tap_->frames.drop();
  }
}

bool LineInput::next(rtp::InputFrame& out) {
  if (!tap_) return media_.next_input(out);
  compare();
  if (waiting_) {
    out = *waiting_;
  } else if (!media_.next_input(out)) {
    return false;
  }
  waiting_.reset();
  const bool told = media_.closed() || tap_->closed.load(std::memory_order_acquire);
  if (out.at >= compared_to_ && !told) {
    waiting_ = out;
    return false;
  }
  const Cleaned& cleaned = slot(out.at);
  if (cleaned.at != out.at) return true;  // the bot was silent
  out.pcm = cleaned.pcm;
  out.level_dbov = codec::level_dbov(out.pcm);
  out.vad = out.vad && !cleaned.echo;
  return true;
}

}  // namespace yyc3::call
