#include "product/call/turn_taking.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace yyc3::call {

namespace {
constexpr SamplePos samples(Milliseconds time) {
  return static_cast<SamplePos>(time.count()) * kSamplesPerMs;
}
constexpr SamplePos back(SamplePos from, SamplePos by) { return from > by ? from - by : 0; }
constexpr SamplePos kFrameMax = 32 * kSamplesPerMs;  // a Silero frame; energy frames are shorter
constexpr Milliseconds kFramesLateMax{
    300};  // no frames for so long is silence, or a late recogniser
constexpr Milliseconds kAwaitedMax{5'000};  // a recogniser later than this says no more
constexpr Milliseconds kPauseMin{160};      // shorter silences are parts of words
/// Silero lags behind the sound by less than this; what it calls speech for longer is soft speech.
constexpr Milliseconds kProbabilityLag{256};
/// From here on a model of the end of turns says yes (Smart-Turn: 0.5).
constexpr double kTurnEnds = 0.5;
constexpr double kPaceKept = 0.9;
constexpr double kPaceWaits = 1.25;
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

void Pace::on_pause(Milliseconds pause) {
  mean_ms_ = kPaceKept * mean_ms_ + (1 - kPaceKept) * static_cast<double>(pause.count());
}

Milliseconds Pace::waits() const {
  return Milliseconds{static_cast<std::int64_t>(kPaceWaits * mean_ms_)};
}

TurnTaking::TurnTaking(TurnConfig config, Judge judge, Interrupts interrupts)
    : config_(config),
      judge_(std::move(judge)),
      interrupts_(std::move(interrupts)),
      level_(config.background_db) {}

void TurnTaking::listen(bool on) {
  listening_ = on;
  quiet_since_ = now_;
  silence_told_ = false;
}

TurnActions TurnTaking::on_level(SamplePos from, SamplePos to, float dbov) {
  TurnActions out;
  quiet_.on_level(from, to, dbov);
  level_.on_level(from, to, dbov);
  const QuietRun::Span run = quiet_.now();
  if (state_ != State::kSpeaking || run.from <= run_from_ || !fell_quiet(run.from, run.to))
    return out;
  now_ = std::max(now_, to);
  speech_to_ = run.from;
  trail(out);
  consider_end(known_to(), out);
  return out;
}

/// [from, to) is the silence right after sound, whatever its probability still says.
bool TurnTaking::fell_quiet(SamplePos from, SamplePos to) const {
  const QuietRun::Span last = quiet_.last();
  return from >= last.from && to <= std::min(last.to, last.from + samples(kProbabilityLag));
}

/// There is a sound that may turn out to be speech: who has just begun again is not answered.
bool TurnTaking::may_go_on() const {
  const QuietRun::Span sound = quiet_.sound();
  return sound.from > speech_to_ && now_ <= sound.from + samples(kProbabilityLag);
}

TurnActions TurnTaking::on_speech(SamplePos end, double probability) {
  TurnActions out;
  // The clock runs ahead of the frames: they come by way of the worker.
  const SamplePos previous = std::exchange(frames_to_, std::max(frames_to_, end));
  now_ = std::max(now_, end);
  const SamplePos length = std::min(end - std::min(previous, end), kFrameMax);
  const bool speech =
      probability >= (state_ == State::kQuiet ? config_.speech_on : config_.speech_off) &&
      !fell_quiet(end - length, end);
  if (state_ == State::kTrailing && end <= speech_to_) {
    if (speech) track_barge_in(end, out);  // when it ended is known by its level
  } else if (!speech) {
    run_ = 0;
    if (state_ == State::kSpeaking) trail(out);
  } else {
    if (run_ == 0) run_from_ = back(end, length);
    run_ = end - run_from_;
    if (state_ == State::kQuiet && run_ >= samples(config_.onset)) begin_utterance(end);
    // One frame of speech after a silence may be a click: two begin to count again.
    if (state_ == State::kTrailing && !overlong_ && run_ >= 2 * kFrameMax) go_on_after_pause(out);
    if (state_ == State::kSpeaking) follow_speech(end, out);
  }
  consider_end(known_to(), out);
  return out;
}

void TurnTaking::begin_utterance(SamplePos end) {
  state_ = State::kSpeaking;
  speech_from_ = begun_at_ = run_from_;
  speech_to_ = end;
  partial_to_ = run_from_;
  partials_ = 0;
  result_.reset();
  turn_end_.reset();
  stopped_ = undecided_ = faint_ = false;
  overlong_ = false;
  if (!answered_) taken_back_ = 0;
}

void TurnTaking::go_on_after_pause(TurnActions& out) {
  state_ = State::kSpeaking;
  const auto pause = Milliseconds{(run_from_ - std::min(run_from_, speech_to_)) / kSamplesPerMs};
  if (pause >= kPauseMin) pace_.on_pause(pause);
  drop_decode(out);
}

void TurnTaking::follow_speech(SamplePos end, TurnActions& out) {
  speech_to_ = end;
  quiet_since_ = end;
  if (!bot_speaking_ && may_take_back() && !level_.background(begun_at_)) take_back(out);
  track_barge_in(end, out);
  start_partial(out);
}

void TurnTaking::trail(TurnActions& out) {
  state_ = State::kTrailing;
  if (job_is_partial_) drop_decode(out);  // its decoder is wanted in a moment
}

bool TurnTaking::may_take_back() const {
  if (!answered_ || taken_back_ >= config_.take_backs_max) return false;
  if (now_ - answered_->from > samples(config_.utterance_max)) return false;
  return !bot_speaking_ || begun_at_ < bot_from_ + samples(config_.take_back);
}

void TurnTaking::take_back(TurnActions& out) {
  pace_.on_pause(Milliseconds{(begun_at_ - std::min(begun_at_, answered_->to)) / kSamplesPerMs});
  speech_from_ = answered_->from;
  answered_.reset();
  ++taken_back_;
  stopped_ = true;  // what the bot still says is over: this speech is a turn
  out.emplace_back(TakeBack{begun_at_});
}

void TurnTaking::track_barge_in(SamplePos end, TurnActions& out) {
  if (!bot_speaking_ || end < bot_interruptible_from_ || paused_ || stopped_) return;
  if (end - begun_at_ < samples(config_.barge_in_after)) return;
  faint_ = level_.background(begun_at_);
  if (faint_) return;
  if (may_take_back()) return take_back(out);
  paused_ = undecided_ = true;
  paused_at_ = end;
  out.emplace_back(PauseBot{speech_from_});
}

void TurnTaking::start_decode(SamplePos from, SamplePos to, bool partial, TurnActions& out) {
  job_ = next_job_++;
  job_is_partial_ = partial;
  out.emplace_back(StartDecode{job_, from, to, bot_speaking_ || paused_, partial});
}

void TurnTaking::start_partial(TurnActions& out) {
  if (job_ != 0 || speech_to_ - speech_from_ > samples(config_.partial_until)) return;
  const Milliseconds wanted = partials_ == 0 ? config_.partial_after : config_.partial_every;
  if (speech_to_ - partial_to_ < samples(wanted)) return;
  partial_to_ = speech_to_;
  ++partials_;
  start_decode(back(speech_from_, samples(config_.preroll)), speech_to_, true, out);
}

void TurnTaking::speculate(SamplePos now, TurnActions& out) {
  if (job_ != 0 || result_ || now - speech_to_ < samples(config_.speculate_after)) return;
  SamplePos to = speech_to_ + samples(config_.speculate_after);
  // A soft last consonant lies in what is quiet.
  if (quiet_.last().from == speech_to_) to = std::max(to, quiet_.last().to);
  start_decode(back(speech_from_, samples(config_.preroll)), to, false, out);
}

void TurnTaking::drop_decode(TurnActions& out) {
  result_.reset();
  turn_end_.reset();
  job_is_partial_ = false;
  if (job_ == 0) return;
  out.emplace_back(CancelDecode{std::exchange(job_, 0)});
}

Milliseconds TurnTaking::patience() const {
  const Completeness judged = result_ ? result_->judged : Completeness::kComplete;
  if (judged == Completeness::kSatisfied) return config_.satisfied;
  const Milliseconds slow = std::min(pace_.waits(), config_.longest);
  if (turn_end_ && judged != Completeness::kUnfinished)
    return std::max(*turn_end_ >= kTurnEnds ? config_.sounds_finished : config_.unfinished, slow);
  switch (judged) {
    case Completeness::kUnclear:
      return std::max(config_.unclear, slow);
    case Completeness::kUnfinished:
      return std::max(config_.unfinished, slow);
    default:
      return std::max(config_.complete, slow);
  }
}

void TurnTaking::consider_end(SamplePos now, TurnActions& out) {
  if (state_ == State::kSpeaking && now - speech_from_ > samples(config_.utterance_max)) {
    drop_decode(out);
    start_decode(back(now, samples(config_.utterance_max)), now, false, out);
    state_ = State::kTrailing;
    overlong_ = true;
  }
  if (paused_ && !stopped_ && state_ == State::kSpeaking &&
      now - paused_at_ >= samples(config_.barge_in_decide))
    stop_bot(out);  // Nobody says 嗯 for so long: it is an interruption, whatever the words are.
  if (paused_ && state_ != State::kSpeaking && now - paused_at_ >= samples(config_.resume_after))
    resume_bot(out);  // a cough, and a recogniser that is late
  if (state_ != State::kTrailing) return;
  speculate(now, out);
  if (!result_ || (!overlong_ && may_go_on())) return;
  if (overlong_ || now - speech_to_ >= samples(patience())) finish_turn(now, out);
}

void TurnTaking::finish_turn(SamplePos now, TurnActions& out) {
  const Adopted result = std::move(*result_);
  result_.reset();
  state_ = State::kQuiet;
  run_ = 0;
  quiet_since_ = now;
  silence_told_ = false;
  if (undecided_) decide_barge_in(result.text, result.confidence, out);
  const bool over_the_bot = bot_speaking_ && !std::exchange(stopped_, false);
  // A cough or a back-channel over the bot is no turn; neither is a noise, or a voice in the
  // background, without words that are understood, but for one that has taken back an answer.
  const bool understood = result.judged != Completeness::kUnclear;
  const bool background = level_.background(begun_at_);
  const bool nothing = result.text.empty() || (background && !understood);
  if (over_the_bot || (nothing && !result.failed && taken_back_ == 0)) return;
  if (understood) level_.learn(speech_from_, speech_to_);
  last_turn_ = {speech_from_, speech_to_};
  out.emplace_back(TurnEnded{result.text, result.confidence, result.failed, result.judged,
                             speech_from_, speech_to_, now, result.took});
}

void TurnTaking::answer_may_be_taken_back(bool may) {
  answered_.reset();
  if (may) answered_ = last_turn_;
}

void TurnTaking::stop_bot(TurnActions& out) {
  paused_ = undecided_ = false;
  stopped_ = true;
  out.emplace_back(StopBot{speech_from_});
}

bool TurnTaking::interrupts(const std::string& text, double confidence, SamplePos to) const {
  const SamplePos length = to - std::min(to, begun_at_);
  return !text.empty() &&
         interrupts_({text, confidence, Milliseconds{length / kSamplesPerMs}, faint_});
}

void TurnTaking::decide_barge_in(const std::string& text, double confidence, TurnActions& out) {
  const bool meant = interrupts(text, confidence, speech_to_);
  undecided_ = false;
  if (meant) return stop_bot(out);
  resume_bot(out);
}

void TurnTaking::resume_bot(TurnActions& out) {
  if (!std::exchange(paused_, false)) return;
  out.emplace_back(ResumeBot{});
}

TurnActions TurnTaking::on_text(std::uint64_t job, const std::string& text, double confidence,
                                Milliseconds took) {
  TurnActions out;
  if (job == 0 || job != job_) return out;
  job_ = 0;
  if (std::exchange(job_is_partial_, false)) {
    // Words so far that are none may become some: only the last decode resumes the bot.
    if ((undecided_ || faint_) && interrupts(text, confidence, partial_to_)) stop_bot(out);
    return out;
  }
  result_ =
      Adopted{text, confidence, took, false, text.empty() ? Completeness::kUnclear : judge_(text)};
  if ((undecided_ || faint_) && !text.empty()) decide_barge_in(text, confidence, out);
  consider_end(known_to(), out);
  return out;
}

TurnActions TurnTaking::on_decode_failed(std::uint64_t job) {
  TurnActions out;
  if (job == 0 || job != job_) return out;
  job_ = 0;
  if (std::exchange(job_is_partial_, false)) return out;
  result_ = Adopted{{}, 0, Milliseconds{0}, true, Completeness::kUnclear};
  resume_bot(out);
  consider_end(known_to(), out);
  return out;
}

TurnActions TurnTaking::on_turn_end(SamplePos to, double probability) {
  TurnActions out;
  if (state_ != State::kTrailing || to < speech_to_) return out;  // speech has gone on since
  turn_end_ = probability;
  consider_end(known_to(), out);
  return out;
}

TurnActions TurnTaking::on_understood() {
  TurnActions out;
  if (state_ != State::kTrailing || !result_ || result_->text.empty()) return out;
  result_->judged = judge_(result_->text);
  consider_end(known_to(), out);
  return out;
}

void TurnTaking::on_bot_began(SamplePos at, Milliseconds interruptible_after) {
  note_bot(at, true);
  bot_from_ = at;
  bot_interruptible_from_ = interruptible_after == kNever ? std::numeric_limits<SamplePos>::max()
                                                          : at + samples(interruptible_after);
}

void TurnTaking::on_bot_ended(SamplePos at) {
  note_bot(at, false);
  paused_ = undecided_ = false;
}

void TurnTaking::note_bot(SamplePos at, bool speaking) {
  now_ = std::max(now_, at);
  bot_speaking_ = speaking;
  quiet_since_ = now_;
  silence_told_ = false;
}

void TurnTaking::on_sound_sent(SamplePos end) {
  if (sent_to_ < frames_to_ + kFrameMax)
    sent_from_ = end;  // but for an unfinished frame all is told
  sent_to_ = std::max(sent_to_, end);
}

Milliseconds TurnTaking::awaited() const {
  if (sent_to_ < frames_to_ + kFrameMax) return Milliseconds{0};
  return Milliseconds{(now_ - std::min(now_, std::max(frames_to_, sent_from_))) / kSamplesPerMs};
}

/// The recogniser is behind, and not for good.
bool TurnTaking::late() const {
  const Milliseconds time = awaited();
  return time >= kFramesLateMax && time < kAwaitedMax;
}

/// Until when it is known whether the caller speaks.
SamplePos TurnTaking::known_to() const { return late() ? std::min(now_, frames_to_) : now_; }

TurnActions TurnTaking::on_clock(SamplePos now) {
  TurnActions out;
  now_ = std::max(now_, now);
  if (state_ == State::kSpeaking && !late() && now_ - speech_to_ > samples(kFramesLateMax))
    trail(out);
  consider_end(known_to(), out);
  const bool nobody = state_ == State::kQuiet && !bot_speaking_ && job_ == 0 && !late();
  if (listening_ && nobody && !silence_told_ && now_ - quiet_since_ >= samples(config_.no_answer)) {
    silence_told_ = true;
    out.emplace_back(CallerSilent{});
  }
  return out;
}

}  // namespace yyc3::call
