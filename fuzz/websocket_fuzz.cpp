#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "api/socket_messages.hpp"

namespace {

void require(bool good) {
  if (!good) std::abort();
}

}  // namespace

// Frames (RFC 6455: masks, fragments, lengths, UTF-8 of text) are Boost.Beast's, none of our code
// reads one; this is the layer above, which reads the messages that Beast hands over.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace yyc3;
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  if (const auto wish = api::read_watch(message); wish && wish->call) {
    const auto again =
        api::read_watch(R"({"type":"watch","call_id":")" + wish->call->str() + R"("})");
    require(again && again->call == wish->call);
  }
  if (const auto control = api::read_talk_control(message)) {
    require(control->digit == 0 || std::strchr("0123456789*#ABCD", control->digit) != nullptr);
    require(!api::read_watch(message));  // one `type`, one meaning
  }
  std::array<std::int16_t, api::TalkFrames::kSamples> pcm{};
  api::TalkFrames frames(message);
  std::string heard;
  while (frames.next(pcm)) heard.append(reinterpret_cast<const char*>(pcm.data()), sizeof(pcm));
  require(heard == message.substr(0, size - size % api::TalkFrames::kBytes));
  return 0;
}
