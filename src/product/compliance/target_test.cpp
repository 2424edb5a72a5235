#include "product/compliance/target.hpp"

#include <doctest/doctest.h>

using namespace yyc3;
using namespace yyc3::compliance;

TEST_CASE("one spelling for one person") {
  const auto canonical = [](const char* text) { return normalise_target(text, "86")->canonical; };
  for (const char* text : {"+8613800138000", "13800138000", " +86 138-0013-8000 ",
                           "0086 13800138000", "tel:+86-138-0013-8000;ext=1", "TEL:13800138000",
                           "sip:+8613800138000@trunk.example;user=phone", "sips:+8613800138000@x"})
    CHECK_MESSAGE(canonical(text) == "+8613800138000", text);
  CHECK(canonical("010-1234 5678") == "+861012345678");
  CHECK(normalise_target("(212) 555-0100", "1")->canonical == "+12125550100");
  CHECK(canonical("sip:Ann@Example.ORG") == "sip:Ann@example.org");
  CHECK(canonical("SIP:Ann@example.org:5060") == "sip:Ann@example.org");
  CHECK(canonical("sip:Ann:secret@example.org:5070;transport=tcp?x=y") ==
        "sip:Ann@example.org:5070");
  CHECK(canonical("sip:1001@[2001:DB8::1]:5080") == "sip:1001@[2001:db8::1]:5080");
  CHECK(normalise_target("sip:a@h", "86")->port == 5060);
  CHECK(normalise_target("sips:a@h", "86")->port == 5061);
  CHECK(normalise_target("sip:+8613800138000@h", "86")->host == "h");
  CHECK(normalise_target("+8613800138000", "86")->host.empty());
}

TEST_CASE("what is no address is refused without being quoted") {
  for (const char* text : {"",
                           " ",
                           "hello",
                           "+",
                           "123",
                           "+861380013800012345",
                           "86+138",
                           "sip:",
                           "sip:host",
                           "sip:@host",
                           "sip:a@",
                           "sip:a@h:0",
                           "sip:a@h:99999",
                           "sip:a@h:",
                           "sip:a@h x",
                           "sip:a b@h",
                           "sip:a@b@c",
                           "sip:a@h/",
                           "http://x@y",
                           "sip:a\r\nVia: x@h",
                           "sip:\xE4\xBD\xA0@h"}) {
    CAPTURE(text);
    const Result<Target> target = normalise_target(text, "86");
    REQUIRE_FALSE(target);
    CHECK(target.error().code == ErrorCode::kInvalid);
    CHECK(target.error().detail.find("sip:user@host") != std::string::npos);
  }
  CHECK_FALSE(normalise_target("sip:a@" + std::string(300, 'h'), "86"));
}

TEST_CASE("a screen sees four digits of a number") {
  CHECK(masked(*normalise_target("13800138000", "86")) == "**********8000");
  CHECK(masked(*normalise_target("sip:ann@127.0.0.1:5070", "86")) == "ann@127.0.0.1:5070");
}
