#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "platform/telemetry/log.hpp"

namespace yyc3::worker {

struct SpeakConfig {
  std::string socket;            ///< path of the Unix socket; mode 0600
  std::filesystem::path models;  ///< folder of scripts/models
  int threads = 1;               ///< texts rendered ahead at once, 1..16
};

/// The `speak` role: OpenAI-compatible speech over HTTP on a Unix socket.
///   POST /v1/audio/speech {"model","voice","input","response_format":"wav","speed"} → WAV 16 bit
///     mono; header `X-Class: live` (before) or `render` (default). 400 names the field, 429 when
///     the queue is full, 404 for a model that is not installed. Closing the connection cancels.
///   GET /v1/models, GET /healthz.
/// Threads: one for the socket, `threads` for the voices. Bounds: see SpeakQueue; input ≤ 2,000
/// bytes.
class SpeakServer {
 public:
  /// As HearServer::start. Errors: kNotFound (no voice at all), kBusy, kInvalid.
  static Result<std::unique_ptr<SpeakServer>> start(
      const SpeakConfig& config, telemetry::Log& log,
      const std::function<Result<void>()>& prepared = {});
  ~SpeakServer();
  SpeakServer(const SpeakServer&) = delete;
  SpeakServer& operator=(const SpeakServer&) = delete;
  /// Blocks until the process ends.
  void wait();

 private:
  struct Impl;
  explicit SpeakServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace yyc3::worker
