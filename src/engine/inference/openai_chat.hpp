#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "engine/inference/chat_model.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/net/http_client.hpp"
#include "platform/resilience/circuit_breaker.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace yyc3::inference {

struct OpenAiChatConfig {
  net::Endpoint endpoint;    ///< http(s)://host[:port][/base] without the /v1, or a Unix socket
  std::string model;         ///< as the engine calls it
  std::string bearer;        ///< API key; empty: none is sent
  std::size_t at_once = 16;  ///< answers under way; beyond: kBusy
  resilience::CircuitBreakerConfig breaker{5, 2, Milliseconds{30'000}};
  /// Our own worker: its /healthz is asked for as often as this, and it is unavailable while it is
  /// not there. 0: somebody else's engine, not probed.
  Milliseconds probe_every{0};
  std::function<void()> on_hang = {};  ///< our worker does not answer: to be killed
  std::function<void(bool available)> on_change = {};
};

/// ChatModel port over `POST /v1/chat/completions` with `stream` (server-sent events), as vLLM,
/// Ollama, llama.cpp's server and OpenAI take it; every request on a connection of
/// its own, so that cancelling is closing it. Choices go as a `response_format` of type
/// json_schema; `conversation` as `prompt_cache_key`.
///
/// Unavailable while a probed worker is not there, or when the breaker opens: 5 failures in a row
/// (no connection, time-out, 5xx, a torn stream); after 30 s one at a time is tried, and two that
/// succeed close it. Errors carry no word of the engine's or the question's: both may be a
/// caller's. Threads: the loop given. Memory for each: the request (≤ 64 KiB as text), the answer,
/// an event.
class OpenAiChat final : public ChatModel {
 public:
  OpenAiChat(OpenAiChatConfig config, net::EventLoop& loop, telemetry::Registry& metrics,
             telemetry::Log& log, const Clock& clock);
  ~OpenAiChat() override;

  ChatNumber ask(ChatRequest request, ChatSink& sink) override;
  void cancel(ChatNumber number) override;
  [[nodiscard]] bool available() const override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace yyc3::inference
