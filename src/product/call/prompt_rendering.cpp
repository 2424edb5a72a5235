#include "product/call/prompt_rendering.hpp"

#include <utility>

namespace yyc3::call {

void PromptRendering::add(const Voice& voice, const std::vector<dialogue::Segment>& segments) {
  for (const auto& segment : segments) {
    if (segment.text.empty()) continue;
    speech::SpeakRequest request = voice.request(segment.text, false);
    request.deadline = Milliseconds{120'000};
    jobs_.push_back(std::move(request));
    ++left_;
  }
}

void PromptRendering::start() {
  if (!busy_) next();
}

void PromptRendering::next() {
  busy_ = false;
  while (!jobs_.empty()) {
    const speech::SpeakRequest request = std::move(jobs_.front());
    jobs_.pop_front();
    if (cache_.find(request)) {
      --left_;
      continue;
    }
    busy_ = true;
    cache_.fetch(request, true, [weak = weak_from_this()](const Result<speech::Pcm>&) {
      const auto self = weak.lock();
      if (!self) return;
      --self->left_;
      self->next();
    });
    return;
  }
}

}  // namespace yyc3::call
