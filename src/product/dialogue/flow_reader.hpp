#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "product/dialogue/flow.hpp"

/// Inside of parse_flow; no other room includes this.
namespace yyc3::dialogue {

/// Problems found so far, as "where: reason"; at most kProblemsMax are kept.
class Problems {
 public:
  static constexpr std::size_t kProblemsMax = 100;
  void add(std::string_view where, std::string_view reason);
  [[nodiscard]] bool none() const { return lines_.empty(); }
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::string> lines_;
};

/// JSON → Flow; what cannot be read is a problem and left empty.
[[nodiscard]] Flow read_flow(const json::object& from, Problems& problems);
/// The rules between the parts: references, texts, ends, keys, disclosure.
void check_flow(const Flow& flow, Problems& problems);

/// A variable standing in a template.
struct Placeholder {
  std::size_t begin = 0;  ///< of '{'
  std::size_t end = 0;    ///< past '}'
  std::string name;
  std::string format;  ///< after '|'; empty: none
};
/// The placeholders of `text` in order. A '{' without its '}' ends the search: `broken` is set.
[[nodiscard]] std::vector<Placeholder> placeholders(std::string_view text, bool* broken = nullptr);
[[nodiscard]] bool is_format(std::string_view name);

/// Every text of a node with the name of its field: "say", "question", "silence", "no_match",
/// "keypad".
struct NamedText {
  const char* field;
  const LocalText* text;
};
[[nodiscard]] std::vector<NamedText> texts_of(const Node& node);

}  // namespace yyc3::dialogue
