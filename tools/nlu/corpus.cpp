#include "corpus.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <set>

#include "product/dialogue/understanding.hpp"

namespace yyc3::nlu {
namespace {

constexpr std::size_t kVariantsMax = 16;

/// Every way to read a template, or kVariantsMax of them evenly spread.
std::vector<std::string> expand(const std::string& pattern) {
  std::vector<std::vector<std::string>> parts;
  std::size_t total = 1;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t open = std::min(pattern.find('[', at), pattern.size());
    if (open > at) parts.push_back({pattern.substr(at, open - at)});
    if (open == pattern.size()) break;
    const std::size_t close = std::min(pattern.find(']', open), pattern.size());
    std::vector<std::string> choices;
    for (std::size_t from = open + 1; from <= close;) {
      const std::size_t end = std::min(pattern.find('|', from), close);
      choices.push_back(pattern.substr(from, end - from));
      from = end + 1;
    }
    total *= choices.size();
    parts.push_back(std::move(choices));
    at = close + 1;
  }
  std::vector<std::string> out;
  const std::size_t wanted = std::min(total, kVariantsMax);
  for (std::size_t i = 0; i < wanted; ++i) {
    std::size_t code = i * total / wanted + (total > wanted ? i % 3 : 0);
    std::string text;
    for (const auto& choices : parts) {
      text += choices[code % choices.size()];
      code /= choices.size();
    }
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace

Result<std::vector<Example>> read_examples(const std::filesystem::path& file,
                                           text::Language language, bool templates) {
  std::ifstream in(file);
  if (!in) return fail(ErrorCode::kNotFound, "cannot read " + file.string());
  std::vector<Example> out;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    const auto intent = dialogue::intent_of(line.substr(0, std::min(first, line.size())));
    if (second == std::string::npos || !intent)
      return fail(ErrorCode::kInvalid, fmt::format("{}:{}: wants intent<TAB>source<TAB>text",
                                                   file.filename().string(), number));
    const std::string source = line.substr(first + 1, second - first - 1);
    const std::string text = line.substr(second + 1);
    const std::vector<std::string> variants =
        templates ? expand(text) : std::vector<std::string>{text};
    // our own sentences are of the calls this product makes: they count more than public ones
    const float weight = std::min(1.5F, 4.0F / static_cast<float>(variants.size()));
    for (const std::string& variant : variants)
      out.push_back({language, *intent, source, variant, weight});
  }
  return out;
}

Result<Corpus> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().extension() == ".tsv") files.push_back(entry.path());
  if (error || files.empty()) return fail(ErrorCode::kNotFound, "no texts in " + folder.string());
  std::ranges::sort(files);
  Corpus corpus;
  for (const auto& file : files) {
    const std::string name = file.filename().string();
    const bool held = name.find("heldout") != std::string::npos;
    const auto language = name.starts_with("en_") ? text::Language::kEn : text::Language::kZh;
    auto examples = read_examples(file, language, !held);
    if (!examples) return tl::unexpected<Error>(examples.error());
    auto& to = held ? corpus.heldout : corpus.train;
    to.insert(to.end(), examples->begin(), examples->end());
  }
  std::set<std::string> trained;
  for (const Example& example : corpus.train) trained.insert(dialogue::plain_text(example.text));
  for (const Example& example : corpus.heldout)
    if (trained.contains(dialogue::plain_text(example.text)))
      return fail(ErrorCode::kInvalid, "held-out text is trained on too: " + example.text);
  return corpus;
}

}  // namespace yyc3::nlu
