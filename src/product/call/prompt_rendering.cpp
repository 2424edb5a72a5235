#include "product/call/prompt_rendering.hpp"

#include <utility>

namespace yyc3::call {

void PromptRendering::queue(std::deque<Job>& jobs, const Voice& voice,
                            const std::vector<dialogue::Segment>& segments,
                            std::atomic<std::size_t>& left) {
  for (const auto& segment : segments) {
    if (segment.text.empty()) continue;
    speech::SpeakRequest request = voice.request(segment.text, false);
    request.deadline = Milliseconds{120'000};
    jobs.push_back({std::move(request), &left});
    ++left;
  }
}

void PromptRendering::add(const std::string& flow, const Voice& voice,
                          const std::vector<dialogue::Segment>& sentences,
                          const std::vector<dialogue::Segment>& fragments) {
  Group& group = groups_.emplace_back();
  group.flow = flow;
  group.language = voice.language;
  queue(sentences_, voice, sentences, group.sentences);
  queue(fragments_, voice, fragments, group.fragments);
}

void PromptRendering::start() {
  started_ = true;
  next();
}

void PromptRendering::hold(bool held) {
  held_ = held;
  if (started_) next();
}

std::vector<PromptsLeft> PromptRendering::left() const {
  std::vector<PromptsLeft> all;
  all.reserve(groups_.size());
  for (const Group& group : groups_)
    all.push_back({group.flow, group.language, group.sentences, group.fragments});
  return all;
}

void PromptRendering::next() {
  while (!held_ && running_ < at_once_ && (!sentences_.empty() || !fragments_.empty())) {
    auto& jobs = sentences_.empty() ? fragments_ : sentences_;
    const Job job = std::move(jobs.front());
    jobs.pop_front();
    if (cache_.find(job.request)) {
      --*job.left;
      continue;
    }
    ++running_;
    cache_.fetch(job.request, true,
                 [weak = weak_from_this(), left = job.left](const Result<speech::Pcm>&) {
                   const auto self = weak.lock();
                   if (!self) return;
                   --self->running_;
                   --*left;
                   self->next();
                 });
  }
}

}  // namespace yyc3::call
