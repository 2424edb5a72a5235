#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace yyc3::inference {

enum class Role { kSystem, kUser, kAssistant };

struct ChatMessage {
  Role role = Role::kUser;
  std::string text;
  friend bool operator==(const ChatMessage&, const ChatMessage&) = default;
};

/// What a language model is asked.
struct ChatRequest {
  std::vector<ChatMessage> messages;  ///< 1 to kMessagesMax, kTextBytesMax in all
  /// If there are any, 2 to kChoicesMax: the answer is one of them, word for word (a JSON schema
  /// holds the model to it; what it says instead is an error).
  std::vector<std::string> choices;
  int tokens_max = 40;
  double temperature = 0;         ///< 0..2
  Milliseconds first_token{600};  ///< nothing by then: kTimeout
  Milliseconds total{4'000};      ///< for everything, connecting included; ≤ 5 min
  std::string conversation;       ///< ≤ 128 bytes: whose beginning an engine may keep; or empty
};

struct ChatAnswer {
  std::string text;             ///< valid UTF-8; one of the choices, where there were any
  bool cut = false;             ///< tokens_max was reached
  int prompt_tokens = 0;        ///< 0: the engine does not say
  int cached_tokens = 0;        ///< of them, known from before; 0 also: it does not say
  int tokens = 0;               ///< of the answer; 0: the engine does not say
  Milliseconds first_token{0};  ///< from ask() to the first text
  Milliseconds total{0};
};

using ChatNumber = std::uint64_t;  ///< never 0

/// Receives what was asked for. Called on the model's loop, never from inside one of its calls.
class ChatSink {
 public:
  virtual ~ChatSink() = default;
  /// The next piece of the answer, as it is made; not where choices were given.
  virtual void on_piece(ChatNumber number, std::string_view text) = 0;
  /// Exactly one of these two for each ask() that was not cancelled.
  virtual void on_answer(ChatNumber number, const ChatAnswer& answer) = 0;
  virtual void on_failed(ChatNumber number, const Error& error) = 0;
};

/// Port: a language model that answers in chat. `OpenAiChat` asks any OpenAI-compatible engine.
/// Threads: one loop; all calls and all callbacks happen on it.
class ChatModel {
 public:
  static constexpr std::size_t kMessagesMax = 64;
  static constexpr std::size_t kTextBytesMax = 64u << 10;
  static constexpr std::size_t kChoicesMax = 32;

  virtual ~ChatModel() = default;
  /// `sink` outlives the answer, or cancels it. Never fails: errors come to the sink.
  /// Errors: kInvalid (request outside its bounds; the engine refuses it or answers what is no
  /// answer), kBusy (too many at once), kUnavailable, kTimeout, kDenied.
  virtual ChatNumber ask(ChatRequest request, ChatSink& sink) = 0;
  /// The engine stops; nothing more is told of it.
  virtual void cancel(ChatNumber number) = 0;
  /// False while what is asked fails at once; true again when a trial is due.
  [[nodiscard]] virtual bool available() const = 0;
};

}  // namespace yyc3::inference
