#include "product/call/chat_memory.hpp"

#include <doctest/doctest.h>

namespace yyc3::call {
namespace {

using inference::Role;

TEST_CASE("a model is told the last six turns, then what was asked") {
  ChatMemory memory(text::Language::kZh);
  for (int i = 0; i < 9; ++i) {
    memory.add(Role::kAssistant, "bot " + std::to_string(i));
    memory.add(Role::kUser, "customer " + std::to_string(i));
  }
  const auto told = memory.messages("be brief", "and now?");
  REQUIRE(told.size() == 1 + ChatMemory::kRecent);
  CHECK(told.front().text == "be brief");
  CHECK(told[1].text == "bot 3");
  CHECK(told.back().role == Role::kUser);
  CHECK(told.back().text == "customer 8 and now?");
  memory.add(Role::kUser, "and now?");
  CHECK(memory.messages("", "and now?").back().text == "customer 8 and now?");
  CHECK(memory.to_sum_up().empty());
}

TEST_CASE("what is told begins alike for some turns: an engine that has read it goes on") {
  ChatMemory memory(text::Language::kZh);
  std::size_t moved = 0;
  std::string first;
  for (int i = 0; i < 20; ++i) {
    memory.add(i % 2 == 0 ? Role::kAssistant : Role::kUser, std::to_string(i));
    const std::string begins = memory.messages("", "?")[1].text;
    moved += begins == first ? 0 : 1;
    first = begins;
  }
  CHECK(moved == 2);  // "0", and "6" from the eighteenth message on
}

TEST_CASE("beyond twenty messages the older ones become a summary, which is carried along") {
  ChatMemory memory(text::Language::kZh);
  for (int i = 0; i < 11; ++i) {
    memory.add(Role::kAssistant, "bot " + std::to_string(i));
    memory.add(Role::kUser, "customer " + std::to_string(i));
  }
  const auto talk = memory.to_sum_up();
  REQUIRE(talk.size() == 2);
  CHECK(talk[1].text.find("客服：bot 0") != std::string::npos);
  CHECK(talk[1].text.find("客户：customer 2") != std::string::npos);
  CHECK(talk[1].text.find("customer 3") == std::string::npos);
  memory.add(Role::kAssistant, "said while the model sums up");
  memory.summed_up("谈过改时间");
  CHECK(memory.to_sum_up().empty());
  const auto told = memory.messages("be brief", "?");
  CHECK(told.front().text == "be brief\n此前谈过：谈过改时间");
  CHECK(told[1].text == "bot 3");
  CHECK(told[told.size() - 2].text == "said while the model sums up");
}

TEST_CASE("without a summary the oldest go: the memory is bounded") {
  ChatMemory memory(text::Language::kEn);
  for (int i = 0; i < 200; ++i) {
    memory.add(Role::kAssistant, "a");
    memory.add(Role::kUser, "b");
  }
  CHECK(memory.messages("", "?").size() <= 2 + ChatMemory::kRecent);
  std::size_t lines = 0;
  const auto talk = memory.to_sum_up();
  for (const char c : talk.back().text) lines += c == '\n' ? 1 : 0;
  CHECK(lines <= ChatMemory::kKeptMost - ChatMemory::kRecent);
}

}  // namespace
}  // namespace yyc3::call
