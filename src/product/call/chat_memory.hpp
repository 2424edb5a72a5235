#pragma once

#include <deque>
#include <string>
#include <vector>

#include "engine/inference/chat_model.hpp"
#include "engine/text/language.hpp"

namespace yyc3::call {

/// What a language model is told of the call so far: the last six turns or a few more as they were
/// heard (of the bot's what the ledger says was played), and a summary of what was before them once
/// more than twenty messages have come. Where they begin moves in steps: what an engine has read
/// would begin otherwise at every turn. Pure.
class ChatMemory {
 public:
  static constexpr std::size_t kRecent = 12;    ///< messages: six turns of both …
  static constexpr std::size_t kStep = 6;       ///< … and up to five more
  static constexpr std::size_t kMost = 20;      ///< then the older ones are summed up
  static constexpr std::size_t kKeptMost = 60;  ///< without a summary the oldest go

  explicit ChatMemory(text::Language language) : language_(language) {}
  void add(inference::Role role, const std::string& text);
  /// system, the summary in it; the last messages; @param heard the last words.
  [[nodiscard]] std::vector<inference::ChatMessage> messages(const std::string& system,
                                                             const std::string& heard) const;
  /// What is to be summed up; empty: nothing. The older messages stay until `summed_up`.
  std::vector<inference::ChatMessage> to_sum_up();
  /// What to_sum_up gave last; what has come since stays.
  void summed_up(std::string summary);
  [[nodiscard]] const std::string& summary() const { return summary_; }

 private:
  [[nodiscard]] std::size_t older() const;
  text::Language language_;
  std::deque<inference::ChatMessage> messages_;
  std::string summary_;
  std::size_t summing_ = 0;  ///< the first so many messages, that to_sum_up gave
};

}  // namespace yyc3::call
