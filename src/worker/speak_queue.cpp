#include "worker/speak_queue.hpp"

#include <algorithm>
#include <utility>

namespace yyc3::worker {

SpeakQueue::SpeakQueue(net::EventLoop& home, telemetry::Log& log, const Clock& clock)
    : home_(home), clock_(clock), loop_(std::make_unique<net::EventLoop>("voice", log, 16)) {}

SpeakQueue::~SpeakQueue() {
  if (running_) running_->stop.cancel();
  loop_.reset();
}

bool SpeakQueue::add(std::shared_ptr<Job> job) {
  auto& queue = job->live ? live_ : render_;
  if (queue.size() >= (job->live ? kLiveMax : kRenderMax)) return false;
  const bool urgent = job->live;
  queue.push_back(std::move(job));
  if (urgent && running_ && !running_->live && running_->starts < kStartsMax &&
      !running_->cancelled) {
    running_->pushed_aside = true;
    running_->stop.cancel();
  }
  dispatch();
  return true;
}

void SpeakQueue::cancel(const std::shared_ptr<Job>& job) {
  job->cancelled = true;
  std::erase(live_, job);
  std::erase(render_, job);
  if (running_ == job) job->stop.cancel();
}

void SpeakQueue::dispatch() {
  if (running_ || waiting() == 0) return;
  auto& queue = live_.empty() ? render_ : live_;
  running_ = std::move(queue.front());
  queue.pop_front();
  ++running_->starts;
  running_->started = clock_.now();
  loop_->post([this, job = running_] {
    auto speech = job->voice->speak(job->text, job->name, job->speed, job->stop);
    home_.post([this, job, speech = std::move(speech)] { finish(job, speech); });
  });
}

void SpeakQueue::finish(const std::shared_ptr<Job>& job, Result<Speech> speech) {
  running_.reset();
  const bool again = job->pushed_aside && !job->cancelled && !speech &&
                     speech.error().code == ErrorCode::kCancelled;
  if (again) {
    job->pushed_aside = false;
    job->stop.reset();
    render_.push_front(job);
  } else if (!job->cancelled) {
    job->answer(std::move(speech));
  }
  dispatch();
}

}  // namespace yyc3::worker
