#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/telephony/sip/dialog_state.hpp"
#include "engine/telephony/sip/sdp.hpp"

namespace {

using namespace yyc3::sip;

void require(bool good) {
  if (!good) std::abort();
}

void check(const RemoteMedia& remote) {
  require(is_ip_literal(remote.address) || remote.address == "0.0.0.0");
  require(remote.rtp_port != 0 && remote.rtcp_port != 0);
  require(remote.payload_type <= 127 && remote.ptime_ms >= 10 && remote.ptime_ms <= 200);
  require(remote.address != "0.0.0.0" || remote.direction == Direction::kInactive);
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  LocalMedia local;
  local.address = "192.0.2.1";
  local.rtp_port = 22'000;
  if (const auto remote = parse_answer(text, local)) check(*remote);
  if (const auto answered = answer_offer(text, local, {1, 2}, AudioCodec::kPcma)) {
    check(answered->remote);
    // What we answer is SDP that a peer like us understands, and agrees on the codec.
    if (answered->answer.size() <= kMaxSdpBytes) {
      const auto read = parse_answer(answered->answer, local);
      require(read.has_value());
      require(read->codec == answered->remote.codec);
      require(read->payload_type == answered->remote.payload_type);
    }
  }
  if (const auto dialog = DialogState::from_json(text)) {
    const auto again = DialogState::from_json(dialog->to_json());
    require(again.has_value() && *again == *dialog);
  }
  return 0;
}
