#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "app/commands/local_worker.hpp"
#include "app/config.hpp"
#include "engine/inference/openai_chat.hpp"

namespace yyc3::app {

/// The language model of the configuration, for a command: our own worker is started and waited
/// for. Threads: one, the command's.
class LanguageSession {
 public:
  /// Errors: kInvalid there is none, or its configuration; kUnavailable it does not come up.
  static Result<std::unique_ptr<LanguageSession>> open(const Config& config);
  ~LanguageSession();
  LanguageSession(const LanguageSession&) = delete;
  LanguageSession& operator=(const LanguageSession&) = delete;

  /// Blocks. @param on_piece called on another thread, before this returns.
  Result<inference::ChatAnswer> ask(inference::ChatRequest request,
                                    std::function<void(std::string_view)> on_piece = {});

 private:
  LanguageSession() = default;
  LocalWorker local_;
  std::unique_ptr<inference::OpenAiChat> chat_;
};

}  // namespace yyc3::app
