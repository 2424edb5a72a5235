#include <csignal>

#include <CLI/CLI.hpp>

#include "app/commands/commands.hpp"

namespace yyc3::app {

namespace {

void add_call(CLI::App& app, std::filesystem::path& config, int& code) {
  auto* command = app.add_subcommand("call", "Place one call and print it live");
  const auto arguments = std::make_shared<CallArguments>();
  command->add_option("to", arguments->to, "sip:user@host[:port], or +E.164 through the trunk")
      ->required();
  command->add_option("--flow", arguments->flow, "Dialogue");
  command->add_option("--lang", arguments->language, "zh or en")
      ->check(CLI::IsMember({"zh", "en"}));
  command->add_option("--var", arguments->variables, "name=value, for the dialogue");
  command->add_flag("--json", arguments->json, "Print the finished call as JSON");
  command->callback([&config, &code, arguments] { code = place_call(config, *arguments); });
}

void add_speech(CLI::App& app, std::filesystem::path& config, int& code) {
  auto* speech = app.add_subcommand("speech", "Judge hearing and speaking on audio of your own");
  speech->require_subcommand(1);
  auto* hear = speech->add_subcommand("transcribe", "Write down what WAV files say");
  const auto heard = std::make_shared<TranscribeArguments>();
  hear->add_option("files", heard->files, "WAV files")->required()->check(CLI::ExistingFile);
  hear->add_option("--lang", heard->language, "zh or en")->check(CLI::IsMember({"zh", "en"}));
  hear->add_option("--grammar", heard->grammar, "As an answer to such a question is heard")
      ->check(CLI::IsMember({"free", "yes_no", "digit", "digits", "time"}));
  hear->add_flag("--telephone", heard->telephone, "Pass it through 8 kHz G.711 first");
  hear->add_flag("--json", heard->json, "One JSON object a file");
  hear->callback([&config, &code, heard] { code = transcribe(config, *heard); });

  auto* voice = speech->add_subcommand("say", "Speak a text into a WAV file");
  const auto said = std::make_shared<SayArguments>();
  voice->add_option("text", said->text, "What to say")->required();
  voice->add_option("-o,--output", said->output, "WAV file to write")->required();
  voice->add_option("--lang", said->language, "zh or en")->check(CLI::IsMember({"zh", "en"}));
  voice->add_option("--voice", said->voice, "One of the language's voices");
  voice->add_flag("--telephone", said->telephone, "As a caller hears it: 8 kHz, telephone level");
  voice->callback([&config, &code, said] { code = say(config, *said); });
}

void add_language(CLI::App& app, std::filesystem::path& config, int& code) {
  auto* language = app.add_subcommand("language", "Try the language model");
  language->require_subcommand(1);
  auto* command = language->add_subcommand("ask", "Ask it, and print the answer as it comes");
  const auto asked = std::make_shared<AskArguments>();
  command->add_option("text", asked->text, "What to ask")->required();
  command->add_option("--system", asked->system, "What it is told beforehand");
  command->add_option("--choice", asked->choices, "The answer is one of these (give two or more)");
  command->add_option("--tokens", asked->tokens, "Length of the answer")
      ->check(CLI::Range(1, 4096));
  command->callback([&config, &code, asked] { code = ask(config, *asked); });
  auto* exam = language->add_subcommand(
      "examine", "Put a table of what callers say to it, as a call would, and count the choices");
  const auto given = std::make_shared<ExamineArguments>();
  exam->add_option("file", given->file, "Lines: question of the flow, words, meaning; tabs between")
      ->required()
      ->check(CLI::ExistingFile);
  exam->add_option("--flow", given->flow, "Dialogue");
  exam->add_option("--lang", given->language, "zh or en")->check(CLI::IsMember({"zh", "en"}));
  exam->callback([&config, &code, given] { code = examine(config, *given); });
}

void add_config(CLI::App& app, std::filesystem::path& config, int& code) {
  auto* command = app.add_subcommand("config", "Check the configuration, or print its keys");
  command->require_subcommand(1);
  command->add_subcommand("check", "Print every problem at once")->callback([&config, &code] {
    code = config_check(config);
  });
  command->add_subcommand("docs", "Print docs/configuration.md")->callback([&code] {
    code = config_documentation();
  });
}

void add_models(CLI::App& app, std::filesystem::path& config, int& code) {
  auto* command = app.add_subcommand("models", "The speech models: what is there, fetch the rest");
  command->require_subcommand(1);
  command->add_subcommand("list", "Print what is there and what is missing")
      ->callback([&config, &code] { code = list_models(config); });
  command->add_subcommand("pull", "Fetch, verify and install what is missing")->callback([&code] {
    code = run_beside("scripts/models", {});
  });
}

}  // namespace

int run(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);

  CLI::App app("YYC3 AI-Call: AI phone calls on your own machine", "aicall");
  app.set_version_flag("--version", YYC3_VERSION);
  app.require_subcommand(1);
  std::filesystem::path config;
  app.add_option("-c,--config", config, "Configuration file (default: aicall.toml here)");
  int code = kExitGood;
  app.add_subcommand("serve", "Run the whole system")->callback([&] { code = serve(config); });
  add_call(app, config, code);
  app.add_subcommand("demo", "One real call to a simulated customer")
      ->allow_extras()
      ->callback([&] { code = run_beside("demo/run", {}); });
  app.add_subcommand("doctor", "Look for what would go wrong")->callback([&] {
    code = doctor(config);
  });
  app.add_subcommand("console", "Print a one-time link into the running console")->callback([&] {
    code = console_link(config);
  });
  add_config(app, config, code);
  add_models(app, config, code);
  add_speech(app, config, code);
  add_language(app, config, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int shown = app.exit(error);
    return shown == 0 ? kExitGood : kExitUsage;
  }
  return code;
}

}  // namespace yyc3::app
