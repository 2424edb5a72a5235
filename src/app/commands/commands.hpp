#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace yyc3::app {

/// What the shell is told (sysexits.h).
enum ExitCode {
  kExitGood = 0,
  kExitFailed = 1,
  kExitUsage = 64,
  kExitUnavailable = 69,
  kExitConfig = 78
};

struct CallArguments {
  std::string to;
  std::string flow = "appointment_reminder";
  std::string language = "zh";
  std::vector<std::string> variables;  ///< name=value
  bool json = false;
};

struct TranscribeArguments {
  std::vector<std::string> files;
  std::string language = "zh";
  std::string grammar = "free";  ///< as a question of a flow has it: free, yes_no, digit …
  bool telephone = false;
  bool json = false;
};

struct SayArguments {
  std::string text;
  std::string language = "zh";
  std::string voice;
  std::string output;
  bool telephone = false;
};

struct AskArguments {
  std::string text;
  std::string system;                ///< what the model is told beforehand; may be empty
  std::vector<std::string> choices;  ///< the answer is one of them; or none
  std::int64_t tokens = 100;
};

struct ExamineArguments {
  std::string file;  ///< lines of node, words, meaning
  std::string flow = "appointment_reminder";
  std::string language = "zh";
};

/// Each command blocks until it is done and returns the exit code. Errors are one line on stderr
/// that says what to do.
int serve(const std::filesystem::path& config);
int place_call(const std::filesystem::path& config, const CallArguments& arguments);
int doctor(const std::filesystem::path& config);
int config_check(const std::filesystem::path& config);
int config_documentation();
int console_link(const std::filesystem::path& config);
int list_models(const std::filesystem::path& config);
int transcribe(const std::filesystem::path& config, const TranscribeArguments& arguments);
int ask(const std::filesystem::path& config, const AskArguments& arguments);
int examine(const std::filesystem::path& config, const ExamineArguments& arguments);
int say(const std::filesystem::path& config, const SayArguments& arguments);
/// Replaces this program by another that came with it (demo, scripts/models).
int run_beside(const std::string& program, const std::vector<std::string>& arguments);

/// The whole command line.
int run(int argc, char** argv);

}  // namespace yyc3::app
