#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/telemetry/log.hpp"
#include "worker/ort_session.hpp"

namespace yyc3::worker {

/// What Whisper's encoder is given: 80 log-mel bands of 800 frames, 10 ms apart, as [band][frame].
/// Of a waveform of zero mean and unit variance; the upper 80 dB, (x + 4) / 4 (openai/whisper
/// audio.py; transformers WhisperFeatureExtractor with do_normalize).
/// @param pcm16k 8 s at 16 kHz, exactly 128,000 samples.
[[nodiscard]] std::vector<float> whisper_features(std::span<const float> pcm16k);

/// How finished a caller sounds, by the sound alone: a model of Smart-Turn v3's kind (ONNX,
/// input_features [n, 80, 800] to a probability named logits), the operator's choice.
/// Threads: immutable, any.
class EndOfTurn {
 public:
  static constexpr std::size_t kHeard = 64'000;  ///< samples of 8 kHz: the last 8 s count

  /// Tries the model on silence. Errors: as OrtSession::load; kInvalid: of another kind. They name
  /// the file and the key to mend.
  static Result<EndOfTurn> load(const std::filesystem::path& model);
  /// Blocks for some 100 ms of a core. @param pcm 8 kHz, up to the end of the last sound.
  /// @return 0..1 that the turn is over. Errors: kInternal.
  [[nodiscard]] Result<double> judge(std::span<const std::int16_t> pcm) const;

 private:
  explicit EndOfTurn(OrtSession session) : session_(std::move(session)) {}
  OrtSession session_;
};

/// Judges on a thread of its own, in order of arrival.
/// Threads: every call and every answer on the home loop.
class EndOfTurnPump {
 public:
  static constexpr std::size_t kWaitingMax = 8;

  EndOfTurnPump(EndOfTurn model, net::EventLoop& home, telemetry::Log& log)
      : model_(std::move(model)), home_(home), log_(log), loop_("turn-end", log, kWaitingMax) {}
  /// `answer` never comes when the model fails, or when kWaitingMax wait: a pause is soon over.
  void ask(std::vector<std::int16_t> pcm, std::function<void(double)> answer);

 private:
  EndOfTurn model_;
  net::EventLoop& home_;
  telemetry::Log& log_;
  net::EventLoop loop_;  // last: its thread uses what is above
};

}  // namespace yyc3::worker
