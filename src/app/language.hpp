#pragma once

#include <functional>
#include <memory>

#include "app/config.hpp"
#include "base/clock.hpp"
#include "engine/inference/openai_chat.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/net/http_client.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace yyc3::app {

struct LanguageParts {
  net::EventLoop& loop;
  telemetry::Registry& registry;
  telemetry::Log& log;
  const Clock& clock;
  std::function<void()> on_hang;                  ///< our own worker does not answer
  std::function<void(bool)> on_change = nullptr;  ///< it is up, or no longer
};

/// The language model that language.url names, or our own worker at `endpoint`.
/// Errors: kNotFound, kDenied, kInvalid the key file, with the mend.
Result<std::unique_ptr<inference::OpenAiChat>> make_language(const Config& config,
                                                             const net::Endpoint& endpoint,
                                                             LanguageParts parts);

}  // namespace yyc3::app
