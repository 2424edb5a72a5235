#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "engine/inference/chat_model.hpp"
#include "platform/telemetry/metrics.hpp"
#include "product/call/chat_memory.hpp"
#include "product/call/speaker.hpp"
#include "product/dialogue/own_words.hpp"
#include "product/dialogue/thinking.hpp"

namespace yyc3::call {

struct TellMetrics {
  explicit TellMetrics(telemetry::Registry& registry);
  telemetry::Counter& told;      ///< replies in a model's own words
  telemetry::Counter& objected;  ///< … that were stopped by the check on the text
  telemetry::Counter& failed;    ///< … of which nothing came
};

struct TellPatience {
  Milliseconds first{2'000};  ///< for the first of the text: a lead-in is heard meanwhile
  Milliseconds total{8'000};  ///< most of it is heard while it is made
};

/// A reply in a language model's own words: asks it, cuts what comes into clauses, lets
/// OwnWordsCheck see each, and gives the speaker no more than five seconds of them ahead. At the
/// first objection, or when the model leaves a silence of kSilenceMost, the rest is dropped; when
/// nothing was said by then the prepared sentence is.
/// Remembers the call for it (ChatMemory).
/// Threads: the call's loop.
class Teller final : public inference::ChatSink {
 public:
  struct Out {
    std::function<void(const Line&)> say;               ///< behind what is being said
    std::function<void()> end;                          ///< no more comes
    std::function<Milliseconds()> ahead;                ///< still to be heard
    std::function<Milliseconds()> silent;               ///< since all that was said was heard
    std::function<void(std::string_view why)> stopped;  ///< by the check
  };
  Teller(inference::ChatModel* model, TellMetrics& metrics, TellPatience patience,
         text::Language language, std::string conversation, Out out);
  ~Teller() override;
  Teller(const Teller&) = delete;
  Teller& operator=(const Teller&) = delete;

  /// The customer's words, or what was heard of the bot.
  void remember(inference::Role role, const std::string& text);
  /// The call begins: the engine reads what is the same in every call.
  void prepare(const dialogue::Wording& wording);
  /// The bot asks where the answer may be one in own words: … and what was said in this one.
  /// @param heard the turn that is being answered; empty: it is on record.
  /// @param coming what the bot is saying; empty: it is on record.
  void prepare_here(const dialogue::Wording& wording, const std::string& heard,
                    const std::string& coming);
  /// The lead-in is being said. Ends with Out::end, once, unless dropped.
  void tell(dialogue::Wording wording);
  void tick();
  void drop();
  /// What the model made for the last tell(); nullopt: not whole, or stopped.
  [[nodiscard]] const std::optional<inference::ChatAnswer>& made() const { return made_; }

  void on_piece(inference::ChatNumber number, std::string_view text) override;
  void on_answer(inference::ChatNumber number, const inference::ChatAnswer& answer) override;
  void on_failed(inference::ChatNumber number, const Error& error) override;

 private:
  static constexpr Milliseconds kAheadMost{5'000};
  static constexpr Milliseconds kSilenceMost{1'200};
  struct Reply {
    dialogue::Wording wording;
    dialogue::ClauseStream clauses;
    dialogue::OwnWordsCheck check;
    std::deque<std::string> waiting;
    std::size_t spoken = 0;  ///< clauses let through
    bool whole = false;      ///< no more comes from the model
  };
  inference::ChatNumber send(std::vector<inference::ChatMessage> messages, int tokens,
                             Milliseconds first, Milliseconds total, const std::string& owner);
  void take(std::vector<std::string> clauses);
  void end_text();
  void give_up();
  void sum_up();

  inference::ChatModel* model_;
  TellMetrics& metrics_;
  const TellPatience patience_;
  const text::Language language_;
  const std::string conversation_;
  const Out out_;
  ChatMemory memory_;
  std::optional<Reply> reply_;
  std::optional<inference::ChatAnswer> made_;
  inference::ChatNumber under_way_ = 0;  ///< 0: none
  inference::ChatNumber ahead_ = 0;
  inference::ChatNumber summing_ = 0;
};

}  // namespace yyc3::call
