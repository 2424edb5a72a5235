#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/inference/chat_model.hpp"

/// The JSON of OpenAI-compatible chat engines. Pure functions; what comes in is hostile.
namespace yyc3::inference {

/// Errors: kInvalid, naming the field outside its bounds.
Result<void> check(const ChatRequest& request);
/// The body of a streamed request.
std::string encode(const ChatRequest& request, std::string_view model);

/// One event of the stream.
struct ChatDelta {
  std::string text;  ///< valid UTF-8; may be empty
  bool finished = false;
  bool cut = false;  ///< finish_reason "length"
  int prompt_tokens = 0;
  int cached_tokens = 0;  ///< of them
  int tokens = 0;
};
/// Errors: kInvalid: not a chat chunk; kUnavailable: the engine tells an error.
Result<ChatDelta> decode_delta(std::string_view data);

/// Which of the choices `answer` is: as the schema has it, or word for word.
std::optional<std::string> choice_in(std::string_view answer,
                                     const std::vector<std::string>& choices);

/// What a status other than 200 means, with the key to mend.
Error status_error(int status);

}  // namespace yyc3::inference
