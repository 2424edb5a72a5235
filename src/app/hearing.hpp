#pragma once

#include <functional>
#include <memory>

#include "app/config.hpp"
#include "base/clock.hpp"
#include "engine/speech/recognizer.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/net/http_client.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace yyc3::app {

struct HearingParts {
  net::EventLoop& loop;
  telemetry::Registry& registry;
  telemetry::Log& log;
  const Clock& clock;
  std::function<void()> on_hang;  ///< our own worker does not answer
};

/// The recogniser that speech.hear_url asks for: a transcription API for http(s)://…, else a hear
/// worker at `endpoint`. Errors: kNotFound, kDenied, kInvalid the key file, with the mend.
Result<std::unique_ptr<speech::Recognizer>> make_recognizer(const Config& config,
                                                            const net::Endpoint& endpoint,
                                                            HearingParts parts);

}  // namespace yyc3::app
