#include "engine/speech/clauses.hpp"

#include <algorithm>
#include <array>

namespace yyc3::speech {

namespace {

std::size_t utf8_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0x80) return 1;
  if (byte < 0xE0) return 2;
  return byte < 0xF0 ? 3 : 4;
}

bool ends_clause(std::string_view character, char next) {
  static constexpr std::array<std::string_view, 6> kFull{"。", "！", "？", "；", "，", "、"};
  if (std::find(kFull.begin(), kFull.end(), character) != kFull.end()) return true;
  const bool ascii = character == "." || character == "!" || character == "?" || character == ";" ||
                     character == ",";
  return ascii && (next == ' ' || next == '\0');
}

bool is_word(std::string_view character) {
  const char c = character.front();
  return character.size() == 1 &&
         ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '\'');
}

}  // namespace

std::vector<std::string> split_clauses(std::string_view text, std::size_t hanzi_max) {
  std::vector<std::string> clauses;
  std::string clause;
  std::size_t weight = 0;
  bool in_word = false;
  const auto flush = [&] {
    if (!clause.empty()) clauses.push_back(std::move(clause));
    clause.clear();
    weight = 0;
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::min(utf8_length(text[at]), text.size() - at);
    const std::string_view character = text.substr(at, length);
    const char next = at + length < text.size() ? text[at + length] : '\0';
    const bool word = is_word(character);
    const std::size_t cost = length > 1 ? 1 : (word && !in_word ? 2 : 0);
    const bool mark = ends_clause(character, next);
    if (weight + cost > hanzi_max && !mark && !(word && in_word)) flush();
    clause += character;
    weight += mark ? 0 : cost;
    in_word = word;
    at += length;
    if (mark) flush();
  }
  flush();
  // Blanks that open a clause belong to the one before; they are not spoken.
  for (std::size_t i = 1; i < clauses.size(); ++i)
    while (clauses[i].starts_with(' ')) {
      clauses[i - 1] += ' ';
      clauses[i].erase(0, 1);
    }
  std::erase(clauses, "");
  return clauses;
}

}  // namespace yyc3::speech
