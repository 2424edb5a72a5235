#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

#include "platform/process/confine.hpp"
#include "worker/hear_server.hpp"
#include "worker/speak_server.hpp"

namespace {

using namespace yyc3;  // NOLINT(google-build-using-namespace): the program itself

/// From here on: no network but Unix sockets, no new programs, first to go when memory ends.
/// Nice only now: models are loaded at full speed, so that a worker that died is soon back.
Result<void> confine_self(int nice) {
  process::ConfinePolicy policy;
  policy.nice = nice;
  return process::confine(policy);
}

int stop_with(telemetry::Log& log, const Error& error) {
  log.error("the worker cannot start", {{"error.message", error.detail}});
  return 2;
}

int hear(const worker::HearConfig& config, int nice) {
  const SystemClock clock;
  telemetry::Log log(clock, "aicall-hear");
  log.open_stderr();
  auto server =
      worker::HearServer::start(config, log, clock, [nice] { return confine_self(nice); });
  if (!server) return stop_with(log, server.error());
  log.info("hear worker is ready");
  (*server)->wait();
  return 0;
}

int speak(const worker::SpeakConfig& config, int nice) {
  const SystemClock clock;
  telemetry::Log log(clock, "aicall-speak");
  log.open_stderr();
  auto server = worker::SpeakServer::start(config, log, [nice] { return confine_self(nice); });
  if (!server) return stop_with(log, server.error());
  log.info("speak worker is ready");
  (*server)->wait();
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app("Speech worker of AI-Call: one role a process, no network of its own.");
  app.require_subcommand(1);
  worker::HearConfig hear_config;
  worker::SpeakConfig speak_config;
  auto* hear_command = app.add_subcommand("hear", "voice activity and recognition");
  hear_command->add_option("--socket", hear_config.socket, "Unix socket")->required();
  hear_command->add_option("--models", hear_config.models, "folder of scripts/models")->required();
  hear_command->add_option("--threads", hear_config.threads, "decoders, one core each");
  hear_command->add_option("--zh", hear_config.recognizer_zh, "folder of a sherpa-onnx model");
  hear_command->add_option("--en", hear_config.recognizer_en, "folder of a sherpa-onnx model");
  hear_command->add_option("--phrases-zh", hear_config.phrases_zh, "what callers say, one a line");
  hear_command->add_option("--turn-end", hear_config.turn_end, "file of an end-of-turn model");
  auto* speak_command = app.add_subcommand("speak", "text to speech");
  speak_command->add_option("--socket", speak_config.socket, "Unix socket")->required();
  speak_command->add_option("--models", speak_config.models, "folder of scripts/models")
      ->required();
  speak_command->add_option("--threads", speak_config.threads,
                            "texts rendered ahead at once, one core each");
  int nice = 0;
  for (CLI::App* command : {hear_command, speak_command})
    command->add_option("--nice", nice, "once the models are loaded")->check(CLI::Range(0, 19));
  CLI11_PARSE(app, argc, argv);
  return hear_command->parsed() ? hear(hear_config, nice) : speak(speak_config, nice);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "aicall-worker: %s\n", error.what());
    return 70;  // EX_SOFTWARE
  }
}
