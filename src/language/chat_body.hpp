#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "language/generator.hpp"
#include "language/json_grammar.hpp"

/// The JSON of `POST /v1/chat/completions`, as a server reads and writes it. What comes in is
/// hostile.
namespace yyc3::language {

struct ChatBody {
  std::vector<PromptMessage> messages;  ///< 1 to 64, 64 KiB in all
  std::size_t tokens_max = 256;         ///< max_tokens or max_completion_tokens, 1..4096
  double temperature = 0;               ///< 0..2
  double top_p = 1;                     ///< over 0, to 1
  std::uint32_t seed = 0;
  bool stream = false;
  bool usage_in_stream = false;
  std::string conversation;            ///< prompt_cache_key, ≤ 128 bytes
  std::string grammar;                 ///< GBNF of response_format; empty: none
  std::optional<ChoiceSchema> choice;  ///< … or one of these
};

/// Errors: kInvalid, naming the field and the mend. Fields that ask for something else than is
/// done here (tools, n > 1, stop, logprobs, images) are errors, not ignored.
Result<ChatBody> read_chat(std::string_view body);

/// What the fields of an answer have in common.
struct ChatFrame {
  std::string id;
  std::string model;
  std::int64_t created_s = 0;  ///< Unix time
};

/// An event of the stream, `data: …` and a blank line: text, or the end ("stop", "length").
std::string chunk(const ChatFrame& frame, std::string_view text, const char* finish_reason);
std::string usage_chunk(const ChatFrame& frame, const Generated& made);
/// An error in the middle of a stream.
std::string error_chunk(const Error& error);
/// The whole answer at once.
std::string completion(const ChatFrame& frame, std::string_view text, const Generated& made);

/// {"field":"choice"}: the answer to a ChoiceSchema.
std::string choice_text(const ChoiceSchema& schema, std::size_t choice);
/// … up to the choice, between its quotation marks, and after it. (Asked without this lead the
/// model chooses badly: it wants to begin otherwise.)
std::string before_choice(const ChoiceSchema& schema);
std::string choice_and_end(const ChoiceSchema& schema, std::size_t choice);

}  // namespace yyc3::language
