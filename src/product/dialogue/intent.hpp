#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "engine/text/language.hpp"

namespace yyc3::dialogue {

/// What a caller wants, in the six classes of the product. An operator's own intents are data of a
/// flow (`Flow::intents`): a name and example sentences.
enum class Intent { kInquiry, kComplaint, kAppointment, kFeedback, kUnsubscribe, kOther };
inline constexpr std::size_t kIntents = 6;
inline constexpr std::array<Intent, kIntents> kAllIntents{Intent::kInquiry,     Intent::kComplaint,
                                                          Intent::kAppointment, Intent::kFeedback,
                                                          Intent::kUnsubscribe, Intent::kOther};

/// "inquiry" … "other": the name in rows, events and flows.
[[nodiscard]] const char* name_of(Intent intent);
/// 咨询 投诉 预约 反馈 退订 其他 / the English name.
[[nodiscard]] const char* label_of(Intent intent, text::Language language);
/// Reads either form.
[[nodiscard]] std::optional<Intent> intent_of(std::string_view name);

struct IntentGuess {
  Intent intent = Intent::kOther;
  double confidence = 0;                  ///< 0…1; below 0.5 nobody should act on it
  bool by_rule = false;                   ///< a hard rule decided: opt-out, complaint
  std::array<double, kIntents> scores{};  ///< of the model, sum 1; zeros without a model
};

}  // namespace yyc3::dialogue
