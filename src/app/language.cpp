#include "app/language.hpp"

#include <utility>

#include "app/engine_access.hpp"

namespace yyc3::app {

namespace {
constexpr Milliseconds kProbeEvery{200};
}  // namespace

Result<std::unique_ptr<inference::OpenAiChat>> make_language(const Config& config,
                                                             const net::Endpoint& endpoint,
                                                             LanguageParts parts) {
  inference::OpenAiChatConfig engine;
  engine.endpoint = endpoint;
  if (config.language.url.empty()) {
    engine.model = config.language_model().stem().string();
    engine.probe_every = kProbeEvery;
    engine.on_hang = std::move(parts.on_hang);
    engine.on_change = std::move(parts.on_change);
  } else {
    engine.model = config.language.model;
    auto key = read_engine_key("language.key_file", config.language.key_file);
    if (!key) return tl::unexpected<Error>(key.error());
    engine.bearer = std::move(*key);
    parts.log.info("what callers say goes to another host: language.url",
                   {{"destination.address", endpoint.host}, {"yyc3.language.tls", endpoint.tls}});
  }
  return std::make_unique<inference::OpenAiChat>(std::move(engine), parts.loop, parts.registry,
                                                 parts.log, parts.clock);
}

}  // namespace yyc3::app
