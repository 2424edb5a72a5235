#include "product/call/turn_taking.hpp"

#include <algorithm>
#include <utility>

namespace yyc3::call {

namespace {
constexpr SamplePos samples(Milliseconds time) {
  return static_cast<SamplePos>(time.count()) * kSamplesPerMs;
}
constexpr SamplePos back(SamplePos from, SamplePos by) { return from > by ? from - by : 0; }
constexpr SamplePos kFrameMax = 32 * kSamplesPerMs;  // a Silero frame; energy frames are shorter
constexpr SamplePos kFramesLateMax = 300 * kSamplesPerMs;  // no frames for so long is silence
}  // namespace

const char* name_of(Completeness value) {
  switch (value) {
    case Completeness::kSatisfied:
      return "satisfied";
    case Completeness::kComplete:
      return "complete";
    case Completeness::kUnclear:
      return "unclear";
    case Completeness::kUnfinished:
      return "unfinished";
  }
  return "unclear";
}

TurnTaking::TurnTaking(TurnConfig config, Judge judge, Interrupts interrupts)
    : config_(config), judge_(std::move(judge)), interrupts_(std::move(interrupts)) {}

void TurnTaking::listen(bool on) {
  listening_ = on;
  quiet_since_ = now_;
  silence_told_ = false;
}

TurnActions TurnTaking::on_speech(SamplePos end, double probability) {
  TurnActions out;
  // The clock runs ahead of the frames: they come by way of the worker.
  const SamplePos previous = std::exchange(frames_to_, std::max(frames_to_, end));
  now_ = std::max(now_, end);
  const bool speech =
      probability >= (state_ == State::kQuiet ? config_.speech_on : config_.speech_off);
  if (!speech) {
    run_ = 0;
    if (state_ == State::kSpeaking) state_ = State::kTrailing;
  } else {
    const SamplePos length = std::min(end - std::min(previous, end), kFrameMax);
    if (run_ == 0) run_from_ = back(end, length);
    run_ = end - run_from_;
    if (state_ == State::kQuiet && run_ >= samples(config_.onset)) begin_utterance(end);
    // One frame of speech after a silence may be a click: two begin to count again.
    if (state_ == State::kTrailing && !overlong_ && run_ >= 2 * kFrameMax) {
      state_ = State::kSpeaking;
      drop_decode(out);
    }
    if (state_ == State::kSpeaking) {
      speech_to_ = end;
      quiet_since_ = end;
      track_barge_in(end, out);
    }
  }
  consider_end(now_, out);
  return out;
}

void TurnTaking::begin_utterance(SamplePos end) {
  state_ = State::kSpeaking;
  speech_from_ = run_from_;
  speech_to_ = end;
  result_.reset();
  stopped_ = false;
  overlong_ = false;
}

void TurnTaking::track_barge_in(SamplePos end, TurnActions& out) {
  if (!bot_speaking_ || !bot_interruptible_ || paused_ || stopped_) return;
  if (end - speech_from_ < samples(config_.barge_in_after)) return;
  paused_ = true;
  paused_at_ = end;
  out.emplace_back(PauseBot{speech_from_});
}

void TurnTaking::speculate(SamplePos now, TurnActions& out) {
  if (job_ != 0 || result_ || now - speech_to_ < samples(config_.speculate_after)) return;
  job_ = next_job_++;
  out.emplace_back(StartDecode{job_, back(speech_from_, samples(config_.preroll)),
                               speech_to_ + samples(config_.speculate_after),
                               bot_speaking_ || paused_});
}

void TurnTaking::drop_decode(TurnActions& out) {
  result_.reset();
  if (job_ == 0) return;
  out.emplace_back(CancelDecode{std::exchange(job_, 0)});
}

Milliseconds TurnTaking::patience() const {
  if (!result_) return config_.complete;
  switch (result_->judged) {
    case Completeness::kSatisfied:
      return config_.satisfied;
    case Completeness::kComplete:
      return config_.complete;
    case Completeness::kUnclear:
      return config_.unclear;
    case Completeness::kUnfinished:
      return config_.unfinished;
  }
  return config_.complete;
}

void TurnTaking::consider_end(SamplePos now, TurnActions& out) {
  if (state_ == State::kSpeaking && now - speech_from_ > samples(config_.utterance_max) &&
      job_ == 0) {
    job_ = next_job_++;
    out.emplace_back(StartDecode{job_, back(now, samples(config_.utterance_max)), now, false});
    state_ = State::kTrailing;
    overlong_ = true;
  }
  if (paused_ && !stopped_ && state_ == State::kSpeaking &&
      now - paused_at_ >= samples(config_.barge_in_decide)) {
    // Nobody says 嗯 for so long: it is an interruption, whatever the words are.
    stopped_ = true;
    paused_ = false;
    out.emplace_back(StopBot{speech_from_});
  }
  if (state_ != State::kTrailing) return;
  speculate(now, out);
  if (result_ && (overlong_ || now - speech_to_ >= samples(patience()))) finish_turn(now, out);
}

void TurnTaking::finish_turn(SamplePos now, TurnActions& out) {
  const Adopted result = std::move(*result_);
  result_.reset();
  state_ = State::kQuiet;
  run_ = 0;
  quiet_since_ = now;
  silence_told_ = false;
  if (paused_) decide_barge_in(result.text, result.confidence, out);
  const bool over_the_bot = bot_speaking_ && !std::exchange(stopped_, false);
  // A cough or a back-channel over the bot is no turn; neither is a noise without words.
  if (over_the_bot || (result.text.empty() && !result.failed)) return;
  out.emplace_back(TurnEnded{result.text, result.confidence, result.failed, result.judged,
                             speech_from_, speech_to_, now, result.took});
}

void TurnTaking::decide_barge_in(const std::string& text, double confidence, TurnActions& out) {
  if (!interrupts_(text, confidence)) return resume_bot(out);
  paused_ = false;
  stopped_ = true;
  out.emplace_back(StopBot{speech_from_});
}

void TurnTaking::resume_bot(TurnActions& out) {
  paused_ = false;
  out.emplace_back(ResumeBot{});
}

TurnActions TurnTaking::on_text(std::uint64_t job, const std::string& text, double confidence,
                                Milliseconds took) {
  TurnActions out;
  if (job == 0 || job != job_) return out;
  job_ = 0;
  result_ =
      Adopted{text, confidence, took, false, text.empty() ? Completeness::kUnclear : judge_(text)};
  if (paused_ && !text.empty()) decide_barge_in(text, confidence, out);
  consider_end(now_, out);
  return out;
}

TurnActions TurnTaking::on_decode_failed(std::uint64_t job) {
  TurnActions out;
  if (job == 0 || job != job_) return out;
  job_ = 0;
  result_ = Adopted{{}, 0, Milliseconds{0}, true, Completeness::kUnclear};
  if (paused_) resume_bot(out);
  consider_end(now_, out);
  return out;
}

TurnActions TurnTaking::on_bot_speaking(SamplePos at, bool speaking, bool interruptible) {
  TurnActions out;
  now_ = std::max(now_, at);
  bot_speaking_ = speaking;
  bot_interruptible_ = interruptible;
  quiet_since_ = now_;
  silence_told_ = false;
  if (!speaking) paused_ = false;
  return out;
}

TurnActions TurnTaking::on_clock(SamplePos now) {
  TurnActions out;
  now_ = std::max(now_, now);
  if (state_ == State::kSpeaking && now_ - speech_to_ > kFramesLateMax) state_ = State::kTrailing;
  consider_end(now_, out);
  const bool nobody = state_ == State::kQuiet && !bot_speaking_ && job_ == 0;
  if (listening_ && nobody && !silence_told_ && now_ - quiet_since_ >= samples(config_.no_answer)) {
    silence_told_ = true;
    out.emplace_back(CallerSilent{});
  }
  return out;
}

}  // namespace yyc3::call
