#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include "language/language_server.hpp"
#include "platform/process/confine.hpp"

namespace {

using namespace yyc3;  // NOLINT(google-build-using-namespace): the program itself

int serve(const language::LanguageConfig& config, int nice) {
  const SystemClock clock;
  telemetry::Log log(clock, "aicall-language");
  log.open_stderr();
  // No network but Unix sockets, no new programs; nice only now: the model is loaded at full speed.
  const auto confine_self = [nice] {
    process::ConfinePolicy policy;
    policy.nice = nice;
    return process::confine(policy);
  };
  auto server = language::LanguageServer::start(config, log, clock, confine_self);
  if (!server) {
    log.error("the worker cannot start", {{"error.message", server.error().detail}});
    return 2;
  }
  log.info("language worker is ready");
  (*server)->wait();
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app("Language worker of AI-Call: a chat model, no network of its own.");
  language::LanguageConfig config;
  int nice = 0;
  app.add_option("--socket", config.socket, "Unix socket")->required();
  app.add_option("--model", config.model.file, "GGUF of a chat model")->required();
  app.add_option("--threads", config.model.threads, "of one decode; one a core")
      ->check(CLI::Range(1, 64));
  app.add_option("--context", config.model.context, "tokens of all conversations together")
      ->check(CLI::Range(512, 131072));
  app.add_option("--nice", nice, "once the model is loaded")->check(CLI::Range(0, 19));
  CLI11_PARSE(app, argc, argv);
  return serve(config, nice);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "aicall-language: %s\n", error.what());
    return 70;  // EX_SOFTWARE
  }
}
