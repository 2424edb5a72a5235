#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "engine/inference/chat_model.hpp"
#include "platform/telemetry/metrics.hpp"
#include "product/dialogue/thinking.hpp"

namespace yyc3::call {

struct ThinkMetrics {
  explicit ThinkMetrics(telemetry::Registry& registry);
  telemetry::Counter& asked;
  telemetry::Counter& ready;     ///< of these: the answer was there when the turn ended
  telemetry::Counter& failed;    ///< the flow's own sentence was said
  telemetry::Histogram& waited;  ///< seconds from the end of the turn to the choice
};

/// The question as an engine is asked it; its deadlines are still to be set.
inference::ChatRequest request_of(const dialogue::Think& question);

/// What a language model is asked for one conversation. Three times, so that nobody waits for it:
/// the question while the bot asks it (an engine then has read all but the answer), the words
/// while the caller may still go on, and in earnest when the turn has ended.
/// Bounds: one request in earnest or on a guess and one ahead at a time; kGuessesMax guesses a
/// turn. Threads: the call's loop.
class Thinker final : public inference::ChatSink {
 public:
  using Choice = Result<std::string>;
  struct Listener {
    std::function<void(const Choice&)> told;  ///< what the turn waits for
    std::function<void()> guessed;            ///< what a turn that may have ended means: meant()
  };
  /// @param listener never called from inside a call.
  Thinker(inference::ChatModel* model, ThinkMetrics& metrics, const Clock& clock,
          Milliseconds patience, Listener listener);
  ~Thinker() override;
  Thinker(const Thinker&) = delete;
  Thinker& operator=(const Thinker&) = delete;

  [[nodiscard]] bool available() const { return model_ != nullptr && model_->available(); }
  /// The bot begins to ask what this will be about. @param question its words heard are empty.
  void prepare(const dialogue::Think& question);
  /// The caller may have finished.
  void guess(const dialogue::Think& question);
  /// The guess has come to something: `heard` is one of what was to choose from, not none of them
  /// (which a clear question may be and still means something: Think::none).
  [[nodiscard]] bool meant(const std::string& heard) const;
  /// The caller has finished. @return the choice, when it is known; else it will be told.
  std::optional<Choice> ask(const dialogue::Think& question);
  /// The turn waits for a choice.
  [[nodiscard]] bool asking() const { return asked_at_.has_value(); }
  /// Time passes: who waits does not wait for longer than the patience.
  void tick();
  /// Nothing is told any more of what was asked.
  void drop();

  void on_piece(inference::ChatNumber, std::string_view) override {}
  void on_answer(inference::ChatNumber number, const inference::ChatAnswer& answer) override;
  void on_failed(inference::ChatNumber number, const Error& error) override;

 private:
  static constexpr int kGuessesMax = 3;
  inference::ChatNumber send(const dialogue::Think& question, Milliseconds limit);
  void arrived(inference::ChatNumber number, Choice choice);
  Choice finish(Choice choice);

  inference::ChatModel* model_;
  ThinkMetrics& metrics_;
  const Clock& clock_;
  const Milliseconds patience_;
  const Listener listener_;

  inference::ChatNumber ahead_ = 0;  ///< 0: none is under way
  inference::ChatNumber under_way_ = 0;
  inference::ChatNumber late_ = 0;  ///< nobody waits for it: its failure tells of the engine
  dialogue::Think question_;        ///< of what is under way, or was answered last
  std::optional<Choice> choice_;    ///< of question_, before it was asked in earnest
  int guesses_ = 0;                 ///< of this turn
  std::optional<SteadyTime> asked_at_;
};

}  // namespace yyc3::call
