#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "platform/telemetry/log.hpp"

namespace yyc3::worker {

struct HearConfig {
  std::string socket;                        ///< path of the Unix socket; mode 0600
  std::filesystem::path models;              ///< folder of scripts/models
  int threads = 1;                           ///< decoders at work at once, 1..16; one core each
  std::filesystem::path recognizer_zh = {};  ///< folder of a sherpa-onnx model; empty: Whisper
  std::filesystem::path recognizer_en = {};  ///< …; may be the same
  std::filesystem::path phrases_zh = {};     ///< what callers say beside said_zh(); may be empty
  std::filesystem::path turn_end = {};       ///< file of an end-of-turn model; empty: none
};

/// The `hear` role: speech probabilities and decodes for many streams over the hear protocol.
///
/// Threads: one for the socket, one for voice activity, one a decoder, one for the end of turns.
/// Bounds: 16 connections of 256 streams; 64 decodes wait, ordered by deadline (kBusy beyond);
/// 4,096 frames wait for voice activity, later ones are dropped and logged.
class HearServer {
 public:
  /// Loads the models and listens when it returns. A model that is missing is logged, and decodes
  /// that need it answer kUnavailable. `prepared` runs between loading and listening (confinement).
  /// Errors: kNotFound (no recogniser at all), kBusy (socket in use), kInvalid.
  static Result<std::unique_ptr<HearServer>> start(
      const HearConfig& config, telemetry::Log& log, const Clock& clock,
      const std::function<Result<void>()>& prepared = {});
  ~HearServer();
  HearServer(const HearServer&) = delete;
  HearServer& operator=(const HearServer&) = delete;
  /// Blocks until the process ends.
  void wait();

 private:
  struct Impl;
  explicit HearServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace yyc3::worker
