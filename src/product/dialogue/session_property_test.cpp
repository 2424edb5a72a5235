#include <rapidcheck.h>

#include "product/dialogue/dialogue_test_kit.hpp"

namespace yyc3::dialogue {
namespace {

using kit::kNow;

rc::Gen<std::string> words(bool zh) {
  const std::vector<std::string> said =
      zh ? std::vector<std::string>{"是我",       "对",       "不",       "改时间",
                                    "周五",       "下午三点", "取消",     "嗯",
                                    "地址在哪里", "喂",       "再说一遍", "等一下",
                                    "有",         "没有了",   "那天没空", "昨天",
                                    "二月三十号", "多少钱",   "你是谁",   "按原来的",
                                    "三点",       "晚上",     "哈哈哈哈", ""}
         : std::vector<std::string>{"yes",
                                    "no",
                                    "reschedule",
                                    "friday",
                                    "at 3 pm",
                                    "cancel",
                                    "okay",
                                    "hello",
                                    "",
                                    "where is it",
                                    "repeat that please",
                                    "hold on",
                                    "that's all",
                                    "yesterday",
                                    "blah"};
  return rc::gen::weightedOneOf<std::string>(
      {{8, rc::gen::elementOf(said)}, {1, rc::gen::string<std::string>()}});
}

}  // namespace

TEST_CASE(
    "whatever is said, pressed or left unsaid, the call asks or ends, and ends in bounded steps") {
  const bool held = rc::check("always asks or ends", [] {
    const bool zh = *rc::gen::arbitrary<bool>();
    const auto language = zh ? text::Language::kZh : text::Language::kEn;
    DialogueSession session = kit::session(language);
    Reply reply = session.start(kNow);
    // every answer counts against the limit; between two answers at most three silences
    const int most = (kit::reminder()->limits.turns + 2) * 12;
    int steps = 0;
    for (; steps < most && !session.ended(); ++steps) {
      RC_ASSERT(reply.expect.answer);
      const int what = *rc::gen::inRange(0, 10);
      if (what == 0) {
        reply = session.on_silence(kNow);
      } else if (what == 1) {
        const char key = *rc::gen::element('0', '1', '2', '3', '9', '*', '#', 'A');
        if (auto pressed = session.on_dtmf(key, kNow)) reply = std::move(*pressed);
      } else {
        const std::string text = *words(zh);
        (void)session.judge(text, kNow);
        (void)session.interrupts({text, 0.5, Milliseconds{800}}, kNow);
        reply = session.on_heard({text, *rc::gen::element(0.1, 0.9), language}, kNow);
      }
      const json::value stored = session.to_json();
      auto again = DialogueSession::restore(kit::reminder(), kit::understanding(), stored);
      RC_ASSERT(again.has_value());
      RC_ASSERT(json::value(again->to_json()) == stored);
      session = std::move(*again);
    }
    RC_ASSERT(session.ended());
    RC_ASSERT(!reply.say.empty());
    RC_ASSERT(!reply.actions.empty());
  });
  CHECK(held);
}

}  // namespace yyc3::dialogue
