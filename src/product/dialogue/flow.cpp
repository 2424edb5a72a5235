#include "product/dialogue/flow.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "base/json.hpp"
#include "product/dialogue/flow_reader.hpp"

namespace yyc3::dialogue {
namespace {

constexpr std::size_t kFileBytesMax = 1U << 20;

}  // namespace

const char* name_of(Grammar grammar) {
  switch (grammar) {
    case Grammar::kYesNo:
      return "yes_no";
    case Grammar::kDigit:
      return "digit";
    case Grammar::kDigits:
      return "digits";
    case Grammar::kTime:
      return "time";
    case Grammar::kOptions:
      return "options";
    case Grammar::kFree:
      break;
  }
  return "free";
}

const Node* Flow::find(std::string_view node) const {
  const auto found = std::ranges::find(nodes, node, &Node::id);
  return found == nodes.end() ? nullptr : &*found;
}

std::vector<NamedText> texts_of(const Node& node) {
  std::vector<NamedText> out{{"say", &node.say}};
  if (!node.ask) return out;
  out.push_back({"question", &node.ask->question});
  out.push_back({"silence", &node.ask->on_silence});
  out.push_back({"no_match", &node.ask->on_no_match});
  out.push_back({"keypad", &node.ask->keypad});
  return out;
}

Result<Flow> parse_flow(std::string_view json) {
  if (json.size() > kFileBytesMax) return fail(ErrorCode::kInvalid, "flow: more than 1 MB");
  const Result<json::value> parsed = parse_json(json);
  if (!parsed) return fail(ErrorCode::kInvalid, "flow: " + parsed.error().detail);
  if (!parsed->is_object()) return fail(ErrorCode::kInvalid, "flow: must be an object");
  Problems problems;
  Flow flow = read_flow(parsed->get_object(), problems);
  check_flow(flow, problems);
  if (!problems.none()) return fail(ErrorCode::kInvalid, problems.text());
  return flow;
}

Result<FlowLibrary> FlowLibrary::load(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  if (error || files.empty())
    return fail(ErrorCode::kNotFound, "no flows (*.json) in " + folder.string());
  std::ranges::sort(files);
  FlowLibrary library;
  std::string problems;
  const auto note = [&problems](const std::filesystem::path& file, const std::string& lines) {
    for (std::size_t from = 0; from <= lines.size();) {
      const std::size_t end = std::min(lines.find('\n', from), lines.size());
      problems += (problems.empty() ? "" : "\n") + file.filename().string() + ": " +
                  lines.substr(from, end - from);
      from = end + 1;
    }
  };
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    std::string bytes(kFileBytesMax + 1, '\0');
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(in.gcount()));
    Result<Flow> flow = parse_flow(bytes);
    if (!flow) {
      note(file, flow.error().detail);
      continue;
    }
    const std::string id = flow->id;
    if (!library.flows_.emplace(id, std::make_shared<const Flow>(std::move(*flow))).second)
      note(file, "flow: another file has the id " + id);
  }
  if (!problems.empty()) return fail(ErrorCode::kInvalid, problems);
  return library;
}

std::shared_ptr<const Flow> FlowLibrary::find(std::string_view id) const {
  const auto found = flows_.find(id);
  return found == flows_.end() ? nullptr : found->second;
}

std::vector<std::string> FlowLibrary::ids() const {
  std::vector<std::string> out;
  for (const auto& [id, flow] : flows_) out.push_back(id);
  return out;
}

}  // namespace yyc3::dialogue
