#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "engine/speech/recognizer.hpp"
#include "engine/text/tables.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/net/http_client.hpp"
#include "platform/resilience/circuit_breaker.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace yyc3::speech {

struct RemoteRecognizerConfig {
  net::Endpoint endpoint;  ///< http(s)://host[:port], without the /v1
  std::string model = "whisper-1";
  std::string bearer;            ///< API key; empty: none is sent
  text::TablesPtr tables;        ///< may be null: closed answers are then not matched
  std::size_t at_once = 4;       ///< requests under way
  std::size_t queue_max = 64;    ///< waiting, nearest deadline first; beyond: kBusy
  Milliseconds flush_every{20};  ///< probabilities and expired decodes
  resilience::CircuitBreakerConfig breaker{5, 1, Milliseconds{5'000}};
};

/// Recognizer port over an OpenAI-compatible `POST /v1/audio/transcriptions`: the window of a
/// decode goes out as a WAV of 8 kHz, its text comes back; every request on a connection of its
/// own, so that cancelling is closing it. Such an engine knows no voice activity and no grammar:
/// the energy detector feeds on_speech_probability (1 or 0), and the text of a closed answer is
/// matched with its phrases afterwards. It tells no probabilities: kConfidenceUntold.
///
/// Available until the breaker opens: 5 failures in a row (no connection, time-out, 5xx); then
/// decodes fail at once with kUnavailable, but for one every 5 s that tries again.
/// Errors of a decode: kUnavailable, kTimeout, kBusy (queue full, 429), kDenied (401, 403),
/// kNotFound (no audio kept of the window), kInvalid (refused, or no transcription came back).
/// Threads: the loop given. Memory: 480 KB a stream; a window of 30 s is 480 KB a decode.
class RemoteRecognizer final : public Recognizer {
 public:
  RemoteRecognizer(RemoteRecognizerConfig config, net::EventLoop& loop,
                   telemetry::Registry& metrics, telemetry::Log& log, const Clock& clock);
  ~RemoteRecognizer() override;

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
