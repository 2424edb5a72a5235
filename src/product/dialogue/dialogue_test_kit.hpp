#pragma once

#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <memory>
#include <string>
#include <unistd.h>

#include "house/paths.hpp"
#include "product/dialogue/session.hpp"

/// What the tests of this room share: the shipped flows, the trained model, the word tables.
namespace yyc3::dialogue::kit {

inline std::filesystem::path tables_folder() {
  if (const char* set = std::getenv("AICALL_MODELS"); set != nullptr && *set != '\0')
    return std::filesystem::path(set) / "text";
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path base =
      cache != nullptr && *cache != '\0'
          ? std::filesystem::path(cache)
          : std::filesystem::path(home == nullptr ? "." : home) / ".cache";
  return base / "aicall" / "models" / "text";
}

inline std::shared_ptr<const Understanding> understanding() {
  static const auto shared = [] {
    auto tables = text::Tables::load(tables_folder());
    REQUIRE_MESSAGE(tables.has_value(), (tables ? std::string() : tables.error().detail));
    auto model = IntentModel::load(paths::build_dir() / "nlu.model");
    REQUIRE_MESSAGE(model.has_value(), (model ? std::string() : model.error().detail));
    return std::make_shared<const Understanding>(Understanding::Parts{*tables, *model});
  }();
  return shared;
}

inline std::shared_ptr<const Flow> reminder() {
  static const auto shared = [] {
    auto flows = FlowLibrary::load(paths::source_dir() / "flows");
    REQUIRE_MESSAGE(flows.has_value(), (flows ? std::string() : flows.error().detail));
    return flows->find("appointment_reminder");
  }();
  REQUIRE(shared != nullptr);
  return shared;
}

/// A Tuesday, 10 in the morning; the appointment is tomorrow at half past three.
inline constexpr text::LocalDateTime kNow{{2026, 11, 24}, {10, 0}};

inline DialogueSession session(text::Language language,
                               const std::shared_ptr<const Flow>& flow = reminder()) {
  SessionContext context;
  context.language = language;
  context.variables = {{"appointment_time", "2026-11-25T15:30"},
                       {"customer_name", language == text::Language::kZh ? "王女士" : "Ms Wang"}};
  auto made = DialogueSession::create(flow, understanding(), context);
  REQUIRE(made.has_value());
  return std::move(*made);
}

/// A path of this process alone.
inline std::filesystem::path scratch(const char* name) {
  return std::filesystem::temp_directory_path() / (std::string(name) + std::to_string(::getpid()));
}

template <class A>
const A* action(const Reply& reply) {
  for (const Action& each : reply.actions)
    if (const A* found = std::get_if<A>(&each)) return found;
  return nullptr;
}

}  // namespace yyc3::dialogue::kit
