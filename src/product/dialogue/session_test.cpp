#include "product/dialogue/dialogue_test_kit.hpp"

namespace yyc3::dialogue {
namespace {

using kit::action;
using kit::kNow;
constexpr auto kZh = text::Language::kZh;
constexpr auto kEn = text::Language::kEn;

/// One thing the customer does, and where the dialogue then stands.
/// "": silence; "#5": a key; "?": speech nobody could make out; else words.
struct Line {
  const char* says;
  const char* node;
};

/// Plays a conversation; after every step the state goes through JSON and back.
Reply play(DialogueSession& session, text::Language language, const std::vector<Line>& lines) {
  Reply last = session.start(kNow);
  for (const Line& line : lines) {
    const json::value stored = session.to_json();
    auto again = DialogueSession::restore(kit::reminder(), kit::understanding(), stored);
    REQUIRE_MESSAGE(again.has_value(), (again ? std::string() : again.error().detail));
    CHECK(json::value(again->to_json()) == stored);
    session = std::move(*again);
    const std::string says = line.says;
    if (says.size() == 2 && says[0] == '#') {
      if (auto reply = session.on_dtmf(says[1], kNow)) last = std::move(*reply);
    } else if (says.empty()) {
      last = session.on_silence(kNow);
    } else {
      last = session.on_heard({says == "?" ? "" : says, 0.9, language}, kNow);
    }
    INFO("customer: ", says, " | bot: ", last.text(), " | counted as: ", last.answer);
    CHECK(session.node() == line.node);
  }
  return last;
}

struct Conversation {
  const char* title;
  text::Language language;
  std::vector<Line> lines;
  const char* disposition;
};

const std::vector<Conversation>& conversations() {
  static const std::vector<Conversation> all{
      {"confirms",
       kZh,
       {{"是我", "remind"}, {"能来", "confirmed"}, {"没有了", "farewell"}},
       "confirmed"},
      {"plain yes",
       kZh,
       {{"对", "remind"}, {"可以", "confirmed"}, {"不用了谢谢", "farewell"}},
       "confirmed"},
      {"has nothing else to ask",
       kZh,
       {{"是的", "remind"},
        {"可以", "confirmed"},
        {"有", "what_else"},
        {"没有别的事了", "farewell"}},
       "confirmed"},
      {"says the time back",
       kZh,
       {{"是的", "remind"}, {"对，周三下午三点半", "confirmed"}},
       "confirmed"},
      {"reschedules in pieces",
       kZh,
       {{"我就是", "remind"},
        {"那天有事，我想改个时间", "ask_time"},
        {"周五吧", "ask_hour"},
        {"下午三点", "check_time"},
        {"对", "rescheduled"},
        {"没了", "farewell"}},
       "rescheduled"},
      {"reschedules in one breath",
       kZh,
       {{"是我", "remind"}, {"能改到后天上午十点吗", "check_time"}, {"好的", "rescheduled"}},
       "rescheduled"},
      {"corrects the hour",
       kZh,
       {{"是我", "remind"},
        {"换个时间", "ask_time"},
        {"后天上午十点", "check_time"},
        {"不对，是下午四点", "check_time"},
        {"对的", "rescheduled"}},
       "rescheduled"},
      {"part of the day first",
       kZh,
       {{"是我", "remind"},
        {"改时间", "ask_time"},
        {"周五晚上", "ask_hour"},
        {"八点", "check_time"},
        {"对", "rescheduled"}},
       "rescheduled"},
      {"a time gone by",
       kZh,
       {{"是我", "remind"},
        {"改时间", "ask_time"},
        {"今天上午九点", "past_time"},
        {"明天上午九点", "check_time"}},
       ""},
      {"a day that is not",
       kZh,
       {{"是我", "remind"}, {"改时间", "ask_time"}, {"二月三十号", "bad_time"}},
       ""},
      {"cancels",
       kZh,
       {{"是我", "remind"},
        {"不去了，取消吧", "check_cancel"},
        {"是的", "cancelled"},
        {"没事了", "farewell"}},
       "cancelled"},
      {"cannot come, keeps it",
       kZh,
       {{"是我", "remind"}, {"去不了", "offer"}, {"还是去吧", "confirmed"}},
       "confirmed"},
      {"asks before answering",
       kZh,
       {{"是我", "remind"},
        {"地址在哪里啊", "remind"},
        {"要多少钱", "remind"},
        {"能去", "confirmed"}},
       "confirmed"},
      {"yes and a question",
       kZh,
       {{"是我", "remind"}, {"可以，停车方便吗", "confirmed"}},
       "confirmed"},
      {"a yes heard as no", kZh, {{"不,我就是", "remind"}}, ""},
      {"somebody of the family", kZh, {{"不是，我是他爱人", "wrong_person"}}, "wrong_number"},
      {"another person", kZh, {{"不是", "wrong_person"}}, "wrong_number"},
      {"wrong number", kZh, {{"你打错了", "wrong_person"}}, "wrong_number"},
      {"busy", kZh, {{"我在开会", "busy"}}, "call_back"},
      {"who, repeat, hold",
       kZh,
       {{"你是谁啊", "greet"},
        {"再说一遍", "greet"},
        {"等一下", "greet"},
        {"", "greet"},
        {"喂", "greet"},
        {"是我", "remind"}},
       ""},
      {"says wait, and more",
       kZh,
       {{"是我", "remind"},
        {"等一下，请问你们的地址在哪里", "remind"},
        {"等一下", "remind"},
        {"等等，我想改个时间", "ask_time"},
        {"等一下", "ask_time"}},
       ""},
      {"homophones of the recogniser",
       kZh,
       {{"是沃", "remind"},
        {"我想该时间", "ask_time"},
        {"后天下午两点", "check_time"},
        {"对", "rescheduled"}},
       "rescheduled"},
      {"human by sound", kZh, {{"功克服", "to_person"}}, "transferred"},
      {"silent three times",
       kZh,
       {{"", "greet"}, {"", "greet"}, {"", "nobody_there"}},
       "no_response"},
      {"speech fails, keys work",
       kZh,
       {{"?", "greet"},
        {"?", "greet"},
        {"#1", "remind"},
        {"叽里咕噜", "remind"},
        {"呜啦啦", "remind"},
        {"#2", "ask_time"},
        {"#1", "ask_time"},
        {"#1", "ask_time"},
        {"#2", "ask_time"},
        {"#6", "ask_time"},
        {"#1", "ask_time"},
        {"#5", "ask_time"},
        {"#0", "ask_time"},
        {"#0", "check_time"},
        {"#1", "rescheduled"}},
       "rescheduled"},
      {"keys fail too",
       kZh,
       {{"?", "greet"}, {"?", "greet"}, {"#9", "greet"}, {"?", "gave_up"}},
       "not_understood"},
      {"zero for a person", kZh, {{"是我", "remind"}, {"#0", "to_person"}}, "transferred"},
      {"complains", kZh, {{"是我", "remind"}, {"我要投诉你们", "to_manager"}}, "complaint"},
      {"is furious",
       kZh,
       {{"是我", "remind"}, {"你们这帮骗子，太垃圾了", "to_manager"}},
       "complaint"},
      {"asks something new",
       kZh,
       {{"是我", "remind"},
        {"没问题", "confirmed"},
        {"有", "what_else"},
        {"我想让医生看看智齿", "pass_on"}},
       "question_passed_on"},
      {"confirms",
       kEn,
       {{"Yes, speaking.", "remind"},
        {"Sure, I'll be there.", "confirmed"},
        {"No, that's all.", "farewell"}},
       "confirmed"},
      {"reschedules",
       kEn,
       {{"yes", "remind"},
        {"I can't make it", "offer"},
        {"reschedule", "ask_time"},
        {"Friday", "ask_hour"},
        {"at 3 pm", "check_time"},
        {"yes", "rescheduled"},
        {"no thanks", "farewell"}},
       "rescheduled"},
      {"cancels",
       kEn,
       {{"yes", "remind"}, {"please cancel it", "check_cancel"}, {"yes", "cancelled"}},
       "cancelled"},
      {"does not cancel",
       kEn,
       {{"yes", "remind"}, {"don't cancel, I'll come", "confirmed"}},
       "confirmed"},
      {"asks",
       kEn,
       {{"yes", "remind"}, {"how much does it cost?", "remind"}, {"who is this?", "remind"}},
       ""},
      {"wants a person", kEn, {{"can I talk to a real person", "to_person"}}, "transferred"},
      {"silent", kEn, {{"", "greet"}, {"", "greet"}, {"", "nobody_there"}}, "no_response"}};
  return all;
}

}  // namespace

TEST_CASE("whole conversations, through a restart after every step") {
  for (const Conversation& talk : conversations()) {
    INFO("conversation: ", talk.title, talk.language == kZh ? " zh" : " en");
    DialogueSession session = kit::session(talk.language);
    play(session, talk.language, talk.lines);
    CHECK(session.disposition() == talk.disposition);
  }
}

TEST_CASE("the first words say that a machine calls, and cannot be interrupted") {
  for (const auto language : {kZh, kEn}) {
    DialogueSession session = kit::session(language);
    const Reply reply = session.start(kNow);
    const std::string text = reply.text();
    CHECK(text.find(language == kZh ? "我是云杉口腔的智能语音助手"
                                    : "AI assistant calling on behalf of") != std::string::npos);
    CHECK(reply.expect.interruptible_after == kNeverInterruptible);
    CHECK(reply.expect.answer);
    CHECK(reply.expect.grammar == Grammar::kYesNo);
    REQUIRE(reply.say.size() >= 2);
    CHECK(reply.say[0].cacheable);
    CHECK(reply.say[1].variable);  // the name: memory only
    CHECK_FALSE(reply.say[1].cacheable);
    CHECK(session.on_silence(kNow).expect.interruptible_after ==
          Milliseconds{0});  // asked again: heard once already
  }
}

TEST_CASE("opt-out at every question: listed before the goodbye, then the call ends") {
  const std::vector<std::vector<Line>> ways{
      {},
      {{"是我", "remind"}},
      {{"是我", "remind"}, {"去不了", "offer"}},
      {{"是我", "remind"}, {"改时间", "ask_time"}},
      {{"是我", "remind"}, {"改到周五", "ask_hour"}},
      {{"是我", "remind"}, {"改到后天上午十点", "check_time"}},
      {{"是我", "remind"}, {"取消", "check_cancel"}},
      {{"是我", "remind"}, {"能来", "confirmed"}},
      {{"是我", "remind"}, {"能来", "confirmed"}, {"有", "what_else"}}};
  for (const auto& way : ways)
    for (const char* words :
         {"别再打了", "你们不要再给我打电话了", "退订", "别在打了", "不要再打来"}) {
      DialogueSession session = kit::session(kZh);
      play(session, kZh, way);
      const Reply reply = session.on_heard({words, 0.1, kZh}, kNow);
      INFO(words, " at ", way.empty() ? "greet" : way.back().node);
      REQUIRE(action<AddDoNotCall>(reply) != nullptr);
      CHECK(action<AddDoNotCall>(reply)->reason == words);
      CHECK(std::holds_alternative<AddDoNotCall>(reply.actions.front()));
      CHECK(std::holds_alternative<HangUp>(reply.actions.back()));
      CHECK(session.disposition() == "opted_out");
      CHECK(session.ended());
      CHECK_FALSE(reply.expect.answer);
    }
  for (const char* words :
       {"stop calling me", "remove me from your list", "please don't call again"}) {
    DialogueSession session = kit::session(kEn);
    session.start(kNow);
    CHECK(action<AddDoNotCall>(session.on_heard({words, 0.9, kEn}, kNow)) != nullptr);
  }
  DialogueSession session = kit::session(kZh);
  session.start(kNow);
  for (const char* words : {"你晚点再打给我吧", "取消", "不要", "不需要"})
    CHECK(action<AddDoNotCall>(session.on_heard({words, 0.9, kZh}, kNow)) == nullptr);
}

TEST_CASE("a booked time is what was agreed, once") {
  DialogueSession session = kit::session(kZh);
  const Reply reply =
      play(session, kZh,
           {{"是我", "remind"}, {"改到周五下午四点半", "check_time"}, {"对", "rescheduled"}});
  const auto* book = action<BookSlot>(reply);
  REQUIRE(book != nullptr);
  CHECK(book->slot == "new_time");
  CHECK(book->when == text::LocalDateTime{{2026, 11, 27}, {16, 30}});
  CHECK(session.slots().at("new_time") == "2026-11-27T16:30");
}

TEST_CASE("an unsure yes books nothing") {
  DialogueSession session = kit::session(kZh);
  play(session, kZh, {{"是我", "remind"}, {"改到周五下午四点", "check_time"}});
  const Reply reply = session.on_heard({"对", 0.2, kZh}, kNow);
  CHECK(action<BookSlot>(reply) == nullptr);
  CHECK(session.node() == "check_time");

  SUBCASE("the same answer again is sure") {
    CHECK(action<BookSlot>(session.on_heard({"对", 0.2, kZh}, kNow)) != nullptr);
    CHECK(session.node() == "rescheduled");
  }
  SUBCASE("another answer between, and it begins anew") {
    SUBCASE("said clearly") { session.on_heard({"苹果", 0.9, kZh}, kNow); }
    SUBCASE("or the other one, unsurely too") { session.on_heard({"不对", 0.2, kZh}, kNow); }
    CHECK(action<BookSlot>(session.on_heard({"对", 0.2, kZh}, kNow)) == nullptr);
  }
  SUBCASE("what nobody could make out between takes it not back") {
    // Heard on a real call: 对的, 不知道 (for 对的), 你说什么, 对的, and the keypad was offered.
    session.on_heard({"不知道", 0.36, kZh}, kNow);
    session.on_heard({"你说什么，能再说一遍吗", 0.9, kZh}, kNow);
    CHECK(action<BookSlot>(session.on_heard({"对的", 0.36, kZh}, kNow)) != nullptr);
  }
  SUBCASE("asked what it said, the bot says the question and not the excuse") {
    const Reply again = session.on_heard({"你说什么，能再说一遍吗", 0.9, kZh}, kNow);
    CHECK(again.answer == "repeat");
    CHECK(again.text().find("没听清") == std::string::npos);
    CHECK(again.text().find("对吗") != std::string::npos);
    // Heard on a real call: 对的, 你说什么, 对的, 你说什么, 对的, and the bot gave up.
    CHECK(action<BookSlot>(session.on_heard({"对的", 0.3, kZh}, kNow)) != nullptr);
  }
}

TEST_CASE("an unsure no ends no call; twice, it does") {
  DialogueSession session = kit::session(kZh);
  session.start(kNow);
  const Reply asked = session.on_heard({"不", 0.09, kZh}, kNow);
  CHECK(action<HangUp>(asked) == nullptr);
  CHECK(session.node() == "greet");
  CHECK(session.disposition().empty());
  CHECK(action<HangUp>(session.on_heard({"不是", 0.09, kZh}, kNow)) != nullptr);
  CHECK(session.disposition() == "wrong_number");
}

TEST_CASE("an unsure yes to \"are you Ms Wang\" tells nobody of her appointment") {
  DialogueSession session = kit::session(kZh);
  session.start(kNow);
  const Reply asked = session.on_heard({"是的", 0.2, kZh}, kNow);
  CHECK(session.node() == "greet");
  CHECK(asked.text().find("没听清") != std::string::npos);
  session.on_heard({"是的", 0.2, kZh}, kNow);
  CHECK(session.node() == "remind");
  // What she was told already needs no such care.
  session.on_heard({"能来", 0.2, kZh}, kNow);
  CHECK(session.node() == "confirmed");
}

TEST_CASE("an unsure \"wrong number\" is asked for again") {
  DialogueSession session = kit::session(kZh);
  session.start(kNow);
  CHECK(session.on_heard({"你打错了", 0.3, kZh}, kNow).answer == "no_match");
  CHECK_FALSE(session.ended());
  session.on_heard({"你打错了", 0.3, kZh}, kNow);
  CHECK(session.disposition() == "wrong_number");
}

TEST_CASE("no time or no interest at the greeting is no wrong number") {
  const auto ends_as = [](const char* words) {
    DialogueSession session = kit::session(kZh);
    session.start(kNow);
    session.on_heard({words, 0.9, kZh}, kNow);
    return session.disposition();
  };
  CHECK(ends_as("没空") == "call_back");
  CHECK(ends_as("没时间") == "call_back");
  CHECK(ends_as("不感兴趣") == "declined");
  CHECK(ends_as("不是我") == "wrong_number");
}

TEST_CASE("who only ever says \"once more\" is not told the same for ever") {
  DialogueSession session = kit::session(kZh);
  play(session, kZh, {{"是我", "remind"}});
  for (int i = 0; i < 3; ++i)
    CHECK(session.on_heard({"不好意思，您再说一遍", 0.9, kZh}, kNow).answer == "repeat");
  CHECK(session.on_heard({"不好意思，您再说一遍", 0.9, kZh}, kNow).answer == "no_match");
  int more = 0;
  while (!session.ended() && ++more < 20)
    session.on_heard({"不好意思，您再说一遍", 0.9, kZh}, kNow);
  CHECK(more < 6);
}

TEST_CASE("half a question heard wrong confirms nothing") {
  for (const char* heard : {"那是用,大概是多少?", "那会用,大概是多少?"}) {
    DialogueSession session = kit::session(kZh);
    play(session, kZh, {{"是我", "remind"}, {heard, "remind"}});
  }
}

TEST_CASE("a transfer that fails ends politely") {
  DialogueSession session = kit::session(kZh);
  const Reply moved = play(session, kZh, {{"转人工", "to_person"}});
  REQUIRE(action<Transfer>(moved) != nullptr);
  CHECK(action<Transfer>(moved)->reason == "human");
  CHECK_FALSE(moved.expect.answer);
  const Reply failed = session.on_transfer_failed(kNow);
  CHECK(action<HangUp>(failed) != nullptr);
  CHECK(session.disposition() == "callback_requested");
  CHECK(session.on_heard({"喂", 1, kZh}, kNow).say.empty());  // over is over
}

TEST_CASE("judge and interrupts") {
  constexpr Milliseconds kSpoken{900};
  DialogueSession session = kit::session(kZh);
  DialogueSession greeted = kit::session(kZh);
  greeted.start(kNow);
  CHECK(greeted.judge("对", kNow) == Completeness::kComplete);  // "对，我就是" may follow
  CHECK(greeted.judge("对，我就是王女士本人", kNow) == Completeness::kSatisfied);
  for (const char* closed : {"没有了，谢谢", "是的，没问题。", "好的，就这样吧", "对，再见",
                             "对，我是", "是的，可以", "没有别的事了"})
    CHECK_MESSAGE(greeted.judge(closed, kNow) == Completeness::kSatisfied, closed);
  DialogueSession in_english = kit::session(kEn);
  in_english.start(kNow);
  CHECK(in_english.judge("Yes.", kNow) == Completeness::kComplete);
  for (const char* closed : {"Yes, that's it.", "No, thank you.", "Yes, goodbye.", "Yes, I am."})
    CHECK_MESSAGE(in_english.judge(closed, kNow) == Completeness::kSatisfied, closed);
  CHECK(greeted.judge("谢谢", kNow) != Completeness::kSatisfied);  // "谢谢，我想问…"
  play(session, kZh, {{"是我", "remind"}, {"改时间", "ask_time"}});
  CHECK(session.judge("后天下午三点", kNow) == Completeness::kSatisfied);
  CHECK(session.judge("后天三点", kNow) == Completeness::kSatisfied);
  CHECK(session.judge("后天", kNow) == Completeness::kUnclear);
  CHECK(session.judge("星期六下午", kNow) == Completeness::kComplete);
  CHECK(session.judge("下午", kNow) == Completeness::kUnfinished);
  CHECK(session.judge("我想改到", kNow) == Completeness::kUnfinished);
  CHECK(session.judge("等一下", kNow) == Completeness::kUnfinished);
  CHECK(session.judge("等一下，我想问一下", kNow) == Completeness::kUnfinished);
  CHECK(session.judge("等一下，停车方便吗？", kNow) == Completeness::kSatisfied);
  for (const char* open : {"我想问一下", "请问你们", "不好意思", "嗯", "我那天", "能不能", "帮我"})
    CHECK_MESSAGE(session.judge(open, kNow) == Completeness::kUnfinished, open);
  for (const char* whole :
       {"对我就是", "你们的地址在哪里", "多少钱", "不好意思我来不了", "我想改个时间"})
    CHECK_MESSAGE(session.judge(whole, kNow) != Completeness::kUnfinished, whole);
  CHECK(session.judge("转人工", kNow) == Completeness::kSatisfied);
  CHECK(session.judge("停车方便吗", kNow) == Completeness::kSatisfied);
  DialogueSession asked = kit::session(kZh);
  play(asked, kZh, {{"是我", "remind"}, {"能来", "confirmed"}, {"有", "what_else"}});
  CHECK(asked.judge("停车方便吗", kNow) == Completeness::kSatisfied);
  CHECK(asked.judge("没有了，谢谢", kNow) == Completeness::kSatisfied);
  CHECK(asked.judge("我上次补的牙有点松", kNow) == Completeness::kComplete);
  CHECK(session.judge("", kNow) == Completeness::kUnclear);
  for (const char* listening : {"嗯", "嗯嗯", "好的", "对", "哦。", "知道了", "恩恩恩恩",
                                "对对对是的", "号的号的", "知道了好的"})
    CHECK_FALSE(session.interrupts({listening, 0.9, kSpoken}, kNow));
  for (const char* stop : {"停", "等一下", "对对对等一下", "不用了", "你是谁", "别打了", "多少钱",
                           "后天", "周五", "我那天没有空"})
    CHECK_MESSAGE(session.interrupts({stop, 0.9, kSpoken}, kNow), stop);
  // What 嗯嗯, 是, 好的 and 知道 were heard as over the bot, on real calls.
  for (const char* murmur : {"请用", "好的好的", "吃饭", "吃的", "轮到", "这儿", "您来吧"})
    CHECK_FALSE_MESSAGE(session.interrupts({murmur, 0.7, kSpoken}, kNow), murmur);
  CHECK_FALSE(session.interrupts({"没了呀", 0.25, kSpoken}, kNow));
  CHECK_FALSE(session.interrupts({"几", 0.9, kSpoken}, kNow));
  CHECK(session.interrupts({"stop it", 0.9, kSpoken}, kNow));
  CHECK(session.interrupts({"人工", 0.25, kSpoken}, kNow));
  // 嗯嗯 and 是 again: too many words for the time, or a guess of the recogniser's.
  CHECK_FALSE(session.interrupts({"请用简体", 0.54, Milliseconds{268}}, kNow));
  CHECK_FALSE(session.interrupts({"你哪里啊", 0.27, kSpoken}, kNow));
  CHECK_FALSE(session.interrupts({"不", 0.35, kSpoken}, kNow));
  CHECK(session.interrupts({"不", 0.5, Milliseconds{230}}, kNow));
  CHECK(session.interrupts({"等一下", 0.5, Milliseconds{400}}, kNow));
  for (const char* told : {"多少钱", "我那天没有空", "我在开会呢"})
    CHECK_FALSE_MESSAGE(session.interrupts({told, 0.9, kSpoken, true}, kNow), told);
  for (const char* told : {"别再给我打电话了", "转人工", "等一下我有问题"})
    CHECK_MESSAGE(session.interrupts({told, 0.5, kSpoken, true}, kNow), told);
  DialogueSession english = kit::session(kEn);
  CHECK_FALSE(english.interrupts({"Mm-hmm.", 0.9, kSpoken}, kNow));
  CHECK_FALSE(english.interrupts({"Okay.", 0.9, kSpoken}, kNow));
  CHECK(english.interrupts({"wait a second", 0.9, kSpoken}, kNow));
  CHECK(english.interrupts({"No.", 0.9, kSpoken}, kNow));
}

TEST_CASE("what a call brings is checked, and named when wrong") {
  SessionContext context;
  const auto make = [&] {
    return DialogueSession::create(kit::reminder(), kit::understanding(), context);
  };
  auto made = make();
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().detail.find("variables.appointment_time: required") == 0);
  context.variables["appointment_time"] = "tomorrow";
  made = make();
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().detail.find("2026-11-25T15:30") != std::string::npos);
  context.variables["appointment_time"] = "2026-11-25T15:30";
  context.variables["customer_name"] = "{company}";
  CHECK_FALSE(make().has_value());
  context.variables["customer_name"] = "";
  context.variables["company"] = "远山医院";
  made = make();
  REQUIRE(made.has_value());
  const std::string text = made->start(kNow).text();
  CHECK(text == "您好，我是远山医院的智能语音助手，请问您是预约的客户吗？");
}

TEST_CASE("a stored state of another flow or with a bad field is refused") {
  DialogueSession session = kit::session(kZh);
  session.start(kNow);
  const auto restore = [&](const char* key, const json::value& value) {
    json::object state = session.to_json();
    state[key] = value;
    return DialogueSession::restore(kit::reminder(), kit::understanding(), state);
  };
  CHECK(restore("version", "0").error().code == ErrorCode::kConflict);
  for (const auto& [key, value] :
       std::initializer_list<std::pair<const char*, json::value>>{{"node", "nowhere"},
                                                                  {"node", "farewell"},
                                                                  {"turns", -1},
                                                                  {"keys", "12a"},
                                                                  {"stage", "asleep"},
                                                                  {"language", "fr"},
                                                                  {"slots", json::array{}},
                                                                  {"last", 3},
                                                                  {"parts", nullptr}}) {
    const auto again = restore(key, value);
    REQUIRE_FALSE(again.has_value());
    CHECK(again.error().detail.find(key) != std::string::npos);
  }
}

}  // namespace yyc3::dialogue
