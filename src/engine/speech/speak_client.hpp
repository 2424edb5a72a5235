#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/speech/synthesizer.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/net/http_client.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace yyc3::speech {

struct SpeakClientConfig {
  net::Endpoint endpoint;  ///< the speak worker's Unix socket, or any OpenAI-compatible engine
  std::string target = "/v1/audio/speech";
  std::string model_zh = "kokoro";
  std::string model_en = "piper";
  std::string voice_zh = "zf_xiaoxiao";
  std::string voice_en = "joe";
  std::string bearer;           ///< API key of a remote engine; empty: none
  std::size_t at_once = 2;      ///< requests under way; the rest waits here, live ones first
  std::size_t queue_max = 256;  ///< waiting; beyond: kBusy
  std::size_t text_bytes_max = 600;
  Milliseconds probe_every{200};  ///< /healthz of our own worker; 0: a remote engine, not probed
  /// Of HealthProbe: with the new worker's start (2–3 s) speaking is back within 5 s.
  Milliseconds probe_timeout{500};
  std::function<void()> on_hang = {};  ///< our worker does not answer: to be killed
  std::function<void(bool available)> on_change = {};
};

/// Synthesizer port over POST /v1/audio/speech. The WAV that comes back is brought to 8 kHz mono.
/// Threads: the loop given.
class SpeakClient final : public Synthesizer {
 public:
  SpeakClient(SpeakClientConfig config, net::EventLoop& loop, telemetry::Registry& metrics,
              telemetry::Log& log, const Clock& clock);
  ~SpeakClient() override;

  std::uint64_t speak(SpeakRequest request, Done done) override;
  void cancel(std::uint64_t job) override;
  [[nodiscard]] bool available() const override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace yyc3::speech
