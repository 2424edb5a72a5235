#include "product/call/conversation.hpp"

#include <algorithm>
#include <utility>

namespace yyc3::call {

namespace {

Completeness completeness_of(dialogue::Completeness judged) {
  switch (judged) {
    case dialogue::Completeness::kSatisfied:
      return Completeness::kSatisfied;
    case dialogue::Completeness::kComplete:
      return Completeness::kComplete;
    case dialogue::Completeness::kUnclear:
      return Completeness::kUnclear;
    case dialogue::Completeness::kUnfinished:
      return Completeness::kUnfinished;
  }
  return Completeness::kUnclear;
}

/// Probabilities this late are an event of the call: its recogniser cannot follow.
constexpr Milliseconds kHearingLate{1'000};

/// Speech that began in time to take an answer back has been told of by then.
constexpr std::uint64_t kTakeBackTold = 350 * kSamplesPerMs;

/// Closed lists are short answers; a longer utterance is something else and is decoded freely.
constexpr std::uint64_t kClosedAnswerMax = 1'400 * kSamplesPerMs;

speech::GrammarKind grammar_for(const dialogue::Expect& expect, std::uint64_t samples) {
  if (!expect.answer || samples > kClosedAnswerMax) return speech::GrammarKind::kFree;
  switch (expect.grammar) {
    case dialogue::Grammar::kYesNo:
      return speech::GrammarKind::kYesNo;
    case dialogue::Grammar::kDigit:
      return speech::GrammarKind::kDigit;
    default:
      return speech::GrammarKind::kFree;
  }
}

/// Who waits for an answer hears a sound so soon after his last one, be it a lead-in.
constexpr std::uint64_t kSoundWithin = 850 * kSamplesPerMs;

std::vector<Line> lines_of(const std::vector<dialogue::Segment>& segments) {
  std::vector<Line> lines;
  lines.reserve(segments.size());
  for (const auto& segment : segments) lines.push_back({segment.text, !segment.variable});
  return lines;
}

}  // namespace

text::Language text_language(speech::Language language) {
  return language == speech::Language::kChinese ? text::Language::kZh : text::Language::kEn;
}

ConversationMetrics::ConversationMetrics(telemetry::Registry& r)
    : speaker(r),
      think(r),
      tell(r),
      gap(r.histogram("yyc3_call_gap_seconds",
                      "From the caller's last speech sample to our first packet",
                      {0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.3, 1.6, 2, 3, 5})),
      turns(r.counter("yyc3_call_turns_total", "Turns of callers")),
      barge_ins(r.counter("yyc3_call_barge_ins_total", "Replies stopped by the caller")),
      false_pauses(r.counter("yyc3_call_false_pauses_total", "Replies paused and gone on with")),
      taken_back(r.counter("yyc3_call_answers_taken_back_total",
                           "Answers to a caller who had only paused")),
      hear_failed(r.counter("yyc3_call_hear_failed_total", "Decodes that gave nothing")),
      hear_lag(r.histogram("yyc3_call_hear_lag_seconds",
                           "From the end of 32 ms of the caller's sound to its speech probability",
                           {0.02, 0.04, 0.06, 0.1, 0.2, 0.5, 1, 2, 5})) {}

Conversation::Conversation(ConversationParts& parts, rtp::MediaStream& media, Voice voice,
                           dialogue::DialogueSession dialogue, ConversationListener& listener)
    : parts_(parts),
      media_(media),
      line_(media, parts.echo_tail),
      voice_(voice),
      language_(text_language(voice.language)),
      dialogue_(std::move(dialogue)),
      listener_(listener),
      turns_(
          parts.turns, [this](const std::string& heard) { return judge(heard); },
          [this](const SaidOver& heard) {
            return dialogue_.interrupts(
                {heard.text, heard.confidence, heard.spoken, heard.background}, parts_.local_now());
          }),
      speaker_(media, parts.prompts, std::move(voice), parts.metrics.speaker, parts.clock,
               {[this](std::uint64_t at, SteadyTime) {
                  if (stages_)
                    stages_->first_packet_ms = (static_cast<std::int64_t>(at) -
                                                static_cast<std::int64_t>(answered_speech_at_)) /
                                               static_cast<std::int64_t>(kSamplesPerMs);
                  if (unsettled_) answer_heard_at_ = at;
                  turns_.on_bot_began(at, reply_.expect.interruptible_after);
                },
                [this](const Spoken& spoken) { on_spoken(spoken); }}),
      hearing_(parts.recognizer.open(voice_.language, *this)),
      thinker_(parts.language, parts.metrics.think, parts.clock, parts.choice_patience,
               {[this](const Thinker::Choice& choice) { thought(choice); },
                [this] {
                  if (running_) act(turns_.on_understood());
                }}),
      teller_(parts.speaks ? parts.language : nullptr, parts.metrics.tell, parts.own_words,
              language_, "words-" + std::to_string(hearing_),
              {[this](const Line& line) {
                 said_bytes_ += line.text.size();
                 speaker_.add(line);
               },
               [this] { speaker_.end(); }, [this] { return speaker_.ahead(); },
               [this] { return speaker_.silent(); },
               [this](std::string_view why) {
                 listener_.on_event("own_words_stopped", {{"why", why}});
               }}) {}

Conversation::~Conversation() { parts_.recognizer.close(hearing_); }

std::int64_t Conversation::ms_of(std::uint64_t sample) const {
  return sample <= began_at_ ? 0 : static_cast<std::int64_t>((sample - began_at_) / kSamplesPerMs);
}

Levels Conversation::take_levels() {
  return {std::exchange(loudest_dbov_, codec::kSilenceDbov), speaker_.level_dbov()};
}

Milliseconds Conversation::heard_ms() const {
  return Milliseconds{static_cast<std::int64_t>(heard_samples_ / kSamplesPerMs)};
}

void Conversation::start() {
  running_ = true;
  began_at_ = media_.sample_clock();
  if (!parts_.recognizer.available()) listener_.on_degraded("hearing");
  if (parts_.speaks)
    if (const auto wording = dialogue_.wording_anywhere()) teller_.prepare(*wording);
  perform(dialogue_.start(parts_.local_now()));
}

void Conversation::stop() {
  settle();
  running_ = false;
  forget_thought();
  teller_.drop();
  turns_.listen(false);
  for (const auto& [number, job] : jobs_) parts_.recognizer.cancel(number);
  jobs_.clear();
  decodes_.clear();
  speaker_.close();
}

void Conversation::on_media() {
  rtp::InputFrame frame;
  while (line_.next(frame)) {
    if (!running_) continue;
    heard_samples_ += frame.pcm.size();
    loudest_dbov_ = std::max(loudest_dbov_, frame.level_dbov);
    parts_.recognizer.audio(hearing_, frame.at, frame.pcm);
    const std::uint64_t end = frame.at + frame.pcm.size();
    act(turns_.on_level(frame.at, end, frame.level_dbov));
    if (parts_.recognizer.detects_speech())
      turns_.on_sound_sent(end);
    else  // the energy VAD is what there is: no words, but turns and the keypad
      act(turns_.on_speech(end, frame.vad ? 1.0 : 0.0));
  }
  rtp::MediaEvent event;
  while (media_.next_event(event)) {
    if (event.kind == rtp::MediaEventKind::kDtmf)
      press(event.digit, event.at);
    else if (event.kind == rtp::MediaEventKind::kRtpTimeout && running_)
      listener_.on_media_lost();
    else
      speaker_.on_event(event);
  }
}

void Conversation::on_tick() {
  speaker_.feed();
  thinker_.tick();
  fill_wait();
  teller_.tick();
  settle_if_heard();
  if (!running_) return;
  act(turns_.on_clock(media_.sample_clock()));
  const bool late = turns_.awaited() >= kHearingLate;
  if (late && !hearing_late_)
    listener_.on_event("hearing_late", {{"at_ms", ms_of(media_.sample_clock())}});
  hearing_late_ = late;
}

void Conversation::on_speech_probability(std::uint64_t end_sample, double probability) {
  const std::uint64_t now = media_.sample_clock();
  parts_.metrics.hear_lag.observe(static_cast<double>(now - std::min(now, end_sample)) / 8000);
  if (running_) act(turns_.on_speech(end_sample, probability));
}

void Conversation::on_text(speech::JobNumber number, const speech::HeardText& heard) {
  const auto at = jobs_.find(number);
  if (at == jobs_.end()) return;
  const Job job = at->second;
  jobs_.erase(at);
  decodes_.erase(job.turn_job);
  if (!heard.text.empty()) listener_.on_partial("customer", heard.text, job.spoken_at);
  if (!job.partial && !speaker_.speaking()) guess(heard.text, heard.confidence);
  act(turns_.on_text(job.turn_job, heard.text, heard.confidence, heard.queued + heard.decoded));
}

/// What a language model has made out means as much as what rules have.
Completeness Conversation::judge(const std::string& heard) const {
  const Completeness by_rules = completeness_of(dialogue_.judge(heard, parts_.local_now()));
  const bool open = by_rules == Completeness::kUnclear || by_rules == Completeness::kComplete;
  if (!open || !(heard == clear_question_ || thinker_.meant(heard))) return by_rules;
  return dialogue_.is_brief(heard) ? Completeness::kComplete : Completeness::kSatisfied;
}

/// The caller may have finished: a language model that would be asked then has a second more.
void Conversation::guess(const std::string& text, double confidence) {
  clear_question_.clear();
  if (!running_ || waiting_for_store_ || leaving_ || !thinker_.available()) return;
  dialogue::DialogueSession trial = dialogue_.copy();
  const dialogue::HeardText heard{text, confidence, language_, true, parts_.speaks};
  const auto reply = trial.on_heard(heard, parts_.local_now());
  if (!reply.think) return;
  if (!reply.meanwhile.empty()) clear_question_ = text;
  thinker_.guess(*reply.think);
}

void Conversation::on_decode_failed(speech::JobNumber number, const Error&) {
  const auto at = jobs_.find(number);
  if (at == jobs_.end()) return;
  const Job job = at->second;
  jobs_.erase(at);
  decodes_.erase(job.turn_job);
  if (!job.partial) {  // a partial decode makes way for others
    parts_.metrics.hear_failed.add();
    listener_.on_degraded("hearing");
  }
  act(turns_.on_decode_failed(job.turn_job));
}

void Conversation::on_turn_end(std::uint64_t to_sample, double probability) {
  if (running_) act(turns_.on_turn_end(to_sample, probability));
}

void Conversation::on_available(bool available) {
  if (!available && running_) listener_.on_degraded("hearing");
}

void Conversation::act(TurnActions actions) {
  for (TurnAction& action : actions) {
    if (!running_) return;
    if (const auto* start = std::get_if<StartDecode>(&action)) {
      decode(*start);
    } else if (const auto* cancel = std::get_if<CancelDecode>(&action)) {
      const auto at = decodes_.find(cancel->job);
      if (at == decodes_.end()) continue;
      parts_.recognizer.cancel(at->second);
      jobs_.erase(at->second);
      decodes_.erase(at);
    } else if (std::holds_alternative<PauseBot>(action)) {
      paused_at_ = media_.sample_clock();
      speaker_.pause();
    } else if (std::holds_alternative<ResumeBot>(action)) {
      parts_.metrics.false_pauses.add();
      speaker_.resume();
    } else if (const auto* stop = std::get_if<StopBot>(&action)) {
      parts_.metrics.barge_ins.add();
      listener_.on_event("barge_in",
                         {{"at_ms", ms_of(stop->speech_from)},
                          {"decided_ms", ms_of(std::max(paused_at_, stop->speech_from))}});
      speaker_.cut();
    } else if (const auto* pause = std::get_if<TakeBack>(&action)) {
      take_back(*pause);
    } else if (const auto* ended = std::get_if<TurnEnded>(&action)) {
      caller_said(*ended);
    } else if (!waiting_for_store_ && !leaving_ && !thinker_.asking()) {
      perform(dialogue_.on_silence(parts_.local_now()));
    }
  }
}

void Conversation::decode(const StartDecode& wanted) {
  speech::DecodeSpec spec;
  spec.from_sample = wanted.from;
  spec.to_sample = wanted.to;
  spec.language = voice_.language;
  if (!wanted.barge_in && !wanted.partial)  // half a word is none of a list
    spec.grammar = grammar_for(reply_.expect, wanted.to - wanted.from);
  spec.deadline = parts_.decode_deadline;
  spec.epoch = media_.epoch();
  spec.partial = wanted.partial;
  spec.turn_end = !wanted.partial;
  const speech::JobNumber job = parts_.recognizer.decode(hearing_, spec);
  const auto preroll = static_cast<std::uint64_t>(parts_.turns.preroll.count()) * kSamplesPerMs;
  jobs_.emplace(job, Job{wanted.job, ms_of(wanted.from + preroll), wanted.partial});
  decodes_.emplace(wanted.job, job);
}

void Conversation::caller_said(const TurnEnded& turn) {
  if (waiting_for_store_ || leaving_) return;
  settle();
  parts_.metrics.turns.add();
  const SteadyTime begun = parts_.clock.now();
  dialogue::HeardText heard;
  heard.text = turn.text;
  heard.confidence = turn.confidence;
  heard.language = language_;
  heard.may_think = thinker_.available();
  heard.may_speak = parts_.speaks;
  dialogue::DialogueSession before = dialogue_.copy();
  dialogue::Reply reply = dialogue_.on_heard(heard, parts_.local_now());
  const auto took = std::chrono::duration_cast<Milliseconds>(parts_.clock.now() - begun);
  Stages stages;
  stages.end_of_turn_ms =
      static_cast<std::int64_t>((turn.decided_at - turn.speech_to) / kSamplesPerMs);
  stages.asr_ms = turn.asr_ms.count();
  stages.understanding_ms = took.count();
  stages.judged = name_of(turn.judged);
  stages_ = stages;
  answered_speech_at_ = turn.speech_to;
  unsettled_ = Unsettled{customer_turn(turn.text, turn, reply), std::move(before), reply_};
  answer_heard_at_ = 0;
  if (!reply.think) {
    forget_thought();
    return answer(std::move(reply));
  }
  filling_ = false;
  meanwhile_ = std::move(reply.meanwhile);
  turns_.answer_may_be_taken_back(true);
  if (const auto choice = thinker_.ask(*reply.think)) thought(*choice);
}

/// A language model has chosen, or has not in time.
void Conversation::thought(const Thinker::Choice& choice) {
  if (!running_ || waiting_for_store_ || leaving_) return;
  dialogue::Reply reply = choice ? dialogue_.on_thought(*choice, parts_.local_now())
                                 : dialogue_.on_not_thought(parts_.local_now());
  if (stages_) {
    const std::uint64_t spent = media_.sample_clock() - answered_speech_at_;
    stages_->model_ms = static_cast<std::int64_t>(spent / kSamplesPerMs) - stages_->end_of_turn_ms;
  }
  answer(std::move(reply));
}

/// The choice is slow: the lead-in begins, and whatever is chosen follows it.
void Conversation::fill_wait() {
  if (meanwhile_.empty() || !thinker_.asking() || speaker_.speaking()) return;
  if (turns_.caller_speaking() || media_.sample_clock() < answered_speech_at_ + kSoundWithin)
    return;
  filling_ = true;
  lead_in_.clear();
  for (const auto& segment : meanwhile_) lead_in_ += segment.text;
  reply_.expect.interruptible_after = Milliseconds{0};  // it was the question's
  said_bytes_ += lead_in_.size();
  speaker_.say(lines_of(std::exchange(meanwhile_, {})), true);
}

/// What was being chosen is nobody's answer any more.
void Conversation::forget_thought() {
  thinker_.drop();
  meanwhile_.clear();
  filling_ = false;
}

/// Answers the turn in unsettled_.
void Conversation::answer(dialogue::Reply reply) {
  const bool light = reply.actions.empty();
  if (!light && unsettled_) {
    store_behind_bot(std::move(unsettled_->row));
    unsettled_.reset();
  }
  turns_.answer_may_be_taken_back(light);
  perform(std::move(reply));
}

/// The caller had only paused: neither the turn nor its answer has been.
void Conversation::take_back(const TakeBack& pause) {
  if (!unsettled_) return;
  parts_.metrics.taken_back.add();
  listener_.on_event("answer_taken_back", {{"at_ms", ms_of(pause.speech_from)}});
  dialogue_ = std::move(unsettled_->before);
  forget_thought();
  pending_.reset();
  stages_.reset();
  reply_ = std::move(unsettled_->question);
  unsettled_.reset();
  turns_.set_no_answer(reply_.expect.no_answer);
  turns_.listen(reply_.expect.answer);
  speaker_.cut();
}

/// From now on the last turn of the caller counts.
void Conversation::settle() {
  if (!unsettled_) return;
  TurnRecord row = std::move(unsettled_->row);
  unsettled_.reset();
  turns_.answer_may_be_taken_back(false);
  store(std::move(row));
}

void Conversation::settle_if_heard() {
  if (!unsettled_ || answer_heard_at_ == 0 || filling_) return;
  const auto heard = static_cast<std::uint64_t>(parts_.turns.take_back.count()) * kSamplesPerMs;
  if (media_.sample_clock() >= answer_heard_at_ + heard + kTakeBackTold) settle();
}

void Conversation::store(TurnRecord row) {
  const bool customer = row.speaker == "customer";
  std::string_view words = customer ? row.text : row.spoken;
  // A lead-in fills a silence and says nothing; a model that reads it says it too.
  if (!customer && !lead_in_.empty() && words.starts_with(lead_in_))
    words.remove_prefix(std::min(words.size(), words.find_first_not_of(' ', lead_in_.size())));
  teller_.remember(customer ? inference::Role::kUser : inference::Role::kAssistant,
                   std::string(words));
  row.seq = next_seq_++;
  listener_.on_turn(std::move(row));
}

/// What the bot was saying when it was interrupted began earlier, and stands earlier on record.
void Conversation::store_behind_bot(TurnRecord row) {
  if (!speaker_.speaking() || filling_) return store(std::move(row));
  held_.push_back(std::move(row));
}

TurnRecord Conversation::customer_turn(const std::string& text, const TurnEnded& turn,
                                       const dialogue::Reply& reply) const {
  TurnRecord row;
  row.speaker = "customer";
  row.text = text;
  row.started_ms = ms_of(turn.speech_from);
  row.ended_ms = ms_of(turn.speech_to);
  row.node = reply_.node;
  row.confidence = turn.confidence;
  if (reply.understood) {
    row.intent = dialogue::name_of(reply.understood->intent.intent);
    row.sentiment = dialogue::name_of(reply.understood->sentiment.sentiment);
  }
  return row;
}

void Conversation::press(char digit, std::uint64_t at) {
  if (!running_ || waiting_for_store_ || leaving_) return;
  settle();
  forget_thought();
  listener_.on_event("dtmf", {{"at_ms", ms_of(at)}});
  auto reply = dialogue_.on_dtmf(digit, parts_.local_now());
  if (!reply) return;
  TurnEnded pressed;
  pressed.speech_from = pressed.speech_to = at;
  pressed.confidence = 1;
  store_behind_bot(customer_turn(std::string("[") + digit + "]", pressed, *reply));
  stages_ = Stages{};
  stages_->judged = "keypad";
  answered_speech_at_ = at;
  perform(std::move(*reply));
}

void Conversation::perform(dialogue::Reply reply) {
  for (const auto& action : reply.actions) {
    if (const auto* booked = std::get_if<dialogue::BookSlot>(&action)) {
      text::WhenReading when;
      when.date = booked->when.date;
      when.time = booked->when.time;
      listener_.on_event("booked", {{"slot", booked->slot}, {"when", dialogue::when_text(when)}});
    } else if (const auto* disposed = std::get_if<dialogue::SetDisposition>(&action)) {
      listener_.on_event("disposition", {{"value", disposed->value}});
    } else if (const auto* opt_out = std::get_if<dialogue::AddDoNotCall>(&action)) {
      waiting_for_store_ = true;
      const std::string words = opt_out->reason;
      const auto kept = std::make_shared<dialogue::Reply>(std::move(reply));
      listener_.on_opt_out(words, [this, kept] {
        waiting_for_store_ = false;
        say(std::move(*kept));
      });
      return;
    }
  }
  say(std::move(reply));
}

void Conversation::say(dialogue::Reply reply) {
  const bool filling = std::exchange(filling_, false);
  if (speaker_.speaking() && !filling) {
    // The ledger tells a tick later what of it was heard; then this is said.
    pending_ = std::move(reply);
    return speaker_.cut();
  }
  for (const auto& action : reply.actions)
    leaving_ = leaving_ || std::holds_alternative<dialogue::HangUp>(action) ||
               std::holds_alternative<dialogue::Transfer>(action);
  reply_ = std::move(reply);
  spoken_node_ = reply_.node;
  turns_.set_no_answer(reply_.expect.no_answer);
  turns_.listen(reply_.expect.answer);
  speak(filling);
  if (reply_.wording) return teller_.tell(*reply_.wording);
  prepare_model();
}

/// Says reply_. @param filling its lead-in is being said.
void Conversation::speak(bool filling) {
  if (filling && reply_.wording) return;
  std::vector<Line> lines = lines_of(reply_.say);
  for (const Line& line : lines) said_bytes_ += line.text.size();
  if (filling) {
    for (const Line& line : lines) speaker_.add(line);
    return speaker_.end();
  }
  lead_in_ = reply_.wording ? reply_.text() : std::string();
  teller_.drop();
  speaker_.say(std::move(lines), reply_.wording.has_value());
}

/// While the bot asks, an engine reads all of what it will be asked but the answer.
void Conversation::prepare_model() {
  if (!thinker_.available() || !reply_.expect.answer) return;
  if (const auto question = dialogue_.think_ahead()) thinker_.prepare(*question);
  if (!parts_.speaks) return;
  if (const auto wording = dialogue_.wording_ahead())
    teller_.prepare_here(*wording, unsettled_ ? unsettled_->row.text : std::string(),
                         reply_.wording ? std::string() : reply_.text());
}

void Conversation::on_spoken(const Spoken& spoken) {
  const std::uint64_t now = media_.sample_clock();
  teller_.drop();
  if (filling_) forget_thought();                   // interrupted before there was an answer
  const bool more = pending_ || thinker_.asking();  // what was said is not the answer to a turn
  if (!more) settle();
  if (!spoken.failed.empty()) listener_.on_degraded("speaking");
  if (spoken.added_at != 0) {
    json::object data{{"at_ms", ms_of(spoken.added_at)},
                      {"silence_ms", spoken.longest_silence.count()}};
    if (const auto& made = teller_.made()) {
      data["first_token_ms"] = made->first_token.count();
      data["model_ms"] = made->total.count();
      data["tokens"] = made->tokens;
      data["prompt_tokens"] = made->prompt_tokens;
      data["cached_tokens"] = made->cached_tokens;
    }
    listener_.on_event("own_words", std::move(data));
  }
  if (stages_ && !more) {  // else they are of what is said next
    stages_->voice_ms = spoken.waited_for_voice.count();
    if (spoken.samples > 0)
      parts_.metrics.gap.observe(static_cast<double>(stages_->first_packet_ms) / 1000);
  }
  if (spoken.samples > 0) {  // what nobody heard is no turn
    TurnRecord row;
    row.speaker = "bot";
    row.text = spoken.text;
    row.spoken = spoken.heard;
    row.unsaid = spoken.unsaid;
    if (spoken.interrupted)
      row.interrupted_at_ms = static_cast<std::int64_t>(spoken.samples / kSamplesPerMs);
    row.started_ms = ms_of(spoken.started_at);
    row.ended_ms = ms_of(spoken.ended_at);
    row.node = spoken_node_;
    if (!more) row.stages = std::exchange(stages_, std::nullopt);
    store(std::move(row));
  }
  for (TurnRecord& row : std::exchange(held_, {})) store(std::move(row));
  if (std::exchange(first_reply_, false))
    if (const auto heard = disclosure_heard(spoken)) listener_.on_disclosure(*heard);
  turns_.on_bot_ended(now);
  if (!running_) return;
  if (reply_.wording && !more) prepare_model();
  if (pending_) {
    dialogue::Reply next = std::move(*pending_);
    pending_.reset();
    return say(std::move(next));
  }
  if (!leaving_) return;
  for (const auto& action : reply_.actions) {
    if (std::holds_alternative<dialogue::HangUp>(action)) return listener_.on_hang_up();
    if (const auto* transfer = std::get_if<dialogue::Transfer>(&action)) {
      leaving_ = false;
      return listener_.on_transfer(transfer->reason);
    }
  }
}

void Conversation::transfer_failed() {
  if (running_) perform(dialogue_.on_transfer_failed(parts_.local_now()));
}

}  // namespace yyc3::call
