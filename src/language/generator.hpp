#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "language/choice_walk.hpp"
#include "language/llama_model.hpp"
#include "language/sequence_table.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/telemetry/log.hpp"

namespace yyc3::language {

struct Generated {
  std::optional<std::size_t> choice;  ///< of GenerationTask::choices
  bool cut = false;                   ///< tokens_max was reached
  std::size_t prompt_tokens = 0;
  std::size_t kept_tokens = 0;  ///< of the prompt: they had been read before
  std::size_t tokens = 0;
};

struct GenerationTask {
  std::vector<Token> prompt;  ///< 1 or more
  std::string owner;          ///< whose beginning is kept for the next time; may be empty
  std::size_t tokens_max = 16;
  SamplerConfig sampling;
  std::vector<std::vector<Token>> choices;  ///< see ChoiceWalk; empty: free, or by the grammar
  SteadyTime deadline{};                    ///< the nearest goes first; passed: kTimeout
  std::function<void(std::string text)> on_text;   ///< valid UTF-8, as it is made
  std::function<void(Result<Generated>)> on_done;  ///< once, unless cancelled
};

/// The decode thread: one model, one step at a time (some tokens of a prompt, or one of an answer)
/// for whoever has the nearest deadline, so that an urgent question waits for a step and not for
/// a long answer. Batching several answers would gain nothing on a processor: a step costs what
/// its tokens cost (models-llm.md §2).
/// Bounds: kTasksMax tasks; prompt and answer fit the model's context.
/// Threads: calls and callbacks on the home loop.
class Generator {
 public:
  static constexpr std::size_t kTasksMax = 32;

  Generator(LlamaModel& model, std::size_t sequences, net::EventLoop& home, telemetry::Log& log,
            const Clock& clock);
  ~Generator();
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  using Number = std::uint64_t;
  /// Errors: kBusy too many tasks; kInvalid: does not fit the context.
  Result<Number> add(GenerationTask task);
  /// Stops within a node of the graph; nothing more is told of it.
  void cancel(Number number);
  /// Ends the decode thread; nothing is told any more. The home loop has been joined by then.
  void stop();
  [[nodiscard]] std::size_t waiting() const { return tasks_.size(); }
  /// A step that will not come to its end: only a new process helps.
  [[nodiscard]] bool stuck() const;

 private:
  struct Task;
  class Decoder;
  std::vector<std::shared_ptr<Task>>::iterator find(Number number);
  void told(Number number, std::string text);
  void ended(Number number, Result<Generated> result);

  net::EventLoop& home_;
  const Clock& clock_;
  const std::size_t context_;
  std::vector<std::shared_ptr<Task>> tasks_;
  Number next_ = 1;
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<net::EventLoop> thread_;  ///< last: ends before what it works on
};

}  // namespace yyc3::language
