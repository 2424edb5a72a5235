// What the recogniser over a transcription API does beyond the port's contract.

#include "engine/speech/engine_test_doubles.hpp"
#include "engine/speech/grammars.hpp"
#include "engine/text/test_tables.hpp"

namespace yyc3::speech::testing {
namespace {

TEST_CASE("a decode is a form with model, language and key, as OpenAI-compatible engines take it") {
  Rig<HttpDouble> rig;
  rig.engine->config.model = "large-v3";
  rig.engine->config.bearer = "secret";
  rig.open();
  rig.say(0, 50, 5000);
  rig.decode(0, 4000);
  REQUIRE(rig.eventually([&] { return rig.notes.texts.size() == 1; }));
  const net::HttpRequest& sent = rig.engine->last;
  CHECK(sent.method == "POST");
  CHECK(sent.path == "/v1/audio/transcriptions");
  CHECK(sent.headers.get("Authorization") == "Bearer secret");
  CHECK(sent.headers.get("Content-Type")->starts_with("multipart/form-data; boundary="));
  for (const char* field :
       {"name=\"model\"\r\n\r\nlarge-v3\r\n", "name=\"language\"\r\n\r\nzh\r\n",
        "name=\"response_format\"\r\n\r\njson\r\n", "name=\"file\"; filename=\"speech.wav\"\r\n"}) {
    CAPTURE(field);
    CHECK(sent.body.find(field) != std::string::npos);
  }
}

TEST_CASE("what an engine answers instead of a text says what to mend") {
  struct Case {
    int status;
    const char* body;
    ErrorCode code;
    const char* word;
  };
  const Case cases[] = {
      {401, "", ErrorCode::kDenied, "speech.hear_key_file"},
      {403, "", ErrorCode::kDenied, "speech.hear_key_file"},
      {404, "", ErrorCode::kInvalid, "speech.hear_model"},
      {400, "", ErrorCode::kInvalid, "400"},
      {429, "", ErrorCode::kBusy, "busy"},
      {503, "", ErrorCode::kUnavailable, "503"},
      {0, "<html>hello</html>", ErrorCode::kInvalid, "speech.hear_url"},
      {0, R"({"text":7})", ErrorCode::kInvalid, "speech.hear_url"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.status);
    CAPTURE(c.body);
    Rig<HttpDouble> rig;
    rig.engine->status = c.status;
    rig.engine->body = c.body;
    rig.open();
    rig.say(0, 50, 5000);
    rig.decode(0, 4000);
    REQUIRE(rig.eventually([&] { return rig.notes.failures.size() == 1; }));
    const Error& error = rig.notes.failures.front().second;
    CHECK(error.code == c.code);
    CHECK(error.detail.find(c.word) != std::string::npos);
  }
}

TEST_CASE("requests at once and those that wait are bounded") {
  Rig<HttpDouble> rig;
  rig.engine->config.at_once = 2;
  rig.engine->config.queue_max = 3;
  rig.set(EngineDouble::Mode::kHold);
  rig.open();
  rig.say(0, 50, 5000);
  for (int i = 0; i < 5; ++i) rig.decode(0, 4000);
  const JobNumber sixth = rig.decode(0, 4000);
  REQUIRE(rig.eventually([&] { return rig.notes.failures.size() == 1; }));
  CHECK(rig.notes.failures.front().first == sixth);
  CHECK(rig.notes.failures.front().second.code == ErrorCode::kBusy);
  rig.set(EngineDouble::Mode::kAnswer);
  REQUIRE(rig.eventually([&] { return rig.notes.texts.size() == 5; }));
  CHECK(rig.engine->most_at_once == 2);
}

TEST_CASE("an engine that keeps failing is left alone, then tried again") {
  Rig<HttpDouble> rig;
  rig.engine->config.breaker = {2, 1, Milliseconds{200}};
  rig.set(EngineDouble::Mode::kFail);
  rig.open();
  rig.say(0, 50, 5000);
  for (std::size_t i = 1; i <= 2; ++i) {
    rig.decode(0, 4000);
    REQUIRE(rig.eventually([&] { return rig.notes.failures.size() == i; }));
  }
  REQUIRE(rig.eventually([&] { return !rig.port->available(); }));
  rig.set(EngineDouble::Mode::kAnswer);
  REQUIRE(rig.eventually([&] {
    if (rig.notes.texts.empty()) {
      DecodeSpec spec;
      spec.to_sample = 4000;
      rig.port->decode(rig.stream, spec);
    }
    return !rig.notes.texts.empty();
  }));
  REQUIRE(rig.eventually([&] { return rig.port->available(); }));
  CHECK(rig.notes.availability == std::vector<bool>{false, true});
}

TEST_CASE("a remote text is tidied and held to a closed answer by its sound") {
  struct Case {
    const char* why;
    GrammarKind grammar;
    const char* said;
    const char* heard;
  };
  const Case cases[] = {
      {"simplified, trimmed", GrammarKind::kFree, " 我要還款。\n", "我要还款。"},
      {"a loop is cut", GrammarKind::kFree, "明天下午明天下午明天下午", "明天下午"},
      {"broken UTF-8 is dropped", GrammarKind::kFree, "好的\xE6\x98", "好的"},
      {"punctuation is not compared", GrammarKind::kYesNo, "好的。", "好的"},
      {"a homophone", GrammarKind::kYesNo, "部队", "不对"},
      {"a longer sentence stays", GrammarKind::kYesNo, "等一下，你是谁啊", "等一下，你是谁啊"},
      {"a digit by its sound", GrammarKind::kDigit, "吧", "八"},
      {"an option", GrammarKind::kOptions, "海款", "还款"},
      {"no option", GrammarKind::kOptions, "今天天气不错", "今天天气不错"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.why);
    const auto phrases = phrases_of(c.grammar, Language::kChinese, {"账单", "还款"});
    const auto tables = text::test_tables();
    const auto tidy = tidy_text(tables, Language::kChinese, c.said);
    CHECK(hold_to(tables, phrases, tidy.text) == c.heard);
  }
  Rig<HttpDouble> rig;
  rig.engine->config.tables = text::test_tables();
  rig.engine->text = "部队。";
  rig.open();
  rig.say(0, 50, 5000);
  DecodeSpec spec;
  spec.to_sample = 4000;
  spec.grammar = GrammarKind::kYesNo;
  rig.calling([&] { rig.port->decode(rig.stream, spec); });
  REQUIRE(rig.eventually([&] { return rig.notes.texts.size() == 1; }));
  CHECK(rig.notes.texts.front().second.text == "不对");
}

}  // namespace
}  // namespace yyc3::speech::testing
