#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/speech/recognizer.hpp"
#include "engine/speech/worker_protocol.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/net/http_client.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace yyc3::speech {

struct HearClientConfig {
  net::Endpoint endpoint;             ///< the worker's Unix socket, or ws://host of another machine
  Milliseconds flush_every{20};       ///< frames of all calls of a tick travel together
  Milliseconds reconnect_first{200};  ///< back-off, doubled up to reconnect_max
  Milliseconds reconnect_max{5'000};
  Milliseconds ping_every{500};
  /// Unanswered for so long: the worker hangs, `on_hang`. With the new one's start (1–2 s) hearing
  /// is back within 5 s.
  Milliseconds ping_timeout{2'000};
  std::function<void()> on_hang;  ///< to be killed by whoever supervises it
};

/// Recognizer port over the hear protocol. Keeps one connection; when it breaks, running decodes
/// fail with kUnavailable, streams stay and are opened again on the next connection.
/// Bounds: audio of a tick that the socket does not take is dropped and counted; 1,024 decodes.
/// Threads: the loop given.
class HearClient final : public Recognizer {
 public:
  HearClient(HearClientConfig config, net::EventLoop& loop, telemetry::Registry& metrics,
             telemetry::Log& log, const Clock& clock);
  ~HearClient() override;

  StreamNumber open(Language language, HearingSink& sink) override;
  void audio(StreamNumber stream, std::uint64_t first_sample,
             std::span<const std::int16_t> pcm) override;
  JobNumber decode(StreamNumber stream, const DecodeSpec& spec) override;
  void cancel(JobNumber job) override;
  void close(StreamNumber stream) override;
  [[nodiscard]] bool available() const override;
  [[nodiscard]] bool detects_speech() const override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace yyc3::speech
