#pragma once

#include <optional>

#include "product/call/speaker.hpp"

namespace yyc3::call {

/// What of "an AI is calling" was played: text, milliseconds of it and of the whole.
struct DisclosureHeard {
  std::string text;
  std::uint64_t started_at = 0;
  Milliseconds played{0};
  Milliseconds whole{0};
};

/// Of the first reply: the clause that says an AI is calling. Nothing when none does.
std::optional<DisclosureHeard> disclosure_heard(const Spoken& spoken);

}  // namespace yyc3::call
