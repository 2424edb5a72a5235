#include "language/chat_body.hpp"

#include <array>
#include <fmt/format.h>

#include "base/bytes.hpp"

namespace yyc3::language {

namespace {

constexpr std::size_t kMessagesMax = 64;
constexpr std::size_t kTextBytesMax = 64u << 10;
constexpr std::int64_t kTokensMax = 4096;
constexpr std::size_t kKeyBytesMax = 128;

tl::unexpected<Error> bad(std::string why) { return fail(ErrorCode::kInvalid, std::move(why)); }

/// The text of a message: a string, or a list of parts of type "text".
Result<std::string> text_of(const json::value& message) {
  const json::value* content = find_field(message, "content");
  if (content != nullptr && content->is_string()) return std::string(content->get_string());
  if (content == nullptr || !content->is_array()) return bad("messages: content: a text is needed");
  std::string out;
  for (const json::value& part : content->get_array()) {
    const auto text = string_field(part, "text");
    if (string_field(part, "type") != "text" || !text)
      return bad("messages: content: only parts of type text are read here");
    out += *text;
  }
  return out;
}

Result<std::vector<PromptMessage>> read_messages(const json::value& body) {
  const json::value* list = find_field(body, "messages");
  if (list == nullptr || !list->is_array() || list->get_array().empty() ||
      list->get_array().size() > kMessagesMax)
    return bad("messages: a list of 1 to 64 is needed");
  std::vector<PromptMessage> out;
  std::size_t bytes = 0;
  for (const json::value& each : list->get_array()) {
    std::string role = string_field(each, "role").value_or("");
    if (role == "developer") role = "system";
    if (role != "system" && role != "user" && role != "assistant")
      return bad("messages: role: system, user or assistant");
    auto text = text_of(each);
    if (!text) return tl::unexpected<Error>(text.error());
    bytes += text->size();
    if (bytes > kTextBytesMax) return bad("messages: longer than 64 KiB");
    out.push_back({std::move(role), std::move(*text)});
  }
  return out;
}

Result<void> read_format(const json::value& body, ChatBody& out) {
  const json::value* format = find_field(body, "response_format");
  if (format == nullptr || format->is_null()) return {};
  const std::string type = string_field(*format, "type").value_or("");
  if (type == "text") return {};
  if (type == "json_object") {
    out.grammar = grammar_of_any_object();
    return {};
  }
  const json::value* named = find_field(*format, "json_schema");
  const json::value* schema = named == nullptr ? nullptr : find_field(*named, "schema");
  if (type != "json_schema" || schema == nullptr)
    return bad("response_format: type text, json_object, or json_schema with json_schema.schema");
  out.choice = choice_schema(*schema);
  if (out.choice) return {};
  auto grammar = grammar_of(*schema);
  if (!grammar) return bad("response_format: " + grammar.error().detail);
  out.grammar = std::move(*grammar);
  return {};
}

/// What would be answered otherwise than was asked.
Result<void> refuse_what_is_not_done(const json::value& body) {
  for (const char* field : {"tools", "functions", "stop", "logit_bias", "audio"}) {
    const json::value* at = find_field(body, field);
    if (at != nullptr && !at->is_null() && !(at->is_array() && at->get_array().empty()))
      return bad(fmt::format("{}: not done here; leave it out", field));
  }
  if (int_field(body, "n").value_or(1) != 1) return bad("n: one answer at a time");
  if (bool_field(body, "logprobs").value_or(false)) return bad("logprobs: not done here");
  return {};
}

Result<void> read_numbers(const json::value& body, ChatBody& out) {
  const std::int64_t tokens =
      int_field(body, "max_completion_tokens")
          .value_or(
              int_field(body, "max_tokens").value_or(static_cast<std::int64_t>(out.tokens_max)));
  if (tokens < 1 || tokens > kTokensMax) return bad("max_tokens: 1 to 4096");
  out.tokens_max = static_cast<std::size_t>(tokens);
  out.temperature = number_field(body, "temperature").value_or(out.temperature);
  if (!(out.temperature >= 0 && out.temperature <= 2)) return bad("temperature: 0 to 2");
  out.top_p = number_field(body, "top_p").value_or(out.top_p);
  if (!(out.top_p > 0 && out.top_p <= 1)) return bad("top_p: over 0, to 1");
  out.seed = static_cast<std::uint32_t>(int_field(body, "seed").value_or(0));
  return {};
}

json::object frame_of(const ChatFrame& frame, const char* object) {
  return {
      {"id", frame.id}, {"object", object}, {"created", frame.created_s}, {"model", frame.model}};
}

json::object usage_of(const Generated& made) {
  return {{"prompt_tokens", made.prompt_tokens},
          {"completion_tokens", made.tokens},
          {"total_tokens", made.prompt_tokens + made.tokens},
          {"prompt_tokens_details", json::object{{"cached_tokens", made.kept_tokens}}}};
}

std::string event(const json::object& data) { return "data: " + json::serialize(data) + "\n\n"; }

/// A JSON text without its quotation marks.
std::string escaped(std::string_view text) {
  const std::string whole = json::serialize(json::value(text));
  return whole.substr(1, whole.size() - 2);
}

}  // namespace

Result<ChatBody> read_chat(std::string_view text) {
  const auto body = parse_json(text);
  if (!body) return tl::unexpected<Error>(body.error());
  if (!body->is_object()) return bad("an object is needed");
  ChatBody out;
  auto messages = read_messages(*body);
  if (!messages) return tl::unexpected<Error>(messages.error());
  out.messages = std::move(*messages);
  for (const auto& read :
       {refuse_what_is_not_done(*body), read_numbers(*body, out), read_format(*body, out)})
    if (!read) return tl::unexpected<Error>(read.error());
  out.stream = bool_field(*body, "stream").value_or(false);
  if (const json::value* options = find_field(*body, "stream_options"))
    out.usage_in_stream = bool_field(*options, "include_usage").value_or(false);
  out.conversation = string_field(*body, "prompt_cache_key").value_or("");
  if (out.conversation.size() > kKeyBytesMax) return bad("prompt_cache_key: at most 128 bytes");
  return out;
}

std::string chunk(const ChatFrame& frame, std::string_view text, const char* finish_reason) {
  json::object data = frame_of(frame, "chat.completion.chunk");
  json::object delta;
  if (!text.empty()) delta["content"] = text;
  json::value reason;
  if (finish_reason != nullptr) reason = finish_reason;
  data["choices"] = json::array{json::object{
      {"index", 0}, {"delta", std::move(delta)}, {"finish_reason", std::move(reason)}}};
  return event(data);
}

std::string usage_chunk(const ChatFrame& frame, const Generated& made) {
  json::object data = frame_of(frame, "chat.completion.chunk");
  data["choices"] = json::array();
  data["usage"] = usage_of(made);
  return event(data);
}

std::string error_chunk(const Error& error) {
  return event({{"error", json::object{{"message", error.detail}}}});
}

std::string completion(const ChatFrame& frame, std::string_view text, const Generated& made) {
  json::object body = frame_of(frame, "chat.completion");
  body["choices"] =
      json::array{json::object{{"index", 0},
                               {"message", json::object{{"role", "assistant"}, {"content", text}}},
                               {"finish_reason", made.cut ? "length" : "stop"}}};
  body["usage"] = usage_of(made);
  return json::serialize(body);
}

std::string before_choice(const ChoiceSchema& schema) {
  return "{\"" + escaped(schema.field) + "\":\"";
}

std::string choice_and_end(const ChoiceSchema& schema, std::size_t choice) {
  return escaped(schema.choices[choice]) + "\"}";
}

std::string choice_text(const ChoiceSchema& schema, std::size_t choice) {
  return before_choice(schema) + choice_and_end(schema, choice);
}

}  // namespace yyc3::language
