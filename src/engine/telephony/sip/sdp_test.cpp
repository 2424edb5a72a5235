#include "engine/telephony/sip/sdp.hpp"

#include <doctest/doctest.h>
#include <string>

namespace yyc3::sip {

namespace {

LocalMedia local_media() {
  LocalMedia local;
  local.address = "192.0.2.1";
  local.rtp_port = 22'000;
  return local;
}

/// An answer with these lines behind the session part.
std::string sdp(const std::string& media, const std::string& connection = "c=IN IP4 192.0.2.7") {
  return "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\n" + connection + "\r\nt=0 0\r\n" + media;
}

Result<RemoteMedia> answer(const std::string& media,
                           const std::string& connection = "c=IN IP4 192.0.2.7") {
  return parse_answer(sdp(media, connection), local_media());
}

}  // namespace

TEST_CASE("an offer of ours, whole") {
  CHECK(make_offer(local_media(), {7, 3}) ==
        "v=0\r\no=- 7 3 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "m=audio 22000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n");
  LocalMedia six = local_media();
  six.address = "2001:db8::1";
  six.rtcp_port = 22'005;
  const std::string offer = make_offer(six, {}, Direction::kSendOnly);
  CHECK(offer.find("c=IN IP6 2001:db8::1\r\n") != std::string::npos);
  CHECK(offer.find("a=rtcp:22005\r\n") != std::string::npos);
  CHECK(offer.ends_with("a=sendonly\r\n"));
}

TEST_CASE("a usual answer") {
  const auto remote = answer(
      "m=audio 30000 RTP/AVP 8 97\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:97 telephone-event/8000\r\n"
      "a=ptime:30\r\n");
  REQUIRE(remote);
  CHECK(remote->address == "192.0.2.7");
  CHECK(remote->rtp_port == 30'000);
  CHECK(remote->rtcp_port == 30'001);
  CHECK(remote->codec == AudioCodec::kPcma);
  CHECK(remote->payload_type == 8);
  CHECK(remote->dtmf_payload_type == 97);
  CHECK(remote->ptime_ms == 30);
  CHECK(remote->direction == Direction::kSendRecv);
}

TEST_CASE("static payload types need no rtpmap; a map wins over them") {
  CHECK(answer("m=audio 30000 RTP/AVP 0\n")->codec == AudioCodec::kPcmu);
  const auto dynamic = answer("m=audio 30000 RTP/AVP 110\r\na=rtpmap:110 pcmu/8000/1\r\n");
  REQUIRE(dynamic);
  CHECK(dynamic->payload_type == 110);
  const auto other = answer("m=audio 30000 RTP/AVP 0\r\na=rtpmap:0 opus/48000/2\r\n");
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::kConflict);
}

TEST_CASE("addresses: of the stream, RTCP elsewhere, IPv6") {
  const auto own =
      answer("m=audio 30000 RTP/AVP 0\r\nc=IN IP4 192.0.2.9\r\na=rtcp:31000 IN IP4 x\r\n");
  REQUIRE(own);
  CHECK(own->address == "192.0.2.9");
  CHECK(own->rtcp_port == 31'000);
  const auto mux = answer("m=audio 30000 RTP/AVP 0\r\na=rtcp-mux\r\n");
  REQUIRE(mux);
  CHECK(mux->rtcp_mux);
  CHECK(mux->rtcp_port == 30'000);
  CHECK(answer("m=audio 30000 RTP/AVP 0\r\n", "c=IN IP6 2001:db8::2")->address == "2001:db8::2");
}

TEST_CASE("hold in its three spellings, seen from our side") {
  CHECK(answer("m=audio 1024 RTP/AVP 0\r\na=sendonly\r\n")->direction == Direction::kRecvOnly);
  CHECK(answer("m=audio 1024 RTP/AVP 0\r\na=recvonly\r\n")->direction == Direction::kSendOnly);
  CHECK(answer("m=audio 1024 RTP/AVP 0\r\na=inactive\r\n")->direction == Direction::kInactive);
  CHECK(answer("m=audio 1024 RTP/AVP 0\r\n", "c=IN IP4 0.0.0.0")->direction ==
        Direction::kInactive);
  CHECK(answer("a=sendonly\r\nm=audio 1024 RTP/AVP 0\r\n")->direction == Direction::kRecvOnly);
  CHECK(answer("a=sendonly\r\nm=audio 1024 RTP/AVP 0\r\na=sendrecv\r\n")->direction ==
        Direction::kSendRecv);
}

TEST_CASE("no common codec is a conflict") {
  for (const char* media :
       {"", "m=audio 0 RTP/AVP 0\r\n", "m=audio 30000 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n",
        "m=video 30000 RTP/AVP 0\r\n", "m=audio 30000 RTP/SAVP 0\r\n",
        "m=audio 30000 RTP/AVP x\r\n", "m=audio 30000 RTP/AVP 0\r\na=rtpmap:0 PCMU/16000\r\n"}) {
    CAPTURE(media);
    const auto remote = answer(media);
    REQUIRE_FALSE(remote);
    CHECK(remote.error().code == ErrorCode::kConflict);
  }
}

TEST_CASE("hostile texts are invalid, each for its reason") {
  const std::string good = "m=audio 30000 RTP/AVP 0\r\n";
  for (const char* connection :
       {"c=IN IP4 carrier.example.net", "c=IN IP4 224.0.0.1", "c=IN IP4 255.255.255.255",
        "c=IN IP4", "c=IN IP4 192.0.2.7 x", "c=XX IP4 192.0.2.7", "c=IN IP6 ff02::1",
        "c=IN IP6 ::", "c=IN IP4 192.0.2.7\x01"}) {
    CAPTURE(connection);
    const auto remote = answer(good, connection);
    REQUIRE_FALSE(remote);
    CHECK(remote.error().code == ErrorCode::kInvalid);
  }
  for (const char* media :
       {"m=audio 65536 RTP/AVP 0\r\n", "m=audio -1 RTP/AVP 0\r\n",
        "m=audio 99999999999 RTP/AVP 0\r\n", "m=audio\r\n", "m=audio 30000\r\n", "garbage\r\n",
        "m\r\n", "m=audio 30000 RTP/AVP 0\r\na=rtpmap:999 PCMU/8000\r\n",
        "m=audio 30000 RTP/AVP 0\r\na=rtcp:0\r\n"}) {
    CAPTURE(media);
    const auto remote = answer(media);
    REQUIRE_FALSE(remote);
    CHECK(remote.error().code == ErrorCode::kInvalid);
  }
  CHECK_FALSE(parse_answer("", local_media()));
  CHECK_FALSE(parse_answer("v=1\r\n" + good, local_media()));
  CHECK_FALSE(parse_answer("v=0\r\n" + good, local_media()));  // no address at all
  CHECK(answer(good + "a=" + std::string(kMaxSdpBytes, 'x')).error().detail.find("16 KiB") !=
        std::string::npos);
  std::string many;
  for (std::size_t i = 0; i <= kMaxSdpLines; ++i) many += "a=x\r\n";
  CHECK(answer(good + many).error().detail.find("512") != std::string::npos);
  std::string formats = "m=audio 30000 RTP/AVP";
  for (int i = 0; i < 70; ++i) formats += " 0";
  CHECK_FALSE(answer(formats + "\r\n"));
  CHECK_FALSE(is_ip_literal(std::string_view("192.0.2.7\0.evil", 15)));
}

TEST_CASE("a re-offer is answered in kind") {
  const std::string offer =
      sdp("m=video 5000 RTP/AVP 96\r\nm=audio 40000 RTP/AVP 97 0 101\r\na=rtpmap:97 PCMA/8000\r\n"
          "a=rtpmap:101 telephone-event/8000\r\na=sendonly\r\nm=audio 41000 RTP/AVP 0\r\n");
  const auto first = answer_offer(offer, local_media(), {1, 2});
  REQUIRE(first);
  CHECK(first->remote.codec == AudioCodec::kPcma);  // the peer's first
  CHECK(first->remote.payload_type == 97);
  CHECK(first->remote.direction == Direction::kRecvOnly);
  CHECK(first->answer ==
        "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "m=video 0 RTP/AVP 96\r\nm=audio 22000 RTP/AVP 97 101\r\na=rtpmap:97 PCMA/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=recvonly\r\n"
        "m=audio 0 RTP/AVP 0\r\n");
  const auto kept = answer_offer(offer, local_media(), {1, 2}, AudioCodec::kPcmu);
  REQUIRE(kept);
  CHECK(kept->remote.codec == AudioCodec::kPcmu);  // the one in use stays
  CHECK(answer_offer(sdp("m=video 5000 RTP/AVP 96\r\n"), local_media(), {}).error().code ==
        ErrorCode::kConflict);
}

TEST_CASE("a peer that answers our offer with our own words agrees with us") {
  const auto remote = parse_answer(make_offer(local_media(), {}), local_media());
  REQUIRE(remote);
  CHECK(remote->address == "192.0.2.1");
  CHECK(remote->rtp_port == 22'000);
  CHECK(remote->codec == AudioCodec::kPcmu);
  CHECK(remote->dtmf_payload_type == 101);
}

}  // namespace yyc3::sip
