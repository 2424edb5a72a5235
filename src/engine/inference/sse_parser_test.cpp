#include "engine/inference/sse_parser.hpp"

#include <doctest/doctest.h>

namespace yyc3::inference {
namespace {

using Events = std::vector<std::string>;

Events all_of(std::string_view body) {
  SseParser parser;
  const auto events = parser.feed(body);
  REQUIRE(events);
  return *events;
}

TEST_CASE("events are read as the standard has them") {
  CHECK(all_of("data: a\n\ndata:b\n\n") == Events{"a", "b"});
  CHECK(all_of("data: one\ndata: two\n\n") == Events{"one\ntwo"});
  CHECK(all_of("data:  two blanks\r\n\r\n") == Events{" two blanks"});
  CHECK(all_of("data: a\r\rdata: b\r\r") == Events{"a", "b"});
  CHECK(all_of(": a comment\nevent: x\nid: 7\nretry: 9\ndata: a\n\n") == Events{"a"});
  CHECK(all_of("\xEF\xBB\xBF"
               "data: a\n\n") == Events{"a"});
  CHECK(all_of("data\n\n") == Events{""});
  CHECK(all_of("data: torn\n").empty());
  CHECK(all_of("\n\n: nothing\n\ndatax: a\n\n").empty());
}

TEST_CASE("how the body is cut makes no difference") {
  const std::string body = "data: 你好\r\ndata: x\r\n\r\n: c\n\ndata: [DONE]\n\n";
  const Events whole = all_of(body);
  REQUIRE(whole == Events{"你好\nx", "[DONE]"});
  for (std::size_t a = 0; a <= body.size(); ++a)
    for (std::size_t b = a; b <= body.size(); ++b) {
      SseParser parser;
      Events events;
      for (const auto& piece : {body.substr(0, a), body.substr(a, b - a), body.substr(b)}) {
        const auto some = parser.feed(piece);
        REQUIRE(some);
        events.insert(events.end(), some->begin(), some->end());
      }
      CHECK(events == whole);
    }
}

TEST_CASE("an event without end is refused") {
  SseParser parser;
  const std::string line = "data: " + std::string(1000, 'x') + "\n";
  std::size_t fed = 0;
  while (parser.feed(line)) REQUIRE((fed += line.size()) < 2 * SseParser::kEventBytesMax);
  CHECK(fed > SseParser::kEventBytesMax / 2);
}

}  // namespace
}  // namespace yyc3::inference
