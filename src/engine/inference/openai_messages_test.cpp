#include "engine/inference/openai_messages.hpp"

#include <doctest/doctest.h>
#include <functional>

#include "base/json.hpp"

namespace yyc3::inference {
namespace {

ChatRequest question() {
  ChatRequest request;
  request.messages = {{Role::kSystem, "你是客服。"}, {Role::kUser, "几点开门？"}};
  return request;
}

TEST_CASE("a request is written as OpenAI-compatible engines take it") {
  ChatRequest request = question();
  request.conversation = "call-1";
  request.choices = {"办理", "不办理"};
  const auto body = parse_json(encode(request, "qwen"));
  REQUIRE(body);
  CHECK(string_field(*body, "model") == "qwen");
  CHECK(bool_field(*body, "stream") == true);
  CHECK(int_field(*body, "max_tokens") == 40);
  CHECK(string_field(*body, "prompt_cache_key") == "call-1");
  const json::array& messages = body->at("messages").get_array();
  REQUIRE(messages.size() == 2);
  CHECK(string_field(messages[0], "role") == "system");
  CHECK(string_field(messages[1], "content") == "几点开门？");
  const json::value& schema = body->at("response_format").at("json_schema").at("schema");
  CHECK(json::serialize(schema.at("properties").at("choice").at("enum")) == R"(["办理","不办理"])");
  CHECK(find_field(*parse_json(encode(question(), "qwen")), "response_format") == nullptr);
}

TEST_CASE("a request outside its bounds names the field") {
  struct Case {
    const char* field;
    std::function<void(ChatRequest&)> spoil;
  };
  const Case cases[] = {
      {"messages", [](ChatRequest& r) { r.messages.clear(); }},
      {"messages", [](ChatRequest& r) { r.messages.resize(65); }},
      {"messages", [](ChatRequest& r) { r.messages[0].text = "\xFF"; }},
      {"messages", [](ChatRequest& r) { r.messages[0].text.assign(65'537, 'x'); }},
      {"choices", [](ChatRequest& r) { r.choices = {"one"}; }},
      {"choices", [](ChatRequest& r) { r.choices = {"one", ""}; }},
      {"choices", [](ChatRequest& r) { r.choices.assign(33, "x"); }},
      {"tokens_max", [](ChatRequest& r) { r.tokens_max = 0; }},
      {"temperature", [](ChatRequest& r) { r.temperature = -1; }},
      {"first_token", [](ChatRequest& r) { r.first_token = Milliseconds{0}; }},
      {"first_token", [](ChatRequest& r) { r.total = Milliseconds{1}; }},
      {"total", [](ChatRequest& r) { r.total = Milliseconds{300'001}; }},
      {"conversation", [](ChatRequest& r) { r.conversation = "\xFF"; }},
      {"conversation", [](ChatRequest& r) { r.conversation.assign(129, 'x'); }},
  };
  CHECK(check(question()));
  for (const Case& c : cases) {
    ChatRequest request = question();
    c.spoil(request);
    const auto checked = check(request);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == ErrorCode::kInvalid);
    CHECK(checked.error().detail.find(c.field) != std::string::npos);
  }
}

TEST_CASE("events of the stream are read, whoever made them") {
  const auto text =
      decode_delta(R"({"choices":[{"delta":{"content":"你"},"finish_reason":null}]})");
  REQUIRE(text);
  CHECK(text->text == "你");
  CHECK_FALSE(text->finished);
  const auto role = decode_delta(R"({"choices":[{"delta":{"role":"assistant"}}]})");
  REQUIRE(role);
  CHECK(role->text.empty());
  const auto end = decode_delta(R"({"choices":[{"delta":{},"finish_reason":"length"}]})");
  REQUIRE(end);
  CHECK(end->finished);
  CHECK(end->cut);
  const auto usage =
      decode_delta(R"({"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3,)"
                   R"("prompt_tokens_details":{"cached_tokens":10}}})");
  REQUIRE(usage);
  CHECK(usage->prompt_tokens == 12);
  CHECK(usage->cached_tokens == 10);
  CHECK(usage->tokens == 3);
  for (const char* bad : {"", "x", "[]", "{}", R"({"choices":7})"}) {
    INFO(bad);
    const auto refused = decode_delta(bad);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::kInvalid);
  }
  for (const char* odd : {R"({"choices":[7]})", R"({"choices":[{"delta":7,"finish_reason":7}]})",
                          R"({"choices":[{"delta":{"content":7}}],"error":null})",
                          R"({"choices":[{"delta":{},"finish_reason":""}]})"}) {
    INFO(odd);
    const auto taken = decode_delta(odd);
    REQUIRE(taken);
    CHECK(taken->text.empty());
    CHECK_FALSE(taken->finished);
  }
  const auto broken = decode_delta(R"({"error":{"message":"no such thing: I am Ms Wang"}})");
  REQUIRE_FALSE(broken);
  CHECK(broken.error().code == ErrorCode::kUnavailable);
  CHECK(broken.error().detail.find("Wang") == std::string::npos);  // an error is logged
}

TEST_CASE("a choice is one of those given, by the schema or word for word") {
  const std::vector<std::string> choices{"办理", "不办理"};
  CHECK(choice_in(R"({"choice":"不办理"})", choices) == "不办理");
  CHECK(choice_in(" 办理\n", choices) == "办理");
  CHECK_FALSE(choice_in("我想办理", choices));
  CHECK_FALSE(choice_in(R"({"choice":"取消"})", choices));
  CHECK_FALSE(choice_in("", choices));
}

TEST_CASE("a status says what to mend") {
  CHECK(status_error(401).detail.find("language.key_file") != std::string::npos);
  CHECK(status_error(401).code == ErrorCode::kDenied);
  CHECK(status_error(404).detail.find("language.model") != std::string::npos);
  CHECK(status_error(429).code == ErrorCode::kBusy);
  CHECK(status_error(503).code == ErrorCode::kUnavailable);
  CHECK(status_error(400).code == ErrorCode::kInvalid);
  CHECK(status_error(400).detail.find("400") != std::string::npos);
}

}  // namespace
}  // namespace yyc3::inference
