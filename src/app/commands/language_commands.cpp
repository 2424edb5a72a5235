#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <fstream>
#include <utility>

#include "app/commands/commands.hpp"
#include "app/commands/language_session.hpp"
#include "app/commands/load.hpp"
#include "product/call/thinker.hpp"
#include "product/dialogue/thinking.hpp"

namespace yyc3::app {

namespace {

/// A person at a terminal waits for longer than a caller does: our own worker reads the question
/// for the first time.
constexpr Milliseconds kOwnPatience{60'000};

int tell(const Error& error) {
  std::fprintf(stderr, "aicall: the language model: %s\n", error.detail.c_str());
  return error.code == ErrorCode::kInvalid ? kExitUsage : kExitUnavailable;
}

inference::ChatRequest request_of(const AskArguments& arguments, const Config& config) {
  inference::ChatRequest request;
  if (!arguments.system.empty())
    request.messages.push_back({inference::Role::kSystem, arguments.system});
  request.messages.push_back({inference::Role::kUser, arguments.text});
  request.choices = arguments.choices;
  request.tokens_max = static_cast<int>(arguments.tokens);
  const bool ours = config.language.url.empty();
  request.first_token = ours ? kOwnPatience : Milliseconds{config.language.first_token_ms};
  request.total = ours ? kOwnPatience : Milliseconds{config.language.total_ms};
  return request;
}

/// A line of the table: where, what the caller says, what is meant.
struct Said {
  std::string node;
  std::string words;
  std::string meant;
};

Result<std::vector<Said>> read_table(const std::string& file) {
  std::ifstream in(file);
  if (!in) return fail(ErrorCode::kNotFound, file + ": no such file");
  std::vector<Said> out;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t first = line.find('\t');
    const std::size_t second = first == std::string::npos ? first : line.find('\t', first + 1);
    if (second == std::string::npos)
      return fail(ErrorCode::kInvalid,
                  fmt::format("{}: node, words and meaning, a tab between: {}", file, line));
    out.push_back({line.substr(0, first), line.substr(first + 1, second - first - 1),
                   line.substr(second + 1)});
  }
  return out;
}

/// As the table names it.
std::string name_of(const dialogue::Meaning& meaning) {
  switch (meaning.kind) {
    case dialogue::Meaning::Kind::kUnknown:
      return "unknown";
    case dialogue::Meaning::Kind::kNothing:
      return "nothing";
    default:
      return meaning.name;
  }
}

/// Puts the lines of a table to the model, as a call would.
class Examination {
 public:
  Examination(LanguageSession& model, const dialogue::Flow& flow, text::Language language)
      : model_(model), flow_(flow), language_(language) {}

  /// Errors: kInvalid: no such question in the flow; those of the model.
  Result<void> ask(const Said& said) {
    const dialogue::Node* node = flow_.find(said.node);
    if (node == nullptr || !node->ask)
      return fail(ErrorCode::kInvalid, said.node + ": no question of the flow");
    const auto meanings = dialogue::meanings_at(flow_, *node, language_);
    if (std::exchange(node_, said.node) != said.node)  // read ahead, while the bot asks
      if (auto read = choose(think(*node, meanings, "")); !read)
        return tl::unexpected<Error>(read.error());
    const auto answer = choose(think(*node, meanings, said.words));
    if (!answer) return tl::unexpected<Error>(answer.error());
    const auto chosen = std::ranges::find(meanings, answer->text, &dialogue::Meaning::label);
    const bool right = chosen != meanings.end() && name_of(*chosen) == said.meant;
    right_ += right ? 1 : 0;
    took_.push_back(answer->total.count());
    if (!right)
      fmt::print("{:<14} {}: {}, not {}\n", said.node, said.words,
                 chosen == meanings.end() ? answer->text : name_of(*chosen), said.meant);
    return {};
  }

  void report() {
    std::ranges::sort(took_);
    const std::size_t n = took_.size();
    if (n == 0) return;
    fmt::print("{} of {} right ({:.0f} %); a choice takes p50 {}, p95 {} ms\n", right_, n,
               100.0 * static_cast<double>(right_) / static_cast<double>(n), took_[n / 2],
               took_[std::min(n - 1, n * 95 / 100)]);
  }

 private:
  [[nodiscard]] dialogue::Think think(const dialogue::Node& node,
                                      const std::vector<dialogue::Meaning>& meanings,
                                      const std::string& words) const {
    std::string question;
    for (const auto& piece : dialogue::fill(flow_, node.ask->question.in(language_), node.id,
                                            language_, {{"new_time", "2027-01-04T15:00"}}))
      question += piece.text;
    return dialogue::think_about(flow_, question, meanings, language_, words);
  }
  Result<inference::ChatAnswer> choose(const dialogue::Think& question) {
    inference::ChatRequest request = call::request_of(question);
    request.first_token = request.total = kOwnPatience;
    return model_.ask(std::move(request));
  }

  LanguageSession& model_;
  const dialogue::Flow& flow_;
  const text::Language language_;
  std::string node_;
  std::size_t right_ = 0;
  std::vector<std::int64_t> took_;
};

}  // namespace

int ask(const std::filesystem::path& path, const AskArguments& arguments) {
  const auto config = load_or_tell(path);
  if (!config) return kExitConfig;
  auto model = LanguageSession::open(*config);
  if (!model) return tell(model.error());
  bool printed = false;
  const auto answer =
      (*model)->ask(request_of(arguments, *config), [&printed](std::string_view text) {
        fmt::print("{}", text);
        std::fflush(stdout);
        printed = true;
      });
  if (!answer) {
    if (printed) fmt::print("\n");
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

int examine(const std::filesystem::path& path, const ExamineArguments& arguments) {
  const auto config = load_or_tell(path);
  if (!config) return kExitConfig;
  const auto table = read_table(arguments.file);
  if (!table) return tell(table.error());
  const std::filesystem::path folder = config->dialogue.flows_dir.empty()
                                           ? find_beside_program("flows")
                                           : std::filesystem::path(config->dialogue.flows_dir);
  const auto flows = dialogue::FlowLibrary::load(folder);
  if (!flows) return tell(flows.error());
  const auto flow = flows->find(arguments.flow);
  if (!flow) return tell({ErrorCode::kInvalid, arguments.flow + ": no such flow"});
  auto model = LanguageSession::open(*config);
  if (!model) return tell(model.error());
  Examination examination(**model, *flow,
                          arguments.language == "en" ? text::Language::kEn : text::Language::kZh);
  for (const Said& said : *table)
    if (auto asked = examination.ask(said); !asked) return tell(asked.error());
  examination.report();
  return kExitGood;
}

}  // namespace yyc3::app
