#include "engine/inference/openai_chat.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <utility>

#include "base/json.hpp"
#include "platform/net/http_server.hpp"
#include "platform/net/loop_test_support.hpp"

namespace yyc3::inference {
namespace {

std::string event(std::string_view content) {
  const json::object delta{{"content", content}};
  const json::object choice{{"delta", delta}, {"finish_reason", nullptr}};
  return "data: " + json::serialize(json::object{{"choices", json::array{choice}}}) + "\n\n";
}

const std::string kEnd =
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":3}}\n\n"
    "data: [DONE]\n\n";
const std::string kHold = "hold";  // as a piece: nothing comes until it is let go
const std::string kTear = "tear";  // … the connection breaks

/// An engine that streams what it is told to, and what was asked of it.
struct Engine {
  telemetry::NullLog log;
  telemetry::Registry metrics;
  ManualClock clock;  // of the breaker; deadlines are timers
  std::vector<std::string> pieces{event("您好"), event("，我是云杉。"), kEnd};
  int status = 200;
  bool held = true;
  net::HttpRequest last;
  int asked = 0;
  int left = 0;                           ///< clients that went away in the middle
  net::EventLoop loop{"chat test", log};  // its thread uses what is above
  std::unique_ptr<net::HttpServer> server;

  struct Stream {
    explicit Stream(Engine& e) : engine(e), pieces(e.pieces) {}
    ~Stream() { engine.left += whole ? 0 : 1; }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    Engine& engine;
    std::vector<std::string> pieces;
    std::size_t at = 0;
    bool whole = false;
  };

  Engine() {
    on_loop([this] {
      net::HttpHandler handler = [this](net::HttpRequest request) {
        return answer(std::move(request));
      };
      auto started = net::HttpServer::start(loop.executor(), {}, std::move(handler), log);
      REQUIRE(started);
      server = std::move(*started);
    });
  }
  net::Task<net::HttpResponse> answer(net::HttpRequest request) {
    last = std::move(request);
    ++asked;
    if (status != 200) co_return net::HttpResponse(status);
    const auto stream = std::make_shared<Stream>(*this);
    net::BodySource source = [stream] { return next(stream); };
    co_return net::HttpResponse::stream(200, "text/event-stream", std::move(source));
  }
  static net::Task<Result<std::string>> next(std::shared_ptr<Stream> stream) {
    while (stream->at < stream->pieces.size()) {
      const std::string piece = stream->pieces[stream->at];
      if (piece == kHold) {
        while (stream->engine.held) co_await net::sleep_for(Milliseconds{2});
        ++stream->at;
        continue;
      }
      ++stream->at;
      if (piece == kTear) co_return fail(ErrorCode::kUnavailable, "torn");
      co_return piece;
    }
    stream->whole = true;
    co_return std::string();
  }

  void on_loop(const std::function<void()>& f) { net::testing::on_loop(loop, f); }
  bool eventually(const std::function<bool()>& done) {
    return net::testing::eventually_on(loop, done);
  }
};

struct Notes final : ChatSink {
  void on_piece(ChatNumber, std::string_view text) override {
    CHECK_FALSE(inside);
    pieces.emplace_back(text);
    if (then) then();
  }
  void on_answer(ChatNumber number, const ChatAnswer& answer) override {
    CHECK_FALSE(inside);
    answers.emplace_back(number, answer);
  }
  void on_failed(ChatNumber number, const Error& error) override {
    CHECK_FALSE(inside);
    failures.emplace_back(number, error);
  }
  std::vector<std::string> pieces;
  std::vector<std::pair<ChatNumber, ChatAnswer>> answers;
  std::vector<std::pair<ChatNumber, Error>> failures;
  std::function<void()> then;
  bool inside = false;
};

/// One engine, its client and what was told.
struct Rig {
  Engine engine;
  Notes notes;
  OpenAiChatConfig config;
  std::unique_ptr<OpenAiChat> chat;
  ChatRequest request;

