#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "product/dialogue/intent.hpp"

namespace yyc3::nlu {

struct Example {
  text::Language language = text::Language::kZh;
  dialogue::Intent intent = dialogue::Intent::kOther;
  std::string source;
  std::string text;
  float weight = 1;  ///< variants of one template share the weight of two sentences
};

struct Corpus {
  std::vector<Example> train;
  std::vector<Example> heldout;
};

/// Reads DIR/{zh,en}_*.tsv: "intent<TAB>source<TAB>text" a line, '#' begins a comment. A file with
/// "heldout" in its name is never trained on; elsewhere "[a|b|]" stands for any of the choices.
/// Errors: kInvalid "file:line: reason", also when a held-out text is among the training texts.
Result<Corpus> read_corpus(const std::filesystem::path& folder);
Result<std::vector<Example>> read_examples(const std::filesystem::path& file,
                                           text::Language language, bool templates);

}  // namespace yyc3::nlu
