#include "app/hearing.hpp"

#include <utility>

#include "app/engine_access.hpp"
#include "engine/speech/hear_client.hpp"
#include "engine/speech/remote_recognizer.hpp"

namespace yyc3::app {

Result<std::unique_ptr<speech::Recognizer>> make_recognizer(const Config& config,
                                                            const net::Endpoint& endpoint,
                                                            HearingParts parts) {
  if (!config.speech.hear_url.starts_with("http")) {
    speech::HearClientConfig hear;
    hear.endpoint = endpoint;
    hear.on_hang = std::move(parts.on_hang);
    return std::make_unique<speech::HearClient>(std::move(hear), parts.loop, parts.registry,
                                                parts.log, parts.clock);
  }
  speech::RemoteRecognizerConfig remote;
  remote.endpoint = endpoint;
  remote.model = config.speech.hear_model;
  auto key = read_engine_key("speech.hear_key_file", config.speech.hear_key_file);
  if (!key) return tl::unexpected<Error>(key.error());
  remote.bearer = std::move(*key);
  auto tables = text::Tables::load(config.models_dir() / "text");
  if (tables)
    remote.tables = std::move(*tables);
  else
    parts.log.warn("closed answers are taken as the engine writes them",
                   {{"error.message", tables.error().detail}});
  parts.log.info("what callers say goes to another host: speech.hear_url",
                 {{"destination.address", endpoint.host}, {"yyc3.speech.tls", endpoint.tls}});
  return std::make_unique<speech::RemoteRecognizer>(std::move(remote), parts.loop, parts.registry,
                                                    parts.log, parts.clock);
}

}  // namespace yyc3::app
