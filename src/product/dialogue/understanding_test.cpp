#include <fstream>

#include "house/paths.hpp"
#include "product/dialogue/dialogue_test_kit.hpp"

namespace yyc3::dialogue {
namespace {

using kit::kNow;
constexpr auto kZh = text::Language::kZh;
constexpr auto kEn = text::Language::kEn;

const Entity* entity(const std::vector<Entity>& all, EntityKind kind) {
  for (const Entity& each : all)
    if (each.kind == kind) return &each;
  return nullptr;
}

}  // namespace

TEST_CASE("requests that hold at any moment") {
  struct Said {
    const char* text;
    text::Language language;
    Request request;
  };
  const Said all[]{{"别再打了", kZh, Request::kOptOut},
                   {"你们不要再打电话来了好吧", kZh, Request::kOptOut},
                   {"我在开会，不要再给我打电话了", kZh, Request::kOptOut},
                   {"请转人工", kZh, Request::kHuman},
                   {"砖人工", kZh, Request::kHuman},
                   {"功克服", kZh, Request::kHuman},
                   {"我要投诉，叫你们经理来", kZh, Request::kComplaint},
                   {"我要偷诉", kZh, Request::kComplaint},
                   {"你是谁", kZh, Request::kWho},
                   {"没听清，再说一遍", kZh, Request::kRepeat},
                   {"等一下啊", kZh, Request::kHold},
                   {"我现在不方便", kZh, Request::kBusy},
                   {"你打错了", kZh, Request::kWrongNumber},
                   {"好的，再见", kZh, Request::kGoodbye},
                   {"明天下午三点可以", kZh, Request::kNone},
                   {"我想改个时间", kZh, Request::kNone},
                   {"Please stop calling me!", kEn, Request::kOptOut},
                   {"Take me off your list.", kEn, Request::kOptOut},
                   {"I'd like to speak to a person", kEn, Request::kHuman},
                   {"Who's this?", kEn, Request::kWho},
                   {"hold on a sec", kEn, Request::kHold},
                   {"sure, three works", kEn, Request::kNone}};
  for (const Said& said : all) {
    INFO(said.text, " was read as ",
         name_of(kit::understanding()->request_in(said.text, said.language)));
    CHECK(kit::understanding()->request_in(said.text, said.language) == said.request);
  }
}

TEST_CASE("hard requests need neither model nor tables") {
  const Understanding bare({nullptr, nullptr});
  CHECK(bare.request_in("别再打了", kZh) == Request::kOptOut);
  CHECK(bare.request_in("stop calling", kEn) == Request::kOptOut);
  CHECK(bare.read("我要投诉", kZh, kNow).intent.intent == Intent::kComplaint);
  CHECK(bare.read("想预约一下", kZh, kNow).intent.intent == Intent::kAppointment);
}

TEST_CASE("the words of a day and a time are heard by their sound") {
  const auto when = [](std::string_view said) {
    return kit::understanding()->read(said, kZh, kNow).when;
  };
  struct Pair {
    const char* heard;
    const char* said;
  };
  for (const Pair& c :
       {Pair{"后天上无我有空", "后天上午我有空"}, Pair{"下周二上五行吗?", "下周二上午行吗"},
        Pair{"名天下五三点", "明天下午三点"}, Pair{"下五点", "下午五点"},
        Pair{"下个月三好可以吗?", "下个月三号可以吗"}}) {
    CAPTURE(c.heard);
    CHECK(when(c.heard).date == when(c.said).date);
    CHECK(when(c.heard).time == when(c.said).time);
    CHECK(when(c.heard).part == when(c.said).part);
    CHECK_FALSE(when(c.said).empty());
  }
  for (const char* said : {"重物到了", "我家在李白路", "这个三好学生"}) {
    CAPTURE(said);
    CHECK(when(said).empty());
  }
}

TEST_CASE("a weekday is heard by its sound") {
  const text::LocalDate today = kNow.date;
  const auto day = [](std::string_view said) {
    return kit::understanding()->read(said, kZh, kNow).when.date;
  };
  for (const char* said : {"我想改道,金齐六下午。", "嗯。 丁齐六上午", "今期六", "你拜六吧"}) {
    CAPTURE(said);
    REQUIRE(day(said).has_value());
    CHECK(*day(said) == *day("星期六"));
    CHECK(*day(said) != today);
  }
  for (const char* said : {"经验日下午", "请你七点来", "今天可以", "听起来不错", "您七楼"}) {
    CAPTURE(said);
    CHECK(day(said) == kit::understanding()->read(said, kZh, kNow).when.date);
    CHECK_FALSE((day(said) && *day(said) == *day("星期日")));
  }
  CHECK(kit::understanding()->request_in("请问你们的,地址在哪里?", kZh) == Request::kNone);
  CHECK(kit::understanding()->request_in("你们是那里的", kZh) == Request::kWho);
}

TEST_CASE("phrases are found by their sound, and not when they are negated") {
  PhraseBook book = kit::understanding()->new_book();
  book.add("还款", 0, kZh);
  book.add("取消", 1, kZh);
  book.add("cancel", 2, kEn);
  REQUIRE(book.find("我想海款", kZh).has_value());
  CHECK(book.find("我想海款", kZh)->label == 0);
  CHECK(book.find("我想还款", kZh)->score == 1.0);
  CHECK(book.find("取消吧", kZh)->label == 1);
  CHECK_FALSE(book.find("不取消", kZh).has_value());
  CHECK(book.find("不，取消", kZh).has_value());
  CHECK_FALSE(book.find("吃饭了", kZh).has_value());
  CHECK(book.find("Please, cancel it.", kEn)->label == 2);
  CHECK_FALSE(book.find("don't cancel", kEn).has_value());
  CHECK_FALSE(book.find("cancellation policy", kEn).has_value());
}

TEST_CASE("six intents") {
  const auto intent = [](const char* text, text::Language language) {
    return std::string(name_of(kit::understanding()->intent_of(text, language).intent));
  };
  CHECK(intent("请问挂号费是多少", kZh) == "inquiry");
  CHECK(intent("你们的师傅态度太恶劣了", kZh) == "complaint");
  CHECK(intent("帮我约下周二上午", kZh) == "appointment");
  CHECK(intent("建议你们多开一个窗口", kZh) == "feedback");
  CHECK(intent("把我的会员取消掉", kZh) == "unsubscribe");
  CHECK(intent("嗯好的谢谢", kZh) == "other");
  CHECK(intent("how much is the exchange fee", kEn) == "inquiry");
  CHECK(intent("you charged me twice for the same thing", kEn) == "complaint");
  CHECK(intent("book a table for two tomorrow", kEn) == "appointment");
  CHECK(intent("please close my account", kEn) == "unsubscribe");
  CHECK(intent("are you a robot", kEn) == "other");
  CHECK(intent_of("投诉") == Intent::kComplaint);
  CHECK(intent_of("complaint") == Intent::kComplaint);
  CHECK_FALSE(intent_of("").has_value());
}

TEST_CASE("a model file that is not one is refused with the way out") {
  const auto file = kit::scratch("yyc3-nlu-");
  CHECK(IntentModel::load(file).error().code == ErrorCode::kNotFound);
  std::ifstream in(paths::build_dir() / "nlu.model", std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  const auto load = [&file](const std::string& content) {
    std::ofstream(file, std::ios::binary) << content;
    return IntentModel::load(file);
  };
  CHECK(load(bytes).has_value());
  CHECK_FALSE(load(bytes + "x").has_value());
  CHECK_FALSE(load(bytes.substr(0, 1000)).has_value());
  bytes[5000] = static_cast<char>(bytes[5000] ^ 1);
  const auto wrong = load(bytes);
  std::filesystem::remove(file);
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().detail.find("checksum") != std::string::npos);
  CHECK(wrong.error().detail.find("nlu_model") != std::string::npos);
}

TEST_CASE("sentiment with its words") {
  const auto read = [](const char* text, text::Language language) {
    return read_sentiment(text, language);
  };
  CHECK(read("你们服务太差了，骗子", kZh).strongly_negative());
  CHECK(read("服务很好，非常满意", kZh).sentiment == Sentiment::kPositive);
  CHECK(read("不满意", kZh).sentiment == Sentiment::kNegative);
  CHECK(read("服务不好", kZh).score <= 0);
  CHECK(read("明天下午三点", kZh).sentiment == Sentiment::kNeutral);
  CHECK(read("明天下午三点", kZh).keywords.empty());
  CHECK(read("This is absolutely terrible", kEn).strongly_negative());
  CHECK(read("not good", kEn).score < 0);
  CHECK(read("not bad", kEn).score > 0);
  CHECK(read("thank you, that was excellent", kEn).sentiment == Sentiment::kPositive);
  const auto angry = read("真是垃圾，我很失望", kZh);
  CHECK(angry.keywords == std::vector<std::string>{"垃圾", "失望"});
}

TEST_CASE("entities") {
  const auto find = [](const char* text, text::Language language = kZh) {
    return find_entities(text, language, kNow);
  };
  const auto value = [&find](const char* text, EntityKind kind, text::Language language = kZh) {
    const auto all = find(text, language);
    const Entity* found = entity(all, kind);
    return found == nullptr ? std::string("-") : found->value;
  };
  CHECK(value("后天下午三点半", EntityKind::kTime) == "2026-11-26T15:30");
  CHECK(value("next friday at 9 am", EntityKind::kTime, kEn).substr(10) == "T09:00");
  CHECK(value("我的电话是幺三八零零一三八零零零", EntityKind::kPhone) == "13800138000");
  CHECK(value("一百二十块五", EntityKind::kMoney) == "12000");
  CHECK(value("要1280.5元吗", EntityKind::kMoney) == "128050");
  CHECK(value("it was $12.50", EntityKind::kMoney, kEn) == "1250");
  CHECK(value("我姓王", EntityKind::kPersonName) == "王");
  CHECK(value("我叫王芳女士", EntityKind::kPersonName) == "王芳");
  CHECK(value("我叫李小明", EntityKind::kPersonName) == "李小明");
  CHECK(value("My name is John Smith.", EntityKind::kPersonName, kEn) == "John Smith");
  CHECK(value("验证码是 4 8 1 5", EntityKind::kDigits) == "4815");
  CHECK(find("你好").empty());
  CHECK(is_id_number("11010519491231002X"));
  CHECK_FALSE(is_id_number("110105194912310021"));
  CHECK_FALSE(is_id_number("11010519491231002"));
}

TEST_CASE("a stored time reads back as it was") {
  for (const char* value : {"2026-11-25T15:30", "2026-11-25", "T09:05", ""})
    CHECK(when_text(when_of(value)) == value);
  for (const char* value :
       {"2026-02-30T10:00", "2026-13-01", "T25:00", "tomorrow", "T1:00", "2026-1-1T10:00"})
    CHECK_FALSE(when_of(value).complete());
}

TEST_CASE("hostile text is read without harm") {
  std::string endless;
  for (int i = 0; i < 20'000; ++i) endless += "别再";
  for (const std::string& text :
       {endless, std::string("\xff\xfe\xc0\x80"), std::string(5000, '\0'),
        std::string("{customer_name}"), std::string("0123456789 0123456789")})
    for (const auto language : {kZh, kEn}) {
      const Understood understood = kit::understanding()->read(text, language, kNow);
      CHECK(understood.intent.confidence >= 0);
      CHECK(understood.entities.size() <= 8);
    }
}

}  // namespace yyc3::dialogue
