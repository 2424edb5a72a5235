#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/speech/prompt_cache.hpp"
#include "product/call/speaker.hpp"
#include "product/dialogue/flow.hpp"

namespace yyc3::call {

/// Renders what flows will say before anybody has to wait for it: fixed prompts in the order of the
/// nodes, then dates and times. One at a time, behind live requests; a prompt that fails is skipped
/// and tried again at the next start. Threads: the call loop.
class PromptRendering : public std::enable_shared_from_this<PromptRendering> {
 public:
  explicit PromptRendering(speech::PromptCache& cache) : cache_(cache) {}

  void add(const Voice& voice, const std::vector<dialogue::Segment>& segments);
  void start();

  /// Prompts still to be rendered. Any thread.
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  void next();

  speech::PromptCache& cache_;
  std::deque<speech::SpeakRequest> jobs_;
  std::atomic<std::size_t> left_{0};
  bool busy_ = false;
};

}  // namespace yyc3::call
