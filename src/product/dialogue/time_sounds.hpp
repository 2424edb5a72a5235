#pragma once

#include <string>
#include <string_view>

#include "engine/text/match.hpp"

namespace yyc3::dialogue {

/// Words of a day and a time that a recogniser wrote with the wrong characters, put right by their
/// sound: "后天上无" → 后天上午, "下五三点" → 下午三点, "名天" → 明天, "下个月三好" → 下个月三号.
/// Only the very sounds count, and of two characters one is right; whatever else was heard stays.
/// Pure; any thread.
[[nodiscard]] std::string with_time_words(std::string_view heard,
                                          const text::SoundMatcher& matcher);

/// 星期 and 礼拜 are what a recogniser loses first on a telephone ("金齐六下午", "你拜三"): where
/// the sounds say a weekday, its characters are put in. Empty: nothing to mend. Pure; any thread.
[[nodiscard]] std::string with_weekday(std::string_view heard, const text::SoundMatcher& matcher);

}  // namespace yyc3::dialogue