  Rig() {
    request.messages = {{Role::kUser, "你是谁？"}};
    request.first_token = Milliseconds{10'000};
    request.total = Milliseconds{15'000};
    config.model = "qwen";
  }
  ~Rig() {
    engine.on_loop([this] { chat.reset(); });
  }
  ChatNumber ask() {
    ChatNumber number = 0;
    engine.on_loop([&] {
      if (!chat) {
        config.endpoint = net::Endpoint::tcp("127.0.0.1", engine.server->port());
        chat = std::make_unique<OpenAiChat>(config, engine.loop, engine.metrics, engine.log,
                                            engine.clock);
      }
      notes.inside = true;
      number = chat->ask(request, notes);
      notes.inside = false;
    });
    return number;
  }
  /// The `count`-th failure.
  Error failure(std::size_t count = 1) {
    REQUIRE(engine.eventually([&] { return notes.failures.size() == count; }));
    return notes.failures.back().second;
  }
  void fail_times(int times) {
    for (int i = 0; i < times; ++i) {
      const std::size_t before = notes.failures.size();
      ask();
      static_cast<void>(failure(before + 1));
    }
  }
};

TEST_CASE("an answer comes in pieces, then whole, with what it cost") {
  Rig rig;
  rig.config.bearer = "secret";
  const ChatNumber number = rig.ask();
  REQUIRE(rig.engine.eventually([&] { return rig.notes.answers.size() == 1; }));
  CHECK(rig.notes.pieces == std::vector<std::string>{"您好", "，我是云杉。"});
  const auto& [told, answer] = rig.notes.answers[0];
  CHECK(told == number);
  CHECK(answer.text == "您好，我是云杉。");
  CHECK_FALSE(answer.cut);
  CHECK(answer.prompt_tokens == 12);
  CHECK(answer.tokens == 3);
  CHECK(rig.engine.last.path == "/v1/chat/completions");
  CHECK(rig.engine.last.headers.get("Authorization") == "Bearer secret");
  CHECK(rig.notes.failures.empty());
}

TEST_CASE("a choice is told whole; what was not to be chosen is an error") {
  Rig rig;
  rig.request.choices = {"办理", "不办理"};
  rig.engine.pieces = {event("{\"choice\":"), event("\"不办理\"}"), kEnd};
  rig.ask();
  REQUIRE(rig.engine.eventually([&] { return rig.notes.answers.size() == 1; }));
  CHECK(rig.notes.pieces.empty());
  CHECK(rig.notes.answers[0].second.text == "不办理");
  rig.engine.pieces = {event("取消"), kEnd};
  rig.ask();
  CHECK(rig.failure().code == ErrorCode::kInvalid);
}

TEST_CASE("what is no answer says what it is") {
  struct Case {
    std::vector<std::string> pieces;
    ErrorCode code;
    const char* word;
  };
  const Case cases[] = {
      {{"<html>hello</html>"}, ErrorCode::kInvalid, "language.url"},
      {{"data: <html>\n\n"}, ErrorCode::kInvalid, "JSON"},
      {{event("您"), "data: {\"error\":\"out of memory\"}\n\n"}, ErrorCode::kUnavailable, "fails"},
      {{event("您")}, ErrorCode::kUnavailable, "broke off"},
      {{event("您"), kTear}, ErrorCode::kUnavailable, "language.url"},
      {{event(std::string(40'000, 'x')), event(std::string(40'000, 'x'))},
       ErrorCode::kInvalid,
       "64 KiB"},
  };
  for (const Case& c : cases) {
    INFO(c.word);
    Rig rig;
    rig.engine.pieces = c.pieces;
    rig.ask();
    CHECK(rig.failure().code == c.code);
    CHECK(rig.failure().detail.find(c.word) != std::string::npos);
    CHECK(rig.notes.answers.empty());
  }
  Rig rig;
  rig.engine.status = 401;
  rig.ask();
  CHECK(rig.failure().code == ErrorCode::kDenied);
}

TEST_CASE("an engine that does not begin in time, or does not end, is left") {
  for (const bool begins : {false, true}) {
    INFO(begins);
    Rig rig;
    rig.engine.pieces = {kHold, kEnd};
    if (begins) rig.engine.pieces.insert(rig.engine.pieces.begin(), event("您"));
    rig.request.first_token = Milliseconds{begins ? 2'000 : 500};
    rig.request.total = Milliseconds{begins ? 2'000 : 15'000};
    rig.ask();
    const Error error = rig.failure();
    CHECK(error.code == ErrorCode::kTimeout);
    CHECK(error.detail.find(begins ? "language.total_ms" : "language.first_token_ms") !=
          std::string::npos);
    CHECK(rig.notes.pieces.size() == (begins ? 1 : 0));
    CHECK(rig.engine.eventually([&] { return rig.engine.left == 1; }));
    CHECK(rig.notes.failures.size() == 1);
  }
}

TEST_CASE("who cancels is told nothing more, also from inside a piece, and the engine stops") {
  for (const bool inside : {false, true}) {
    INFO(inside);
    Rig rig;
    rig.engine.pieces = {event("您"), event("好"), kHold, kEnd};
    if (inside) rig.notes.then = [&] { rig.chat->cancel(1); };
    const ChatNumber number = rig.ask();
    REQUIRE(number == 1);
    if (!inside) {
      REQUIRE(rig.engine.eventually([&] { return rig.notes.pieces.size() == 2; }));
      rig.engine.on_loop([&] { rig.chat->cancel(number); });
    }
    CHECK(rig.engine.eventually([&] { return rig.engine.left == 1; }));
    CHECK(rig.notes.pieces.size() == (inside ? 1 : 2));
    CHECK(rig.notes.answers.empty());
    CHECK(rig.notes.failures.empty());
  }
}

TEST_CASE("a bad request and one too many are refused, later, and asked of nobody") {
  Rig rig;
  rig.config.at_once = 1;
  rig.request.tokens_max = 0;
  rig.ask();
  CHECK(rig.failure().code == ErrorCode::kInvalid);
  CHECK(rig.failure().detail.find("tokens_max") != std::string::npos);
  rig.request.tokens_max = 40;
  rig.engine.pieces = {kHold, kEnd};
  rig.ask();
  const ChatNumber second = rig.ask();
  CHECK(rig.failure(2).code == ErrorCode::kBusy);
  CHECK(rig.notes.failures.back().first == second);
  const std::size_t told = rig.notes.failures.size();
  rig.engine.on_loop([&] { rig.chat->cancel(rig.chat->ask(rig.request, rig.notes)); });
  rig.engine.on_loop([] {});
  CHECK(rig.notes.failures.size() == told);
  CHECK(rig.engine.eventually([&] { return rig.engine.asked == 1; }));
}

TEST_CASE("an answer is whole at [DONE] or its finish_reason, whatever the connection does then") {
  Rig rig;
  const std::string finish = kEnd.substr(0, kEnd.find("\n\n") + 2);
  std::size_t answers = 0;
  for (const auto& end : {std::vector<std::string>{"data: [DONE]\n\n", kHold}, {finish, kTear}}) {
    rig.engine.pieces = {event("您好")};
    rig.engine.pieces.insert(rig.engine.pieces.end(), end.begin(), end.end());
    rig.ask();
    ++answers;
    REQUIRE(rig.engine.eventually([&] { return rig.notes.answers.size() == answers; }));
    CHECK(rig.notes.answers.back().second.text == "您好");
  }
}

TEST_CASE("a model that is gone tells nothing, even what had come already") {
  Rig rig;
  rig.engine.pieces = {event("您") + event("好"), kHold, kEnd};
  rig.notes.then = [&] { rig.chat.reset(); };
  rig.ask();
  CHECK(rig.engine.eventually([&] { return rig.engine.left == 1; }));
  CHECK(rig.notes.pieces.size() == 1);
  CHECK(rig.notes.answers.empty());
  CHECK(rig.notes.failures.empty());
}

TEST_CASE("an engine that keeps failing is left alone, then tried again") {
  Rig rig;
  rig.engine.status = 503;
  rig.fail_times(5);
  rig.engine.on_loop([&] { CHECK_FALSE(rig.chat->available()); });
  rig.ask();
  const Error away = rig.failure(6);
  CHECK(away.detail.find("away") != std::string::npos);
  CHECK(away.detail.find("503") != std::string::npos);
  CHECK(rig.engine.asked == 5);
  rig.engine.on_loop([&] {
    rig.engine.clock.advance(Milliseconds{30'000});
    CHECK(rig.chat->available());
  });
  rig.engine.status = 200;
  for (std::size_t i = 1; i <= 2; ++i) {
    rig.ask();
    REQUIRE(rig.engine.eventually([&] { return rig.notes.answers.size() == i; }));
  }
  CHECK(rig.engine.asked == 7);
}

TEST_CASE("our own worker is asked for its health, and asked nothing while it is not well") {
  Rig rig;
  int hangs = 0;
  rig.config.probe_every = Milliseconds{5};
  rig.config.on_hang = [&hangs] { ++hangs; };
  rig.engine.status = 503;
  rig.ask();
  CHECK(rig.failure().detail.find("not up") != std::string::npos);
  REQUIRE(rig.engine.eventually([&] { return hangs > 0; }));
  rig.engine.on_loop([&] {
    CHECK_FALSE(rig.chat->available());
    rig.engine.status = 200;
  });
  REQUIRE(rig.engine.eventually([&] { return rig.chat->available(); }));
  rig.ask();
  REQUIRE(rig.engine.eventually([&] { return rig.notes.answers.size() == 1; }));
}

TEST_CASE(
    "what says nothing of the engine does not count with the breaker, and a trial is given back") {
  Rig rig;
  rig.engine.status = 401;
  rig.fail_times(6);
  CHECK(rig.engine.asked == 6);
  rig.engine.status = 503;
  rig.fail_times(5);
  rig.engine.on_loop([&] { rig.engine.clock.advance(Milliseconds{30'000}); });
  rig.engine.status = 200;
  rig.engine.pieces = {kHold, kEnd};
  const ChatNumber trial = rig.ask();
  REQUIRE(rig.engine.eventually([&] { return rig.engine.asked == 12; }));
  rig.engine.on_loop([&] { rig.chat->cancel(trial); });
  rig.engine.pieces = {event("您好"), kEnd};
  rig.ask();
  REQUIRE(rig.engine.eventually([&] { return rig.notes.answers.size() == 1; }));
}

}  // namespace
}  // namespace yyc3::inference
