#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/text/understand.hpp"

namespace yyc3::dialogue {

enum class EntityKind { kTime, kPhone, kMoney, kDigits, kIdNumber, kPersonName };
[[nodiscard]] const char* name_of(EntityKind kind);  ///< "time" "phone" … "person_name"

/// Something of use found in what was said. `value` is personal data: never log it.
struct Entity {
  EntityKind kind = EntityKind::kDigits;
  /// Normalised: time "2026-11-25T15:30", "2026-11-25" or "T15:30"; phone and digits: digits only;
  /// money: amount in the smallest unit, "12050" for 120.50; name: as heard.
  std::string value;
  double confidence = 0;  ///< 0…1
};

/// Everything found in `text`, at most 8, the surest first. Pure; any thread; never fails.
[[nodiscard]] std::vector<Entity> find_entities(std::string_view text, text::Language language,
                                                const text::LocalDateTime& now);

/// 18-digit identity number of the PRC with its check digit (GB 11643, ISO 7064 MOD 11-2).
[[nodiscard]] bool is_id_number(std::string_view digits);

/// "2026-11-25T15:30", "2026-11-25" or "T15:30" by what is known; empty when nothing is.
[[nodiscard]] std::string when_text(const text::WhenReading& when);
/// Back again; parts that are absent or not real stay missing.
[[nodiscard]] text::WhenReading when_of(std::string_view value);

}  // namespace yyc3::dialogue
