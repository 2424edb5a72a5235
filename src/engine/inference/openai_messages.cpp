#include "engine/inference/openai_messages.hpp"

#include <algorithm>
#include <utility>

#include "base/bytes.hpp"
#include "base/json.hpp"

namespace yyc3::inference {

namespace {

constexpr int kTokensMax = 4096;
constexpr std::size_t kChoiceBytesMax = 512;
constexpr std::size_t kConversationBytesMax = 128;
constexpr Milliseconds kTotalMax{300'000};

const char* name_of(Role role) {
  switch (role) {
    case Role::kSystem:
      return "system";
    case Role::kUser:
      return "user";
    case Role::kAssistant:
      return "assistant";
  }
  return "user";
}

int count_field(const json::value& object, std::string_view key) {
  return static_cast<int>(std::clamp<std::int64_t>(int_field(object, key).value_or(0), 0, 1 << 30));
}

json::object choice_format(const std::vector<std::string>& choices) {
  const json::object property{{"type", "string"},
                              {"enum", json::array(choices.begin(), choices.end())}};
  const json::object schema{{"type", "object"},
                            {"properties", json::object{{"choice", property}}},
                            {"required", json::array{"choice"}},
                            {"additionalProperties", false}};
  return {{"type", "json_schema"},
          {"json_schema", json::object{{"name", "choice"}, {"strict", true}, {"schema", schema}}}};
}

}  // namespace

Result<void> check(const ChatRequest& request) {
  const auto bad = [](const char* why) { return fail(ErrorCode::kInvalid, why); };
  if (request.messages.empty() || request.messages.size() > ChatModel::kMessagesMax)
    return bad("messages: 1 to 64 are needed");
  std::size_t bytes = 0;
  for (const ChatMessage& message : request.messages) {
    if (!is_utf8(message.text)) return bad("messages: a text is not UTF-8");
    bytes += message.text.size();
  }
  if (bytes > ChatModel::kTextBytesMax) return bad("messages: longer than 64 KiB");
  const std::size_t choices = request.choices.size();
  if (choices == 1 || choices > ChatModel::kChoicesMax) return bad("choices: none, or 2 to 32");
  for (const std::string& choice : request.choices)
    if (choice.empty() || choice.size() > kChoiceBytesMax || !is_utf8(choice))
      return bad("choices: each of 1 to 512 bytes of UTF-8");
  if (request.tokens_max < 1 || request.tokens_max > kTokensMax)
    return bad("tokens_max: 1 to 4096");
  if (!(request.temperature >= 0 && request.temperature <= 2)) return bad("temperature: 0 to 2");
  if (request.first_token.count() < 1 || request.total < request.first_token)
    return bad("first_token: at least 1 ms, and no more than total");
  if (request.total > kTotalMax) return bad("total: at most 300 s");
  if (request.conversation.size() > kConversationBytesMax || !is_utf8(request.conversation))
    return bad("conversation: at most 128 bytes of UTF-8");
  return {};
}

std::string encode(const ChatRequest& request, std::string_view model) {
  json::array messages;
  for (const ChatMessage& message : request.messages)
    messages.push_back(json::object{{"role", name_of(message.role)}, {"content", message.text}});
  json::object body{{"model", model},
                    {"messages", std::move(messages)},
                    {"max_tokens", request.tokens_max},
                    {"temperature", request.temperature},
                    {"stream", true},
                    {"stream_options", json::object{{"include_usage", true}}}};
  if (!request.conversation.empty()) body["prompt_cache_key"] = request.conversation;
  if (!request.choices.empty()) body["response_format"] = choice_format(request.choices);
  return json::serialize(body);
}

Result<ChatDelta> decode_delta(std::string_view data) {
  const auto body = parse_json(data);
  if (!body || !body->is_object()) return fail(ErrorCode::kInvalid, "no JSON in the stream");
  if (const json::value* error = find_field(*body, "error"); error != nullptr && !error->is_null())
    return fail(ErrorCode::kUnavailable, "the engine fails in the middle");
  ChatDelta delta;
  if (const json::value* usage = find_field(*body, "usage")) {
    delta.prompt_tokens = count_field(*usage, "prompt_tokens");
    if (const json::value* details = find_field(*usage, "prompt_tokens_details"))
      delta.cached_tokens = count_field(*details, "cached_tokens");
    delta.tokens = count_field(*usage, "completion_tokens");
  }
  const json::value* choices = find_field(*body, "choices");
  if (choices == nullptr || !choices->is_array()) {
    if (delta.prompt_tokens > 0) return delta;
    return fail(ErrorCode::kInvalid, "no choices in the stream");
  }
  if (choices->get_array().empty()) return delta;  // usage comes alone, last
  const json::value& first = choices->get_array().front();
  if (const json::value* content = find_field(first, "delta"))
    delta.text = sanitize_utf8(string_field(*content, "content").value_or(""));
  const auto reason = string_field(first, "finish_reason");
  delta.finished = reason && !reason->empty();
  delta.cut = reason == "length";
  return delta;
}

std::optional<std::string> choice_in(std::string_view answer,
                                     const std::vector<std::string>& choices) {
  std::string said(answer);
  if (const auto parsed = parse_json(answer)) said = string_field(*parsed, "choice").value_or(said);
  const std::size_t from = said.find_first_not_of(" \r\n\t");
  if (from == std::string::npos) return std::nullopt;
  said = said.substr(from, said.find_last_not_of(" \r\n\t") + 1 - from);
  const auto found = std::ranges::find(choices, said);
  if (found == choices.end()) return std::nullopt;
  return *found;
}

Error status_error(int status) {
  const std::string told = " (" + std::to_string(status) + ")";
  if (status == 401 || status == 403)
    return {ErrorCode::kDenied, "the engine refuses our key" + told + ": mend language.key_file"};
  if (status == 404)
    return {ErrorCode::kInvalid, "the engine has no such path or model" + told +
                                     ": mend language.url or language.model"};
  if (status == 429) return {ErrorCode::kBusy, "the engine is busy" + told};
  if (status >= 500) return {ErrorCode::kUnavailable, "the engine fails" + told};
  return {ErrorCode::kInvalid, "the engine refuses the request" + told + ": its log says why"};
}

}  // namespace yyc3::inference
