#include "api/socket_messages.hpp"

#include <cstring>

#include "base/json.hpp"

namespace yyc3::api {

std::optional<WatchWish> read_watch(std::string_view text) {
  const auto message = parse_json(text);
  if (!message || string_field(*message, "type") != "watch") return std::nullopt;
  const auto named = string_field(*message, "call_id");
  if (!named) return WatchWish{};
  const auto id = CallId::parse(*named);
  if (!id) return std::nullopt;
  return WatchWish{*id};
}

std::optional<TalkControl> read_talk_control(std::string_view text) {
  constexpr std::string_view kKeys = "0123456789*#ABCD";
  const auto message = parse_json(text);
  if (!message) return std::nullopt;
  const auto type = string_field(*message, "type");
  if (type == "hang_up") return TalkControl{};
  const auto digit = string_field(*message, "digit");
  if (type != "dtmf" || !digit || digit->size() != 1) return std::nullopt;
  if (kKeys.find(digit->front()) == std::string_view::npos) return std::nullopt;
  return TalkControl{digit->front()};
}

bool TalkFrames::next(std::span<std::int16_t, kSamples> pcm) {
  if (left_.size() < kBytes) return false;
  std::memcpy(pcm.data(), left_.data(), kBytes);
  left_.remove_prefix(kBytes);
  return true;
}

}  // namespace yyc3::api
