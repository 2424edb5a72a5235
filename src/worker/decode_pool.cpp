#include "worker/decode_pool.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace yyc3::worker {
namespace {

using speech::wire::JobError;
using speech::wire::Text;
using speech::wire::WorkerMessage;

constexpr std::size_t kRehearsalSamples = 4000;  // 0.5 s

Milliseconds between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration_cast<Milliseconds>(to - from);
}

}  // namespace

DecodePool::DecodePool(HearModels models, int threads, net::EventLoop& home, telemetry::Log& log,
                       const Clock& clock)
    : models_(std::move(models)), home_(home), clock_(clock) {
  for (int i = 0; i < threads; ++i) {
    auto seat = std::make_unique<Seat>();
    if (models_.chinese) seat->chinese = models_.chinese->make_decoder(models_.tables, clock);
    if (models_.english && models_.english != models_.chinese)
      seat->english = models_.english->make_decoder(models_.tables, clock);
    seat->loop = std::make_unique<net::EventLoop>("decode-" + std::to_string(i), log, 16);
    seats_.push_back(std::move(seat));
  }
}

DecodePool::~DecodePool() {
  for (const auto& seat : seats_) {
    if (seat->running) seat->running->stop.cancelled = true;
    seat->loop.reset();
  }
}

void DecodePool::add(std::shared_ptr<Job> job) {
  job->arrived = clock_.now();
  job->stop.deadline = job->arrived + job->order.spec.deadline;
  if (job->order.spec.partial) return add_partial(std::move(job));
  if (waiting_.size() >= kWaitingMax) {
    job->answer(JobError{job->order.job, {ErrorCode::kBusy, "64 decodes are waiting"}});
    return;
  }
  const auto later = std::ranges::find_if(
      waiting_, [&](const auto& other) { return other->stop.deadline > job->stop.deadline; });
  waiting_.insert(later, std::move(job));
  dispatch();
  make_room();
}

void DecodePool::add_partial(std::shared_ptr<Job> job) {
  const auto idle = std::ranges::find_if(
      seats_, [](const auto& seat) { return !seat->running && seat->rehearsals.empty(); });
  if (idle != seats_.end() && clock_.now() >= partials_from_) return start(**idle, std::move(job));
  job->answer(JobError{job->order.job, {ErrorCode::kBusy, "partial: other speech goes first"}});
}

Decoder* DecodePool::decoder_for(const Seat& seat, speech::Language language) const {
  const bool own = language == speech::Language::kEnglish && models_.english != models_.chinese;
  return own ? seat.english.get() : seat.chinese.get();
}

void DecodePool::rehearse() {
  using speech::GrammarKind;
  using speech::Language;
  for (const auto& seat : seats_) {
    for (const GrammarKind grammar : {GrammarKind::kYesNo, GrammarKind::kDigit}) {
      for (const Language language : {Language::kChinese, Language::kEnglish}) {
        if (decoder_for(*seat, language) == nullptr) continue;
        auto job = std::make_shared<Job>();
        job->order.spec.language = language;
        job->order.spec.grammar = grammar;
        job->pcm.assign(kRehearsalSamples, 0);
        job->answer = [](const WorkerMessage&) {};
        job->rehearsals_left = kRehearsalTries;
        seat->rehearsals.push_back(std::move(job));
      }
    }
  }
  dispatch();
}

bool DecodePool::stuck() const {
  return std::ranges::any_of(seats_, [this](const auto& seat) {
    if (!seat->running || seat->running->rehearsals_left > 0) return false;
    const Job& job = *seat->running;
    return clock_.now() > job.arrived + 3 * job.order.spec.deadline;
  });
}

std::size_t DecodePool::rehearsals_left() const {
  std::size_t left = 0;
  for (const auto& seat : seats_) {
    left += seat->rehearsals.size();
    if (seat->running && seat->running->rehearsals_left > 0) ++left;
  }
  return left;
}

void DecodePool::rest_after(const Job& partial) {
  const SteadyTime now = clock_.now();
  partials_from_ = std::max(partials_from_, now + kPartialRest * (now - partial.arrived));
}

/// Stops a rehearsal or a partial decode for each decode that waits.
void DecodePool::make_room() {
  std::size_t needed = waiting_.size();
  for (const auto& seat : seats_) {
    if (needed == 0) return;
    if (!seat->running || !seat->running->gives_way()) continue;
    seat->running->gave_way = true;
    seat->running->stop.cancelled = true;
    --needed;
  }
}

void DecodePool::cancel(const std::shared_ptr<Job>& job) {
  job->gave_way = false;
  job->stop.cancelled = true;
  waiting_.remove(job);
}

void DecodePool::dispatch() {
  while (!waiting_.empty()) {
    const auto free =
        std::ranges::find_if(seats_, [](const auto& seat) { return seat->running == nullptr; });
    if (free == seats_.end()) return;
    start(**free, std::move(waiting_.front()));
    waiting_.pop_front();
  }
  for (const auto& seat : seats_) {
    if (seat->running || seat->rehearsals.empty()) continue;
    start(*seat, std::move(seat->rehearsals.front()));
    seat->rehearsals.pop_front();
  }
}

void DecodePool::start(Seat& seat, std::shared_ptr<Job> job) {
  seat.running = std::move(job);
  seat.loop->post([this, &seat, job = seat.running] { run(seat, job); });
}

void DecodePool::run(Seat& seat, const std::shared_ptr<Job>& job) {
  const SteadyTime start = clock_.now();
  const speech::DecodeSpec& spec = job->order.spec;
  Decoder* decoder = decoder_for(seat, spec.language);
  WorkerMessage answer =
      JobError{job->order.job,
               {ErrorCode::kUnavailable, "no model for this language: run `aicall models pull`"}};
  if (decoder != nullptr) {
    const DecodeRequest request{job->pcm, spec.language, spec.grammar, spec.options,
                                job->order.prompt};
    auto decoded = decoder->decode(request, job->stop);
    if (decoded) {
      Text text;
      text.job = job->order.job;
      text.stream = job->order.stream;
      text.language = spec.language;
      text.heard = {std::move(decoded->text), decoded->confidence, decoded->looped,
                    between(job->arrived, start), between(start, clock_.now())};
      text.tokens = decoded->tokens;
      text.audio_ms = static_cast<int>(job->pcm.size() / 8);
      answer = std::move(text);
    } else {
      answer = JobError{job->order.job, decoded.error()};
    }
  }
  home_.post([this, &seat, job, answer = std::move(answer)] { finish(seat, job, answer); });
}

void DecodePool::finish(Seat& seat, const std::shared_ptr<Job>& job, WorkerMessage answer) {
  seat.running.reset();
  if (job->order.spec.partial) rest_after(*job);
  if (job->rehearsals_left > 0) {
    if (!job->stop.cancelled) {
      ++rehearsed_;
    } else if (--job->rehearsals_left > 0) {
      job->stop.cancelled = false;
      seat.rehearsals.push_front(job);
    }
  } else if (job->gave_way) {
    job->answer(JobError{job->order.job, {ErrorCode::kBusy, "partial: other speech goes first"}});
  } else if (!job->stop.cancelled) {
    job->answer(std::move(answer));
  }
  dispatch();
}

}  // namespace yyc3::worker
