#include "worker/vad_pump.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace yyc3::worker {

VadPump::VadPump(SileroVad vad, net::EventLoop& home, telemetry::Log& log)
    : vad_(std::move(vad)),
      home_(home),
      log_(log),
      loop_(std::make_unique<net::EventLoop>("vad", log, 16)) {}

VadPump::~VadPump() { loop_.reset(); }

bool VadPump::add(const Memory& memory, const StreamAudio::VadFrame& frame,
                  const std::shared_ptr<Answer>& answer) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kWaitingMax) return false;
  waiting_.push_back({memory, frame, answer});
  if (!std::exchange(scheduled_, true)) loop_->post([this] { drain(); });
  return true;
}

void VadPump::drain() {
  auto items = std::make_shared<std::vector<Item>>();
  {
    const std::lock_guard lock(mutex_);
    items->swap(waiting_);
    scheduled_ = false;
  }
  run(*items);
  home_.post([this, items] {
    for (const Item& item : *items) (*item.answer)(item.frame.end_sample, item.probability);
    if (after_) after_();
  });
}

/// A stream's frames build on each other: each round takes at most one of every stream.
void VadPump::run(std::vector<Item>& items) {
  std::vector<Item*> left;
  for (Item& item : items) left.push_back(&item);
  while (!left.empty()) {
    std::vector<Item*> round;
    std::vector<Item*> rest;
    for (Item* item : left) {
      const bool taken =
          round.size() == SileroVad::kBatchMax ||
          std::ranges::any_of(round, [&](const Item* r) { return r->memory == item->memory; });
      (taken ? rest : round).push_back(item);
    }
    std::vector<SileroVad::Frame> batch(round.size());
    for (std::size_t i = 0; i < round.size(); ++i) {
      if (round[i]->frame.fresh) *round[i]->memory = {};
      batch[i].state = round[i]->memory.get();
      batch[i].pcm = round[i]->frame.pcm;
    }
    if (const auto done = vad_.run(batch); !done) {
      log_.error("voice activity failed", {{"error.message", done.error().detail}});
    }
    for (std::size_t i = 0; i < round.size(); ++i) round[i]->probability = batch[i].probability;
    left = std::move(rest);
  }
}

}  // namespace yyc3::worker
