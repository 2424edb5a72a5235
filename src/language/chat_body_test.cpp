#include "language/chat_body.hpp"

#include <doctest/doctest.h>

namespace yyc3::language {
namespace {

std::string why(std::string_view body) {
  const auto read = read_chat(body);
  return read ? "" : read.error().detail;
}

std::string with(const std::string& more) {
  return R"({"messages":[{"role":"user","content":"hi"}],)" + more + "}";
}

Result<std::string> grammar(std::string_view schema) { return grammar_of(*parse_json(schema)); }

TEST_CASE("a chat request is read") {
  const auto body =
      read_chat(R"({"model":"any","stream":true,"stream_options":{"include_usage":true},
    "messages":[{"role":"system","content":"be brief"},
                {"role":"user","content":[{"type":"text","text":"你"},{"type":"text","text":"好"}]}],
    "max_tokens":40,"temperature":0.5,"top_p":0.9,"seed":7,"prompt_cache_key":"call-1"})");
  REQUIRE_MESSAGE(body, body.error().detail);
  REQUIRE(body->messages.size() == 2);
  CHECK(body->messages[0].role == "system");
  CHECK(body->messages[1].text == "你好");
  CHECK(body->tokens_max == 40);
  CHECK(body->temperature == doctest::Approx(0.5));
  CHECK(body->top_p == doctest::Approx(0.9));
  CHECK(body->seed == 7);
  CHECK(body->stream);
  CHECK(body->usage_in_stream);
  CHECK(body->conversation == "call-1");
  CHECK(body->grammar.empty());
}

TEST_CASE("what cannot be done is an error that names the field") {
  CHECK(why("{}").starts_with("messages:"));
  CHECK(why(R"({"messages":[{"role":"tool","content":"x"}]})").starts_with("messages: role"));
  CHECK(why(R"({"messages":[{"role":"user","content":[{"type":"image_url"}]}]})")
            .starts_with("messages: content"));
  CHECK(why(with(R"("max_tokens":0)")).starts_with("max_tokens"));
  CHECK(why(with(R"("temperature":3)")).starts_with("temperature"));
  CHECK(why(with(R"("top_p":0)")).starts_with("top_p"));
  CHECK(why(with(R"("n":2)")).starts_with("n:"));
  CHECK(why(with(R"("stop":["x"])")).starts_with("stop:"));
  CHECK(why(with(R"("tools":[{}])")).starts_with("tools:"));
  CHECK(why(with(R"("tools":[],"stop":null,"n":1)")).empty());
  CHECK(why(with(R"("response_format":{"type":"xml"})")).starts_with("response_format:"));
  CHECK(
      why(with(
              R"("response_format":{"type":"json_schema","json_schema":{"schema":{"type":"string","pattern":"x"}}})"))
          .find("\"pattern\" is not understood") != std::string::npos);
  CHECK(why(with("\"prompt_cache_key\":\"" + std::string(129, 'x') + "\""))
            .starts_with("prompt_cache_key"));
  CHECK(why(R"({"messages":[{"role":"user","content":")" + std::string(70'000, 'x') + "\"}]}")
            .starts_with("messages: longer"));
}

TEST_CASE("one of several is told from other schemas") {
  const auto body = read_chat(with(
      R"("response_format":{"type":"json_schema","json_schema":{"name":"c","schema":{"type":"object",
      "properties":{"choice":{"type":"string","enum":["退订","say \"no\"","退订"]}},"required":["choice"]}}})"));
  REQUIRE_MESSAGE(body, body.error().detail);
  REQUIRE(body->choice);
  REQUIRE(body->choice->choices.size() == 2);
  CHECK(choice_text(*body->choice, 0) == R"({"choice":"退订"})");
  CHECK(choice_text(*body->choice, 1) == R"({"choice":"say \"no\""})");
  CHECK_FALSE(
      choice_schema(*parse_json(R"({"type":"object","properties":{"a":{"type":"string"}}})")));
  CHECK(before_choice(*body->choice) + choice_and_end(*body->choice, 1) ==
        choice_text(*body->choice, 1));
  CHECK_FALSE(choice_schema(
      *parse_json(R"({"type":"object","properties":{"a":{"enum":["x"]},"b":{"enum":["y"]}}})")));
}

TEST_CASE("schemas become grammars") {
  const auto rule = [](std::string_view schema) {
    const auto made = grammar(schema);
    REQUIRE_MESSAGE(made, made.error().detail);
    return made->substr(0, made->find('\n'));
  };
  CHECK(rule(R"({"type":"string","maxLength":4})") == R"(root ::= "\"" char{0,4} "\"")");
  CHECK(rule(R"({"enum":["a\"b",1,null]})") == R"(root ::= ("\"a\\\"b\"" | "1" | "null"))");
  CHECK(rule(R"({"type":"object","properties":{"day":{"type":"string"},"hour":{"type":"integer"}},
                 "required":["day"],"additionalProperties":false})") ==
        R"(root ::= "{" "\"day\"" ":" "\"" char{0,512} "\"" ("," "\"hour\"" ":" integer)? "}")");
  CHECK(rule(R"({"type":"array","items":{"type":"boolean"},"minItems":1,"maxItems":3})") ==
        R"(root ::= "[" boolean ("," boolean){0,2} "]")");
  CHECK(rule(R"({"anyOf":[{"type":"null"},{"type":"number"}]})") == "root ::= (null | number)");
}

TEST_CASE("hostile schemas are refused") {
  CHECK_FALSE(grammar("[]"));
  CHECK_FALSE(grammar(R"({"type":"object","properties":{}})"));
  CHECK_FALSE(grammar(R"({"type":"object","properties":{"a":{"type":"null"}}})"));
  CHECK_FALSE(grammar(R"({"type":"array"})"));
  CHECK_FALSE(grammar(R"({"type":"array","items":{"type":"null"},"maxItems":1000})"));
  CHECK_FALSE(grammar(R"({"type":"string","minLength":9,"maxLength":3})"));
  CHECK_FALSE(grammar(R"({"enum":[{}]})"));
  CHECK_FALSE(grammar(
      R"({"type":"object","properties":{"a":{"type":"null"}},"required":["a"],"additionalProperties":true})"));
  std::string deep = R"({"type":"null"})";
  for (int i = 0; i < 12; ++i) deep.insert(0, R"({"type":"array","items":)").append("}");
  CHECK_FALSE(grammar(deep));
}

TEST_CASE("events of the stream are what clients of the protocol read") {
  const ChatFrame frame{"chatcmpl-1", "m", 1'800'000'000};
  const std::string one = chunk(frame, "你好", nullptr);
  REQUIRE(one.starts_with("data: "));
  REQUIRE(one.ends_with("\n\n"));
  const auto data = *parse_json(one.substr(6));
  const json::value& first = find_field(data, "choices")->get_array().front();
  CHECK(string_field(*find_field(first, "delta"), "content") == "你好");
  CHECK(find_field(first, "finish_reason")->is_null());
  Generated made;
  made.prompt_tokens = 30;
  made.kept_tokens = 20;
  made.tokens = 4;
  made.cut = true;
  const auto body = *parse_json(completion(frame, "好", made));
  CHECK(string_field(find_field(body, "choices")->get_array().front(), "finish_reason") ==
        "length");
  CHECK(int_field(*find_field(body, "usage"), "total_tokens") == 34);
}

}  // namespace
}  // namespace yyc3::language
