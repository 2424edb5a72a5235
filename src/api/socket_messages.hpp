#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/ids.hpp"

/// What clients may send through our WebSockets. Beast takes frames apart (RFC 6455); here begins
/// what we read ourselves. Hostile input: nothing throws, and what is no such message is nothing: a
/// console of another version is not sent away. Threads: pure functions, any.
namespace yyc3::api {

/// `{"type":"watch","call_id":…}` of /api/v1/live; without an id (or null) none is watched any
/// more.
struct WatchWish {
  std::optional<CallId> call;
};
std::optional<WatchWish> read_watch(std::string_view text);

/// `{"type":"hang_up"}` or `{"type":"dtmf","digit":"5"}` of /api/v1/talk.
struct TalkControl {
  char digit = 0;  ///< 0-9 * # A-D; 0: hang up
};
std::optional<TalkControl> read_talk_control(std::string_view text);

/// The whole frames (20 ms of s16le at 8 kHz) of one binary message of /api/v1/talk, in order; a
/// rest shorter than a frame is dropped. `data` outlives it.
class TalkFrames {
 public:
  static constexpr std::size_t kSamples = 160;
  static constexpr std::size_t kBytes = kSamples * sizeof(std::int16_t);

  explicit TalkFrames(std::string_view data) : left_(data) {}
  /// False: no whole frame is left; `pcm` is untouched.
  bool next(std::span<std::int16_t, kSamples> pcm);

 private:
  std::string_view left_;
};

}  // namespace yyc3::api
