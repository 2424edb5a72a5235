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

/// The API key in `file`, empty when none is named. @param name of the configuration key, for the
/// error. Errors: kNotFound, kDenied (others may read it), kInvalid; with the mend.
Result<std::string> read_engine_key(const char* name, const std::string& file);

/// The recogniser that speech.hear_url asks for: a transcription API for http(s)://…, else a hear
/// worker at `endpoint`. Errors: kNotFound, kDenied, kInvalid the key file, with the mend.
Result<std::unique_ptr<speech::Recognizer>> make_recognizer(const Config& config,
                                                            const net::Endpoint& endpoint,
                                                            HearingParts parts);

}  // namespace yyc3::app
