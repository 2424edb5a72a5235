#include "engine/telephony/sip/dialog_state.hpp"

#include <doctest/doctest.h>

#include "engine/telephony/sip/message_log.hpp"

namespace yyc3::sip {

namespace {
DialogState sample() {
  return {"abc@h",
          "\"Acme\" <sip:aicall@192.0.2.1>;tag=1",
          "<sip:+8613800138000@192.0.2.7>;tag=2",
          "sip:gw@192.0.2.9:5062;transport=tcp",
          {"<sip:192.0.2.7;lr>", "<sip:192.0.2.8;lr>"},
          1'001'131'614,
          Transport::kTcp};
}
}  // namespace

TEST_CASE("a dialog survives storage") {
  const auto read = DialogState::from_json(sample().to_json());
  REQUIRE(read);
  CHECK(*read == sample());
  CHECK(sample().to_json().find('\n') == std::string::npos);
}

TEST_CASE("a damaged dialog is refused with the field's name") {
  const std::string good = sample().to_json();
  const auto changed = [&good](const std::string& what, const std::string& with) {
    std::string text = good;
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    return DialogState::from_json(text.replace(at, what.size(), with));
  };
  CHECK(changed("abc@h", "abc\\r\\nBYE").error().detail.find("call_id") != std::string::npos);
  CHECK(changed("\"abc@h\"", "5").error().detail.find("call_id") != std::string::npos);
  CHECK(changed("abc@h", std::string(600, 'x')).error().code == ErrorCode::kInvalid);
  CHECK(changed("1001131614", "-1").error().detail.find("cseq") != std::string::npos);
  CHECK(changed("1001131614", "4294967296").error().detail.find("cseq") != std::string::npos);
  CHECK(changed("\"tcp\"", "\"carrier pigeon\"").error().detail.find("transport") !=
        std::string::npos);
  CHECK(changed("<sip:192.0.2.8;lr>", "x\\nVia: y").error().detail.find("route_set") !=
        std::string::npos);
  CHECK_FALSE(DialogState::from_json(""));
  CHECK_FALSE(DialogState::from_json("[]"));
  CHECK_FALSE(DialogState::from_json(good.substr(0, good.size() / 2)));
  DialogState far = sample();
  far.route_set.assign(17, "<sip:a;lr>");
  CHECK_FALSE(DialogState::from_json(far.to_json()));
}

TEST_CASE("the message log keeps messages whole and secrets out") {
  std::string seen;
  int messages = 0;
  MessageLog log([&](std::string_view message) {
    seen += message;
    ++messages;
  });
  log.take(
      "nua: noise\nsend 10 bytes to udp/[192.0.2.7]:5060 at 12:00:00.000000:\n   ------------");
  log.take("\n   INVITE sip:a SIP/2.0\n   Proxy-AUTHORIZATION: Digest response=\"f00\"\n");
  log.take("   authorization : kept?\n   \n   v=0\n   ------------\nmore noise\n");
  CHECK(messages == 1);
  CHECK(seen.starts_with("send 10 bytes to udp/[192.0.2.7]:5060"));
  CHECK(seen.find("INVITE sip:a SIP/2.0\n") != std::string::npos);
  CHECK(seen.find("f00") == std::string::npos);
  CHECK(seen.find("kept?") == std::string::npos);
  CHECK(seen.find("\n\nv=0\n") != std::string::npos);
  CHECK(seen.find("noise") == std::string::npos);
}

}  // namespace yyc3::sip
