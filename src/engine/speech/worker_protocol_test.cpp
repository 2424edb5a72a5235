#include "engine/speech/worker_protocol.hpp"

#include <doctest/doctest.h>

namespace yyc3::speech::wire {
namespace {

Decode full_decode() {
  Decode m;
  m.job = 0x1'0000'0002;
  m.stream = 7;
  m.spec.from_sample = 160;
  m.spec.to_sample = 24'160;
  m.spec.language = Language::kEnglish;
  m.spec.grammar = GrammarKind::kOptions;
  m.spec.options = {"billing", "人工客服"};
  m.spec.deadline = Milliseconds(1500);
  m.spec.epoch = 9;
  m.spec.partial = true;
  m.spec.turn_end = true;
  m.prompt = "appointment";
  return m;
}

TEST_CASE("a decode travels whole") {
  const auto back = decode_client(encode(ClientMessage(full_decode())));
  REQUIRE(back);
  const Decode& m = std::get<Decode>(*back);
  CHECK(m.job == 0x1'0000'0002);
  CHECK(m.stream == 7);
  CHECK(m.spec.from_sample == 160);
  CHECK(m.spec.to_sample == 24'160);
  CHECK(m.spec.language == Language::kEnglish);
  CHECK(m.spec.grammar == GrammarKind::kOptions);
  CHECK(m.spec.options == std::vector<std::string>{"billing", "人工客服"});
  CHECK(m.spec.deadline == Milliseconds(1500));
  CHECK(m.spec.epoch == 9);
  CHECK(m.spec.partial);
  CHECK(m.spec.turn_end);
  CHECK(m.prompt == "appointment");
}

TEST_CASE("the other client messages travel whole") {
  const Open open{3, Language::kChinese};
  CHECK(std::get<Open>(decode_client(encode(ClientMessage(open))).value()) == open);
  CHECK(std::get<Cancel>(decode_client(encode(ClientMessage(Cancel{5}))).value()).job == 5);
  CHECK(std::get<Close>(decode_client(encode(ClientMessage(Close{6}))).value()).stream == 6);
  CHECK(std::get<Ping>(decode_client(encode(ClientMessage(Ping{-1}))).value()).id == -1);
}

TEST_CASE("worker messages travel whole") {
  Text text;
  text.job = 12;
  text.stream = 3;
  text.heard = {"明天下午", 0.75, true, Milliseconds(4), Milliseconds(321)};
  text.tokens = 6;
  text.audio_ms = 1800;
  const Text back = std::get<Text>(decode_worker(encode(WorkerMessage(text))).value());
  CHECK(back.job == 12);
  CHECK(back.heard.text == "明天下午");
  CHECK(back.heard.confidence == doctest::Approx(0.75));
  CHECK(back.heard.looped);
  CHECK(back.heard.decoded == Milliseconds(321));
  CHECK(back.audio_ms == 1800);

  const JobError error{13, {ErrorCode::kBusy, "queue full"}};
  const JobError seen = std::get<JobError>(decode_worker(encode(WorkerMessage(error))).value());
  CHECK(seen.error.code == ErrorCode::kBusy);
  CHECK(seen.error.detail == "queue full");

  const TurnEnd turn{3, 24'160, 0.25};
  CHECK(std::get<TurnEnd>(decode_worker(encode(WorkerMessage(turn))).value()) == turn);
  for (const char* bad :
       {R"({"type":"turn_end","stream":3,"to":9})", R"({"type":"turn_end","p":1})",
        R"({"type":"turn_end","stream":3,"to":9,"p":1.5})",
        R"({"type":"turn_end","stream":3,"to":-1,"p":1})"})
    CHECK_FALSE(decode_worker(bad));

  Hello hello;
  hello.models = {"whisper-base-q8_0"};
  const Hello greeted = std::get<Hello>(decode_worker(encode(WorkerMessage(hello))).value());
  CHECK(greeted.version == kVersion);
  CHECK(greeted.models == hello.models);
}

TEST_CASE("a bad message names the field") {
  const auto detail = [](std::string_view text) {
    const auto result = decode_client(text);
    return result ? std::string("accepted") : result.error().detail;
  };
  CHECK(detail("{}").find("type") != std::string::npos);
  CHECK(detail(R"({"type":"open","stream":0,"lang":"zh"})").find("stream") != std::string::npos);
  CHECK(detail(R"({"type":"open","stream":1,"lang":"fr"})").find("lang") != std::string::npos);
  CHECK(detail(R"({"type":"open","stream":1,"lang":"zh","rate":16000})").find("rate") !=
        std::string::npos);
  CHECK(
      detail(R"({"type":"decode","job":1,"stream":1,"from":9,"to":9,"lang":"zh"})").find("range") !=
      std::string::npos);
  CHECK(detail(R"({"type":"decode","job":1,"stream":1,"from":0,"to":240001,"lang":"zh"})")
            .find("30 s") != std::string::npos);
  CHECK(detail(R"({"type":"decode","job":1,"stream":1,"from":0,"to":9,"lang":"zh",)"
               R"("grammar":{"kind":"poem"}})")
            .find("grammar.kind") != std::string::npos);
  CHECK(detail(R"({"type":"decode","job":1,"stream":1,"from":0,"to":9,"lang":"zh",)"
               R"("grammar":{"kind":"options","options":[]}})")
            .find("options") != std::string::npos);
  CHECK(detail("[1").find("accepted") == std::string::npos);
}

TEST_CASE("audio of several streams travels in one frame") {
  AudioBatch batch;
  const std::vector<std::int16_t> a{1, -2, 32767};
  const std::vector<std::int16_t> b(160, -5);
  CHECK(batch.add(1, 0xFFFF'FFFF'FFULL, a));
  CHECK(batch.add(2, 320, b));
  const std::string frame = batch.take();
  CHECK(batch.empty());
  const auto chunks = decode_audio(frame);
  REQUIRE(chunks);
  REQUIRE(chunks->size() == 2);
  CHECK((*chunks)[0].stream == 1);
  CHECK((*chunks)[0].first_sample == 0xFFFF'FFFF'FFULL);
  CHECK((*chunks)[0].pcm == a);
  CHECK((*chunks)[1].pcm == b);
  CHECK_FALSE(batch.add(1, 0, std::vector<std::int16_t>(kChunkSamplesMax + 1)));
}

TEST_CASE("every cut of a frame is refused") {
  AudioBatch batch;
  CHECK(batch.add(1, 0, std::vector<std::int16_t>(4, 1)));
  const std::string frame = batch.take();
  for (std::size_t n = 0; n < frame.size(); ++n) CHECK_FALSE(decode_audio(frame.substr(0, n)));
  CHECK_FALSE(decode_audio(frame + "x"));

  const std::vector<Probability> ps{{1, 256, 0}, {2, 512, 255}};
  const std::string sent = encode_probabilities(ps);
  CHECK(decode_probabilities(sent).value() == ps);
  for (std::size_t n = 0; n < sent.size(); ++n) {
    CHECK_FALSE(decode_probabilities(sent.substr(0, n)));
  }
  CHECK_FALSE(decode_probabilities(frame));
}

}  // namespace
}  // namespace yyc3::speech::wire
