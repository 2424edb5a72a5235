#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/speech/prompt_cache.hpp"
#include "product/call/call_service.hpp"
#include "product/call/speaker.hpp"
#include "product/dialogue/flow.hpp"

namespace yyc3::call {

/// Renders what flows will say before anybody has to wait for it, in the order it was added: first
/// every sentence, then every fragment (days, times). Few at a time, and none while it is held: a
/// rendering takes a core that a call's hearing needs. A prompt that fails is skipped and tried
/// again at the next start. Threads: the call loop, but for `left`.
class PromptRendering : public std::enable_shared_from_this<PromptRendering> {
 public:
  /// @param at_once prompts being rendered, 1 or more: as many as the voice takes.
  PromptRendering(speech::PromptCache& cache, std::size_t at_once)
      : cache_(cache), at_once_(at_once) {}

  /// What one flow says in one language. Before start().
  void add(const std::string& flow, const Voice& voice,
           const std::vector<dialogue::Segment>& sentences,
           const std::vector<dialogue::Segment>& fragments);
  /// Begins, or goes on after the voice was away.
  void start();
  /// A call is under way: what is being rendered is finished, no other is begun. False: go on.
  void hold(bool held);

  /// What is still to be rendered, in the order of `add`. Any thread.
  [[nodiscard]] std::vector<PromptsLeft> left() const;

 private:
  struct Job {
    speech::SpeakRequest request;
    std::atomic<std::size_t>* left;
  };
  struct Group {
    std::string flow;
    speech::Language language;
    std::atomic<std::size_t> sentences{0};
    std::atomic<std::size_t> fragments{0};
  };
  static void queue(std::deque<Job>& jobs, const Voice& voice,
                    const std::vector<dialogue::Segment>& segments, std::atomic<std::size_t>& left);
  void next();

  speech::PromptCache& cache_;
  const std::size_t at_once_;
  std::deque<Group> groups_;  ///< stays where it is: jobs point into it
  std::deque<Job> sentences_;
  std::deque<Job> fragments_;
  bool started_ = false;
  bool held_ = false;
  std::size_t running_ = 0;
};

}  // namespace yyc3::call
