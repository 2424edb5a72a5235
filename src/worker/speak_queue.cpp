#include "worker/speak_queue.hpp"

#include <algorithm>
#include <utility>

namespace yyc3::worker {

SpeakQueue::SpeakQueue(net::EventLoop& home, telemetry::Log& log, const Clock& clock, int threads)
    : home_(home), clock_(clock), seats_(static_cast<std::size_t>(threads)) {
  for (Seat& seat : seats_) seat.loop = std::make_unique<net::EventLoop>("voice", log, 16);
}

SpeakQueue::~SpeakQueue() {
  for (const Seat& seat : seats_)
    if (seat.running) seat.running->stop.cancel();
  for (Seat& seat : seats_) seat.loop.reset();
}

bool SpeakQueue::stuck() const {
  return std::ranges::any_of(seats_, [this](const Seat& seat) {
    return seat.running && clock_.now() > seat.running->started + seat.running->longest();
  });
}

bool SpeakQueue::add(std::shared_ptr<Job> job) {
  auto& queue = job->live ? live_ : render_;
  if (queue.size() >= (job->live ? kLiveMax : kRenderMax)) return false;
  const bool urgent = job->live;
  queue.push_back(std::move(job));
  if (urgent) push_renders_aside();
  dispatch();
  return true;
}

void SpeakQueue::push_renders_aside() {
  for (const Seat& seat : seats_) {
    if (!seat.running || seat.running->live || seat.running->starts >= kStartsMax ||
        seat.running->cancelled)
      continue;
    seat.running->pushed_aside = true;
    seat.running->stop.cancel();
  }
}

void SpeakQueue::cancel(const std::shared_ptr<Job>& job) {
  job->cancelled = true;
  std::erase(live_, job);
  std::erase(render_, job);
  for (const Seat& seat : seats_)
    if (seat.running == job) job->stop.cancel();
}

void SpeakQueue::dispatch() {
  const bool speaking = std::ranges::any_of(
      seats_, [](const Seat& seat) { return seat.running && seat.running->live; });
  if (speaking) return;  // alone: the cores are the caller's
  for (Seat& seat : seats_) {
    if (seat.running) continue;
    if (!live_.empty()) return start(seat, live_);
    if (!render_.empty()) start(seat, render_);
  }
}

void SpeakQueue::start(Seat& seat, std::deque<std::shared_ptr<Job>>& queue) {
  seat.running = std::move(queue.front());
  queue.pop_front();
  ++seat.running->starts;
  seat.running->started = clock_.now();
  seat.loop->post([this, &seat, job = seat.running] {
    auto speech = job->voice->speak(job->text, job->name, job->speed, job->stop);
    home_.post([this, &seat, job, speech = std::move(speech)] { finish(seat, job, speech); });
  });
}

void SpeakQueue::finish(Seat& seat, const std::shared_ptr<Job>& job, Result<Speech> speech) {
  seat.running.reset();
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
