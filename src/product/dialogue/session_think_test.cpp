#include <algorithm>

#include "product/dialogue/dialogue_test_kit.hpp"

namespace yyc3::dialogue {
namespace {

using kit::kNow;

constexpr const char* kOtherWords = "我开自己的车来有地方放吗";  // no rule knows them

HeardText words(std::string text, double confidence = 1) {
  return {std::move(text), confidence, text::Language::kZh, true, true};
}

/// At "can you make it".
DialogueSession reminded() {
  DialogueSession session = kit::session(text::Language::kZh);
  session.start(kNow);
  session.on_heard({"是的", 1, text::Language::kZh}, kNow);
  REQUIRE(session.node() == "remind");
  return session;
}

TEST_CASE("what rules do not understand a model is asked about, and nothing is said yet") {
  DialogueSession session = reminded();
  const Reply reply = session.on_heard(words(kOtherWords), kNow);
  REQUIRE(reply.think);
  CHECK(reply.say.empty());
  CHECK(reply.actions.empty());
  CHECK(reply.expect.answer);
  CHECK(reply.think->heard == kOtherWords);
  CHECK(reply.think->choices.back() == "都不是");
  CHECK(std::ranges::find(reply.think->choices, "能来") != reply.think->choices.end());
  CHECK(std::ranges::find(reply.think->choices, "停车") != reply.think->choices.end());
  CHECK(reply.think->user().find("请问您能按时到吗") != std::string::npos);

  SUBCASE("its choice of a question is answered, and ours asked again") {
    const Reply answer = session.on_thought("停车", kNow);
    CHECK(answer.answer == "faq:parking");
    CHECK(answer.text().find("楼下有停车场") != std::string::npos);
    CHECK(answer.text().find("请问您能按时到吗") != std::string::npos);
    REQUIRE(answer.understood);
    CHECK(session.node() == "remind");
  }
  SUBCASE("its choice of an answer leads on where nothing depends on it") {
    CHECK(session.on_thought("改时间", kNow).text().find("您想改到哪一天") != std::string::npos);
    CHECK(session.node() == "ask_time");
  }
  SUBCASE("none of them, rubbish and no answer at all are as if it had not been there") {
    DialogueSession without = reminded();
    HeardText plain = words(kOtherWords, 0.5);
    plain.may_think = false;
    const std::string expected = without.on_heard(plain, kNow).text();
    DialogueSession rubbish = session.copy();
    DialogueSession none = reminded();
    REQUIRE(none.on_heard(words(kOtherWords, 0.5), kNow).think);
    CHECK(none.on_thought("都不是", kNow).text() == expected);
    CHECK(rubbish.on_thought("DROP TABLE", kNow).text() == expected);
    CHECK(session.on_not_thought(kNow).text() == expected);
    CHECK(session.to_json() == without.to_json());
    CHECK(none.to_json() == without.to_json());
  }
  SUBCASE("a question that was heard well and is none of them asks something else") {
    DialogueSession again = reminded();
    CHECK(again.on_heard(words(kOtherWords), kNow).think->none.empty());  // "none" says enough
    CHECK(again.on_heard(words(kOtherWords, 0.5), kNow).think->none == "都不是");
    const Reply answer = session.on_thought("都不是", kNow);
    CHECK(answer.answer == "unknown");
    CHECK(answer.text().find("请问您能按时到吗") != std::string::npos);
  }
  SUBCASE("when something else happened first, the choice is nobody's") {
    session.on_silence(kNow);
    const Reply late = session.on_thought("取消", kNow);
    CHECK(late.say.empty());
    CHECK(session.node() == "remind");
  }
}

TEST_CASE(
    "a model is not asked about what rules know, murmurs heard unsurely, or when there is none") {
  DialogueSession session = reminded();
  CHECK_FALSE(session.copy().on_heard(words("停车方便吗"), kNow).think);
  CHECK_FALSE(session.copy().on_heard(words("能来"), kNow).think);
  CHECK_FALSE(session.copy().on_heard(words("别再给我打电话了"), kNow).think);
  CHECK_FALSE(session.copy().on_heard(words(kOtherWords, 0.3), kNow).think);
  CHECK_FALSE(session.copy().on_heard(words(""), kNow).think);
  HeardText alone = words(kOtherWords);
  alone.may_think = false;
  CHECK_FALSE(session.copy().on_heard(alone, kNow).think);
}

TEST_CASE("a guess neither names nor cancels what one is not sure of") {
  DialogueSession session = kit::session(text::Language::kZh);
  session.start(kNow);
  REQUIRE(session.on_heard(words("欸我这边信号一般般"), kNow).think);
  const Reply reply = session.on_thought("是", kNow);  // would tell the appointment to a stranger
  CHECK(reply.answer == "no_match");
  CHECK(session.node() == "greet");
  REQUIRE(session.on_heard(words("欸我这边信号一般般"), kNow).think);
  session.on_thought("是", kNow);  // twice the same is sure
  CHECK(session.node() == "remind");
}

TEST_CASE("a question without an answer is told from an answer where anything may be said") {
  DialogueSession session = kit::session(text::Language::kZh);
  session.start(kNow);
  for (const char* said : {"是的", "能来", "有"})
    session.on_heard({said, 1, text::Language::kZh}, kNow);
  REQUIRE(session.node() == "what_else");
  const Reply reply = session.on_heard(words("你们医生都是哪个学校毕业的呢"), kNow);
  REQUIRE(reply.think);
  SUBCASE("it is answered with what is said of such") {
    const Reply answer = session.on_thought("问别的事情", kNow);
    CHECK(answer.answer == "unknown");
    CHECK(answer.text() == "嗯，您问的这个问题，我跟您说一下，");
    REQUIRE(answer.wording);  // the flow lets a model speak here
    CHECK(answer.wording->heard == "你们医生都是哪个学校毕业的呢");
    CHECK(answer.wording->facts.find("执照") != std::string::npos);
    CHECK(answer.wording->instead.front().text.find("这个我不太清楚") != std::string::npos);
    CHECK(answer.wording->after.front().text == "您还想问什么呢？");
    CHECK(session.node() == "what_else");
    CHECK(session.wording_ahead()->system == answer.wording->system);
  }
  SUBCASE("none of it: as before, a person") {
    CHECK(kit::action<Transfer>(session.on_thought("都不是", kNow)) != nullptr);
  }
}

TEST_CASE("a question with a \"not\" in it is no answer") {
  DialogueSession unsure = reminded();
  CHECK(unsure.on_heard(words("检查不用空腹吗"), kNow).think);
  DialogueSession asks_price = reminded();
  CHECK(asks_price.on_heard(words("贵不贵啊"), kNow).answer == "faq:price");
  for (const char* asks : {"种牙你们做不做", "不用空腹去检查吗"}) {
    DialogueSession session = reminded();
    session.on_heard(words("能来"), kNow);
    REQUIRE(session.node() == "confirmed");
    CHECK_MESSAGE(session.on_heard(words(asks), kNow).think, asks);
    CHECK(session.node() == "confirmed");
  }
}

TEST_CASE("a guess ends no call, and a question is taken for neither yes nor no nor a goodbye") {
  DialogueSession session = kit::session(text::Language::kZh);
  session.start(kNow);
  for (const char* said : {"是的", "能来"}) session.on_heard({said, 1, text::Language::kZh}, kNow);
  REQUIRE(session.node() == "confirmed");
  const Reply asked = session.on_heard(words("检查之前要空腹吗"), kNow);
  REQUIRE(asked.think);
  const auto& choices = asked.think->choices;
  for (const char* none : {"是", "不是", "没有了"})
    CHECK_MESSAGE(std::ranges::find(choices, none) == choices.end(), none);
  CHECK(std::ranges::find(choices, "问别的事情") != choices.end());
  CHECK(session.copy().on_thought("不是", kNow).answer == "unknown");  // an engine's own idea
  REQUIRE(session.on_heard(words("隔壁老王都挺好的呀"), kNow).think);
  CHECK(session.on_thought("不是", kNow).answer == "no_match");
  CHECK_FALSE(session.ended());
}

TEST_CASE("a clear question where a model may speak is answered in any case, and a lead-in fits") {
  DialogueSession session = reminded();
  const std::string question = "检查之前要空腹吗";
  CHECK(session.copy().on_heard(words(question), kNow).meanwhile.empty());  // it may not speak here
  session.on_heard(words("能来"), kNow);
  REQUIRE(session.node() == "confirmed");
  HeardText dumb = words(question);
  dumb.may_speak = false;
  CHECK(session.copy().on_heard(dumb, kNow).meanwhile.empty());
  CHECK(session.copy().on_heard(words(question, 0.5), kNow).meanwhile.empty());
  CHECK(session.copy().on_heard(words("隔壁老王都挺好的呀"), kNow).meanwhile.empty());
  const Reply reply = session.on_heard(words(question), kNow);
  REQUIRE(reply.think);
  REQUIRE(reply.meanwhile.size() == 1);
  CHECK(reply.meanwhile[0].text == "嗯，您问的这个问题，我跟您说一下，");
  CHECK(session.copy().on_thought("停车", kNow).answer == "faq:parking");
  const Reply late = session.on_not_thought(kNow);
  CHECK(late.answer == "unknown");
  REQUIRE(late.wording);
  CHECK(late.wording->heard == question);
}

TEST_CASE("what will be asked is known while the bot still asks") {
  DialogueSession session = reminded();
  const auto ahead = session.think_ahead();
  REQUIRE(ahead);
  const Reply reply = session.on_heard(words(kOtherWords), kNow);
  REQUIRE(reply.think);
  CHECK(ahead->system == reply.think->system);
  CHECK(ahead->before == reply.think->before);
  CHECK(ahead->choices == reply.think->choices);
  CHECK(ahead->heard.empty());
}

TEST_CASE("choices of every question are told apart, in both languages") {
  const auto flow = kit::reminder();
  for (const auto language : {text::Language::kZh, text::Language::kEn})
    for (const Node& node : flow->nodes) {
      if (!node.ask) continue;
      CAPTURE(node.id);
      const auto meanings = meanings_at(*flow, node, language);
      CHECK(meanings.size() >= 3);
      CHECK(meanings.size() <= 32);
      std::vector<std::string> labels;
      for (const Meaning& each : meanings) labels.push_back(each.label);
      std::ranges::sort(labels);
      CHECK(std::ranges::adjacent_find(labels) == labels.end());
    }
}

}  // namespace
}  // namespace yyc3::dialogue
