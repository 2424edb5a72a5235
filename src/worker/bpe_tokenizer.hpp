#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace yyc3::worker {

/// Byte-pair encoding (Sennrich et al. 2016) with token numbers as ranks, the way OpenAI's tiktoken
/// spells text: neighbours whose joint token has the lowest number are joined first.
/// whisper.cpp's own tokenizer takes the longest token instead (and 0.1 ms a sentence): the model
/// was not trained on such spellings. Threads: immutable, any.
class BpeTokenizer {
 public:
  using Token = std::int32_t;
  /// @param pieces bytes of token 0, 1, 2 …; an empty one stands for nothing.
  explicit BpeTokenizer(std::vector<std::string> pieces);
  BpeTokenizer(const BpeTokenizer&) = delete;
  BpeTokenizer& operator=(const BpeTokenizer&) = delete;
  /// Tokens of one word (no blanks to split at); bytes that no token has are left out.
  [[nodiscard]] std::vector<Token> encode(std::string_view word) const;

 private:
  std::vector<std::string> pieces_;
  std::unordered_map<std::string_view, Token> numbers_;  ///< views into pieces_
};

}  // namespace yyc3::worker
