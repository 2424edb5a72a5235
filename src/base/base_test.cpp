#include <doctest/doctest.h>
#include <set>
#include <string>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/spsc_ring.hpp"

using namespace yyc3;

TEST_CASE("UUIDv7 ids increase within a millisecond and across a clock that steps back") {
  ManualClock clock;
  std::set<std::string> seen;
  Uuid last;
  for (int i = 0; i < 5000; ++i) {
    if (i == 2500) clock.advance(Milliseconds{-60'000});
    const Uuid id = Uuid::make(clock);
    CHECK(id > last);
    CHECK((id.bytes()[6] & 0xF0) == 0x70);
    CHECK((id.bytes()[8] & 0xC0) == 0x80);
    last = id;
    seen.insert(id.str());
  }
  CHECK(seen.size() == 5000);
  CHECK(*Uuid::parse(last.str()) == last);
  CHECK_FALSE(Uuid::parse("not-a-uuid"));
  CHECK_FALSE(Uuid::parse("0190b3c0x1234-7123-8123-123456789abc"));
}

TEST_CASE("times are printed as RFC 3339") {
  CHECK(to_rfc3339(UtcTime{Milliseconds{1'800'000'000'007}}) == "2027-01-15T08:00:00.007Z");
}

TEST_CASE("hex, base64url and UTF-8") {
  CHECK(to_hex(as_bytes("\x01\xFF")) == "01ff");
  CHECK(*from_hex("01fF") == Bytes{0x01, 0xFF});
  CHECK_FALSE(from_hex("0g"));
  CHECK(to_base64url(as_bytes("hello?>")) == "aGVsbG8_Pg");
  CHECK(is_utf8("还款"));
  CHECK_FALSE(is_utf8("\xE8\xBF"));
  CHECK(sanitize_utf8("还\xE6\xAC款\xFF!") == "还款!");
}

TEST_CASE("JSON from outside is bounded and positions are told") {
  CHECK(parse_json(R"({"a":[1,2]})"));
  CHECK_FALSE(parse_json(R"({"a":1} x)"));
  CHECK_FALSE(parse_json(std::string(40, '[')));
  CHECK_FALSE(parse_json(""));
  const auto value = *parse_json(R"({"n":9223372036854775807,"s":"x","b":true})");
  CHECK(int_field(value, "n") == 9223372036854775807);
  CHECK(string_field(value, "s") == "x");
  CHECK(bool_field(value, "b") == true);
  CHECK_FALSE(string_field(value, "n"));
}

TEST_CASE("the ring refuses when full and keeps order over its wrap") {
  SpscRing<int, 4> ring;
  int out = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 4; ++i) CHECK(ring.push(i));
    CHECK_FALSE(ring.push(9));
    for (int i = 0; i < 4; ++i) {
      CHECK(ring.pop(out));
      CHECK(out == i);
    }
    CHECK_FALSE(ring.pop(out));
  }
}
