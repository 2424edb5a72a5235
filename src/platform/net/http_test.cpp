#include "platform/net/http.hpp"

#include <doctest/doctest.h>

#include "base/json.hpp"

using namespace yyc3;
using namespace yyc3::net;

TEST_CASE("header names compare without case; values cannot smuggle lines") {
  Headers headers;
  headers.add("Content-Type", "a");
  headers.add("X-Evil", "v\r\nSet-Cookie: a=b");
  headers.add("Bad Name", "dropped");
  CHECK(headers.get("content-TYPE") == "a");
  CHECK(headers.get("x-evil") == "v  Set-Cookie: a=b");
  CHECK(headers.all().size() == 2);
  headers.set("CONTENT-type", "b");
  CHECK(headers.get("Content-Type") == "b");
  CHECK(headers.all().size() == 2);
  headers.erase("x-EVIL");
  CHECK_FALSE(headers.has("X-Evil"));
}

TEST_CASE("parse_query") {
  const auto query = parse_query("a=1&b=%E4%BD%A0+%2B&a=2&flag&&c=d=e");
  REQUIRE(query);
  HttpRequest request;
  request.query = *query;
  CHECK(request.param("a") == "1");
  CHECK(request.param("b") == "你 +");
  CHECK(request.param("flag") == "");
  CHECK(request.param("c") == "d=e");
  CHECK_FALSE(request.param("x"));
  CHECK(query->count("a") == 2);
  for (const char* bad : {"a=%", "a=%4", "a=%zz", "%00=1"}) {
    INFO(bad);
    CHECK_FALSE(parse_query(bad));
  }
  std::string many;
  for (int i = 0; i < 128; ++i) many += "a=1&";
  CHECK(parse_query(many));
  CHECK_FALSE(parse_query(many + "a=1"));
}

TEST_CASE("parse_path") {
  struct Case {
    const char* text;
    const char* path;  // nullptr: refused
  };
  const Case cases[] = {{"/", "/"},
                        {"/api/v1/calls", "/api/v1/calls"},
                        {"/a%20b/", "/a b/"},
                        {"/a//b", "/a//b"},
                        {"/...", "/..."},
                        {"/a+b", "/a+b"},
                        {"", nullptr},
                        {"a", nullptr},
                        {"http://x/", nullptr},
                        {"/a/../b", nullptr},
                        {"/a/%2e%2E/b", nullptr},
                        {"/.", nullptr},
                        {"/a%2fb", nullptr},
                        {"/a%00", nullptr},
                        {"/a%f", nullptr}};
  for (const Case& c : cases) {
    INFO(c.text);
    const auto path = parse_path(c.text);
    CHECK(path.has_value() == (c.path != nullptr));
    if (path && c.path) CHECK(*path == c.path);
  }
}

TEST_CASE("percent_encode is undone by parse_query") {
  std::string all;
  for (int i = 1; i < 256; ++i) all += static_cast<char>(i);
  const auto query = parse_query("k=" + percent_encode(all));
  REQUIRE(query);
  CHECK(query->find("k")->second == all);
}

TEST_CASE("parse_range") {
  struct Case {
    const char* header;
    int first;  // -1: everything, -2: outside
    int last;
  };
  const Case cases[] = {{"bytes=0-99", 0, 99},    {"bytes=10-", 10, 99},
                        {"bytes=-30", 70, 99},    {"bytes=-500", 0, 99},
                        {"bytes=90-500", 90, 99}, {"bytes=99-99", 99, 99},
                        {"bytes=100-", -2, 0},    {"bytes=-0", -2, 0},
                        {"bytes=5-2", -1, 0},     {"bytes=0-1,5-6", -1, 0},
                        {"bytes=a-b", -1, 0},     {"bytes=-", -1, 0},
                        {"lines=0-1", -1, 0},     {"", -1, 0},
                        {"bytes=0x1-2", -1, 0},   {"bytes= 1-2", -1, 0},
                        {"bytes=1--2", -1, 0},    {"bytes=99999999999999999999-", -1, 0}};
  for (const Case& c : cases) {
    INFO(c.header);
    const auto range = parse_range(c.header, 100);
    CHECK(range.has_value() == (c.first != -2));
    if (!range) continue;
    CHECK(range->has_value() == (c.first >= 0));
    if (!*range) continue;
    CHECK((*range)->first == static_cast<std::uint64_t>(c.first));
    CHECK((*range)->last == static_cast<std::uint64_t>(c.last));
  }
  CHECK_FALSE(parse_range("bytes=0-", 0));
}

TEST_CASE("a problem is application/problem+json") {
  const HttpResponse response = HttpResponse::problem(409, "Conflict", "already \"there\"");
  CHECK(response.headers.get("Content-Type") == "application/problem+json");
  const auto body = parse_json(response.body);
  REQUIRE(body);
  CHECK(int_field(*body, "status") == 409);
  CHECK(string_field(*body, "title") == "Conflict");
  CHECK(string_field(*body, "detail") == "already \"there\"");
}
