// Talk to a flow by typing: flow_chat FLOWS FLOW zh|en [NLU.MODEL [TEXT_TABLES]]
// A line is what the customer says; an empty one is silence; "#5" presses the key 5.
#include <fmt/format.h>
#include <iostream>

#include "product/dialogue/session.hpp"

using namespace yyc3;
using namespace yyc3::dialogue;

namespace {

void print(const Reply& reply) {
  fmt::print("[{}] {}\n", reply.node, reply.text());
  if (!reply.answer.empty()) fmt::print("    understood: {}\n", reply.answer);
  for (const Action& action : reply.actions) {
    if (const auto* add = std::get_if<AddDoNotCall>(&action))
      fmt::print("    do-not-call: {}\n", add->reason);
    if (const auto* book = std::get_if<BookSlot>(&action))
      fmt::print("    book: {} {:02}:{:02}\n", text::say_date(book->when.date, text::Language::kEn),
                 book->when.time.hour, book->when.time.minute);
    if (const auto* set = std::get_if<SetDisposition>(&action)) fmt::print("    {}\n", set->value);
    if (const auto* to = std::get_if<Transfer>(&action))
      fmt::print("    hand over: {}\n", to->reason);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return fmt::print(stderr, "flow_chat FLOWS FLOW zh|en [MODEL [TABLES]]\n"), 2;
  const auto flows = FlowLibrary::load(argv[1]);
  if (!flows) return fmt::print(stderr, "{}\n", flows.error().detail), 1;
  const auto flow = flows->find(argv[2]);
  if (!flow) return fmt::print(stderr, "no flow {}\n", argv[2]), 1;
  Understanding::Parts parts;
  if (argc > 4)
    if (auto model = IntentModel::load(argv[4])) parts.model = *model;
  if (argc > 5)
    if (auto tables = text::Tables::load(argv[5])) parts.tables = *tables;
  SessionContext context;
  context.language = std::string_view(argv[3]) == "en" ? text::Language::kEn : text::Language::kZh;
  context.variables = {{"appointment_time", "2026-11-25T15:30"}, {"customer_name", "王女士"}};
  if (context.language == text::Language::kEn) context.variables["customer_name"] = "Ms Wang";
  const text::LocalDateTime now{{2026, 11, 24}, {10, 0}};
  auto session = DialogueSession::create(
      flow, std::make_shared<const Understanding>(std::move(parts)), context);
  if (!session) return fmt::print(stderr, "{}\n", session.error().detail), 1;
  print(session->start(now));
  for (std::string line; !session->ended() && std::getline(std::cin, line);) {
    fmt::print("> {}\n", line);
    if (line.size() == 2 && line[0] == '#') {
      if (const auto reply = session->on_dtmf(line[1], now)) print(*reply);
    } else {
      print(line.empty() ? session->on_silence(now)
                         : session->on_heard({line, 1, context.language}, now));
    }
  }
}
