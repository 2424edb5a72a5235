#include "worker/decode_pool.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace yyc3::worker {
namespace {

using speech::wire::JobError;
using speech::wire::Text;
using speech::wire::WorkerMessage;

Milliseconds between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration_cast<Milliseconds>(to - from);
}

}  // namespace

DecodePool::DecodePool(HearModels models, int threads, net::EventLoop& home, telemetry::Log& log,
                       const Clock& clock)
    : models_(std::move(models)), home_(home), clock_(clock) {
  for (int i = 0; i < threads; ++i) {
    auto seat = std::make_unique<Seat>();
    if (models_.multilingual) {
      seat->multilingual =
          std::make_unique<WhisperDecoder>(models_.multilingual, models_.tables, clock);
    }
    if (models_.english) {
      seat->english = std::make_unique<WhisperDecoder>(models_.english, models_.tables, clock);
    }
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
  if (waiting_.size() >= kWaitingMax) {
    job->answer(JobError{job->order.job, {ErrorCode::kBusy, "64 decodes are waiting"}});
    return;
  }
  const auto later = std::ranges::find_if(
      waiting_, [&](const auto& other) { return other->stop.deadline > job->stop.deadline; });
  waiting_.insert(later, std::move(job));
  dispatch();
}

void DecodePool::cancel(const std::shared_ptr<Job>& job) {
  job->stop.cancelled = true;
  waiting_.remove(job);
}

void DecodePool::dispatch() {
  while (!waiting_.empty()) {
    const auto free =
        std::ranges::find_if(seats_, [](const auto& seat) { return seat->running == nullptr; });
    if (free == seats_.end()) return;
    Seat& seat = **free;
    seat.running = std::move(waiting_.front());
    waiting_.pop_front();
    seat.loop->post([this, &seat, job = seat.running] { run(seat, job); });
  }
}

void DecodePool::run(Seat& seat, const std::shared_ptr<Job>& job) {
  const SteadyTime start = clock_.now();
  const speech::DecodeSpec& spec = job->order.spec;
  const bool english = spec.language == speech::Language::kEnglish;
  WhisperDecoder* decoder = english && seat.english ? seat.english.get() : seat.multilingual.get();
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
  if (!job->stop.cancelled) job->answer(std::move(answer));
  dispatch();
}

}  // namespace yyc3::worker
