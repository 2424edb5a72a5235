#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "product/dialogue/flow.hpp"
#include "product/dialogue/understanding.hpp"

/// What an utterance answers to the question that was asked. Inside of DialogueSession.
namespace yyc3::dialogue {

/// The part of an answer about a day and a time that came so far.
struct TimeSoFar {
  text::WhenReading when;             ///< date and time as stored in the slot
  std::optional<text::DayPart> part;  ///< "Friday evening": the hour is still to come
};

struct Answer {
  std::string label;  ///< as `Condition::answer`; empty: none
  std::string value;  ///< for the slot
  std::optional<text::DayPart> part;
  bool firm = false;  ///< said in so many words; not a mere yes or no
};

/// `book` holds the phrases of `ask.options`, labelled by their place. Pure.
[[nodiscard]] Answer answer_to(const Ask& ask, const PhraseBook& book, std::string_view heard,
                               text::Language language, const Understood& understood);
/// The label and value of a day and a time given in parts: what is new replaces what was.
[[nodiscard]] Answer merge_time(const TimeSoFar& so_far, const text::WhenReading& heard,
                                const text::LocalDateTime& now);
/// Keys pressed for a time: MMDD or MMDDhhmm.
[[nodiscard]] std::optional<text::WhenReading> time_of_keys(std::string_view keys,
                                                            const text::LocalDateTime& now);
/// "complete" "date_only" "time_only" "past"; "" for no time at all.
[[nodiscard]] std::string_view state_of_time(const text::WhenReading& when,
                                             const text::LocalDateTime& now);
/// At most six Chinese characters or three English words: after "对" or "那天不行" more may come
/// ("对，我就是").
[[nodiscard]] bool is_short(std::string_view heard, text::Language language);
/// True when the speaker has rounded the answer off: "没有了，谢谢", "对，我是", "yes, that's all".
/// What rounds off closes nothing alone: "谢谢，我想问…", "我是，请问…".
[[nodiscard]] bool sounds_closed(std::string_view heard, text::Language language);
/// True when more words are surely coming: "我想改到", "it's on".
[[nodiscard]] bool sounds_unfinished(std::string_view heard, text::Language language);
/// True when `heard` asks something.
[[nodiscard]] bool sounds_like_question(std::string_view heard, text::Language language);

}  // namespace yyc3::dialogue
