#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "language/llama_model.hpp"
#include "platform/telemetry/log.hpp"

namespace yyc3::language {

struct LanguageConfig {
  std::string socket;  ///< path of the Unix socket; mode 0600
  LlamaConfig model;
};

/// The `language` worker: OpenAI-compatible chat over HTTP on a Unix socket.
///   POST /v1/chat/completions, whole or streamed; `response_format` json_object and json_schema;
///     `prompt_cache_key`: whose beginning is kept. Header `X-Deadline-Ms`: 1 to 300,000 (30,000):
///     the nearest deadline is answered first; passed: 504. Closing the connection cancels. 400
///     names the field, 429 when too much waits.
///   GET /v1/models, GET /healthz.
/// Threads: one for the socket, one that decodes. Bounds: see Generator; body ≤ 256 KiB.
class LanguageServer {
 public:
  /// @param prepared runs when the model is loaded, before anybody can connect.
  /// Errors: kNotFound, kInvalid (model), kBusy (socket in use), those of `prepared`.
  static Result<std::unique_ptr<LanguageServer>> start(
      const LanguageConfig& config, telemetry::Log& log, const Clock& clock,
      const std::function<Result<void>()>& prepared = {});
  ~LanguageServer();
  LanguageServer(const LanguageServer&) = delete;
  LanguageServer& operator=(const LanguageServer&) = delete;
  /// Blocks until the process ends.
  void wait();

 private:
  struct Impl;
  explicit LanguageServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace yyc3::language
