#include "product/dialogue/intent.hpp"

namespace yyc3::dialogue {
namespace {

struct Names {
  const char* name;
  const char* zh;
};
constexpr std::array<Names, kIntents> kNames{{{"inquiry", "咨询"},
                                              {"complaint", "投诉"},
                                              {"appointment", "预约"},
                                              {"feedback", "反馈"},
                                              {"unsubscribe", "退订"},
                                              {"other", "其他"}}};

}  // namespace

const char* name_of(Intent intent) { return kNames[static_cast<std::size_t>(intent)].name; }

const char* label_of(Intent intent, text::Language language) {
  return language == text::Language::kZh ? kNames[static_cast<std::size_t>(intent)].zh
                                         : name_of(intent);
}

std::optional<Intent> intent_of(std::string_view name) {
  for (const Intent intent : kAllIntents)
    if (name == name_of(intent) || name == label_of(intent, text::Language::kZh)) return intent;
  return std::nullopt;
}

}  // namespace yyc3::dialogue
