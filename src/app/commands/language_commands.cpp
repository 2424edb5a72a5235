#include <cstdio>
#include <fmt/format.h>
#include <future>
#include <memory>
#include <utility>

#include "app/commands/commands.hpp"
#include "app/commands/load.hpp"
#include "app/engine_access.hpp"
#include "engine/inference/openai_chat.hpp"
#include "platform/net/event_loop.hpp"

namespace yyc3::app {

namespace {

/// Prints the pieces as they come.
class Printer final : public inference::ChatSink {
 public:
  void on_piece(inference::ChatNumber, std::string_view text) override {
    fmt::print("{}", text);
    std::fflush(stdout);
    printed = true;
  }
  void on_answer(inference::ChatNumber, const inference::ChatAnswer& answer) override {
    done.set_value(answer);
  }
  void on_failed(inference::ChatNumber, const Error& error) override {
    done.set_value(tl::unexpected<Error>(error));
  }
  std::promise<Result<inference::ChatAnswer>> done;
  bool printed = false;
};

int tell(const Error& error) {
  std::fprintf(stderr, "aicall: the language model: %s\n", error.detail.c_str());
  return error.code == ErrorCode::kInvalid ? kExitUsage : kExitUnavailable;
}

Result<inference::OpenAiChatConfig> engine_of(const Config::Language& config) {
  if (config.url.empty()) return fail(ErrorCode::kInvalid, "set language.url and language.model");
  inference::OpenAiChatConfig engine;
  auto endpoint = engine_endpoint("language.url", config.url);
  if (!endpoint) return tl::unexpected<Error>(endpoint.error());
  engine.endpoint = std::move(*endpoint);
  auto key = read_engine_key("language.key_file", config.key_file);
  if (!key) return tl::unexpected<Error>(key.error());
  engine.bearer = std::move(*key);
  engine.model = config.model;
  return engine;
}

inference::ChatRequest request_of(const AskArguments& arguments, const Config::Language& config) {
  inference::ChatRequest request;
  if (!arguments.system.empty())
    request.messages.push_back({inference::Role::kSystem, arguments.system});
  request.messages.push_back({inference::Role::kUser, arguments.text});
  request.choices = arguments.choices;
  request.tokens_max = static_cast<int>(arguments.tokens);
  request.first_token = Milliseconds{config.first_token_ms};
  request.total = Milliseconds{config.total_ms};
  return request;
}

}  // namespace

int ask(const std::filesystem::path& path, const AskArguments& arguments) {
  const auto config = load_or_tell(path);
  if (!config) return kExitConfig;
  auto engine = engine_of(config->language);
  if (!engine) return tell(engine.error());
  SystemClock clock;
  telemetry::Log log(clock);
  telemetry::Registry registry;
  Printer printer;
  net::EventLoop loop("language", log);
  std::unique_ptr<inference::OpenAiChat> chat;
  auto done = printer.done.get_future();
  loop.post([&] {
    chat = std::make_unique<inference::OpenAiChat>(std::move(*engine), loop, registry, log, clock);
    chat->ask(request_of(arguments, config->language), printer);
  });
  const auto answer = done.get();
  loop.stop();
  loop.join();
  if (!answer) {
    if (printer.printed) fmt::print("\n");
    return tell(answer.error());
  }
  if (!arguments.choices.empty()) fmt::print("{}", answer->text);
  fmt::print("\n");
  fmt::print(stderr, "first text after {} ms, all of it after {} ms{}{}\n",
             answer->first_token.count(), answer->total.count(),
             answer->tokens == 0 ? ""
                                 : fmt::format("; tokens: {} asked, {} answered",
                                               answer->prompt_tokens, answer->tokens),
             answer->cut ? "; cut at --tokens" : "");
  return kExitGood;
}

}  // namespace yyc3::app
