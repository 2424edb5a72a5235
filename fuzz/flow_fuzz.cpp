#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "product/dialogue/session.hpp"

using namespace yyc3;
using namespace yyc3::dialogue;

// A flow that is accepted can be played to its end: whatever is pressed or said, it asks or ends.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto flow = parse_flow({reinterpret_cast<const char*>(data), size});
  if (!flow) {
    if (flow.error().detail.empty()) std::abort();  // refused without a reason
    return 0;
  }
  static const auto understanding =
      std::make_shared<const Understanding>(Understanding::Parts{nullptr, nullptr});
  const text::LocalDateTime now{{2026, 11, 24}, {10, 0}};
  const auto shared = std::make_shared<const Flow>(std::move(*flow));
  for (const auto language : {text::Language::kZh, text::Language::kEn}) {
    if (!shared->speaks(language)) continue;
    (void)prompts(*shared, language);
    SessionContext context{language, {{"appointment_time", "2026-11-25T15:30"}}};
    for (const auto& [name, variable] : shared->variables)
      if (variable.kind == VariableKind::kDateTime) context.variables[name] = "2026-11-25T15:30";
    auto session = DialogueSession::create(shared, understanding, context);
    if (!session) continue;
    Reply reply = session->start(now);
    for (int step = 0; step < 2000 && !session->ended(); ++step) {
      if (!reply.expect.answer) std::abort();  // neither asks nor has ended
      const char key = static_cast<char>('0' + (size + static_cast<std::size_t>(step)) % 10);
      if (step % 3 == 0)
        reply = session->on_heard({step % 2 == 0 ? "好的" : "no", 1, language}, now);
      else if (auto pressed = session->on_dtmf(key, now))
        reply = std::move(*pressed);
    }
    if (!session->ended()) std::abort();
  }
  return 0;
}
