#include "product/dialogue/own_words.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "engine/text/test_tables.hpp"
#include "engine/text/utf8.hpp"

namespace yyc3::dialogue {
namespace {

using text::Language;
using Clauses = std::vector<std::string>;

Clauses in_pieces(std::string_view whole, Language language, std::size_t bytes) {
  ClauseStream stream(language);
  Clauses out;
  for (std::size_t at = 0; at < whole.size(); at += bytes)
    for (auto& clause : stream.feed(whole.substr(at, bytes))) out.push_back(std::move(clause));
  for (auto& clause : stream.finish()) out.push_back(std::move(clause));
  return out;
}

TEST_CASE("the first clause comes early, none much later than what was heard lasts") {
  const std::string zh = "洗牙以后，半小时内最好不要吃东西，牙龈会有一点敏感。过两天就好了";
  const Clauses wanted{"洗牙以后，", "半小时内最好不要", "吃东西，", "牙龈会有一点敏感。",
                       "过两天就好了"};
  CHECK(in_pieces(zh, Language::kZh, 1) == wanted);  // cut inside of characters too
  CHECK(in_pieces(zh, Language::kZh, 1000) == wanted);
  CHECK(in_pieces("我们的医生都是正规口腔医院出来的专业医生", Language::kZh, 3).front() ==
        "我们的医生都是正");
  CHECK(in_pieces("医生会先给您看一下，保证不疼。", Language::kZh, 3) ==
        Clauses{"医生会先给您看", "一下，", "保证不疼。"});  // each is looked at by itself
  CHECK(in_pieces("当然可以，怀孕的客户需要先告诉医生，检查不用空腹的。", Language::kZh, 3) ==
        Clauses{"当然可以，", "怀孕的客户需要先", "告诉医生，", "检查不用空腹的。"});
  CHECK(in_pieces("洗一次牙大概是要一百八十元左右", Language::kZh, 3).front() ==
        "洗一次牙大概是要");  // no number is cut
  CHECK(in_pieces("我们用的机器叫Cerecadent的那种机器", Language::kZh, 3).front() ==
        "我们用的机器叫");  // no Latin word
  CHECK(in_pieces("After a cleaning, wait for a while. Version 3.5 is fine", Language::kEn, 4) ==
        Clauses{"After a cleaning,", " wait for a while.", " Version 3.5 is fine"});
  CHECK(in_pieces("Yes, we treat children too. Come along", Language::kEn, 3) ==
        Clauses{"Yes, we treat children too.", " Come along"});
  CHECK(in_pieces("可以的，我们提供各种假牙，包括全口假牙。", Language::kZh, 4) ==
        Clauses{"可以的，", "我们提供各种假牙，", "包括全口假牙。"});  // none is much longer
  CHECK(in_pieces("", Language::kZh, 1).empty());
}

TEST_CASE("without a mark the first clause ends with a word") {
  const text::Segmenter words(text::test_tables());
  for (const auto& [whole, first] :
       {std::pair{"我们的医生都是正规口腔医院出来的专业医生", "我们的医生都是"},
        std::pair{"矫正牙齿是我们的服务项目我们有专业的牙医", "矫正牙齿是我们的"}}) {
    ClauseStream stream(Language::kZh, &words);
    const Clauses clauses = stream.feed(whole);
    REQUIRE_FALSE(clauses.empty());
    CHECK(clauses.front() == first);
  }
}

TEST_CASE("property: nothing is lost or added, whatever comes in pieces of whatever size") {
  CHECK(rc::check([] {
    std::string whole;
    const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "好", "。", "，", " ", "ok", ".", "3", "\n", "很长的一句话没有标点", "！", "é"));
    for (const auto& part : parts) whole += part;
    const auto language = *rc::gen::element(Language::kZh, Language::kEn);
    const auto size = *rc::gen::inRange<std::size_t>(1, 7);
    std::string joined;
    for (const auto& clause : in_pieces(whole, language, size)) {
      RC_ASSERT(text::decode_utf8(clause).size() <= 60);
      joined += clause;
    }
    RC_ASSERT(whole.starts_with(joined));
    RC_ASSERT(whole.substr(joined.size()).find_first_not_of(" \n") == std::string::npos);
  }));
}

std::string_view zh(const char* clause) {
  OwnWordsCheck check("口腔检查是免费的，洗牙一百八十元，九点到二十点营业，楼下停车两小时内免费。",
                      "我孩子8岁了能不能看牙呢", Language::kZh);
  return check.objection(clause);
}
std::string_view en(const char* clause) {
  OwnWordsCheck check("A cleaning costs 180 yuan. We are open from 9 to 20.",
                      "my son is eight, can he come", Language::kEn);
  return check.objection(clause);
}

TEST_CASE("what stands in the facts may be said") {
  CHECK(zh("洗牙是180元。").empty());
  CHECK(zh("洗牙一百八十元，").empty());
  CHECK(zh("口腔检查是免费的。").empty());
  CHECK(zh("8岁的孩子可以看，").empty());
  CHECK(zh("您可以先来看一下，一般都没问题。").empty());
  CHECK(en("A cleaning costs 180 yuan.").empty());
  CHECK(en("Yes, an eight year old can come.").empty());
  CHECK(en("One of our dentists can take a look.").empty());
}

TEST_CASE("what stands in none of them is not spoken, and why is told") {
  CHECK(zh("洗牙是九十九元。") == "number");
  CHECK(zh("拔牙300块，") == "number");
  CHECK(zh("我们给您打折。") == "price");
  CHECK(zh("这个可以退款。") == "price");
  CHECK(zh("我们保证您满意，") == "promise");
  CHECK(zh("一定能治好的。") == "promise");
  CHECK(zh("我帮您取消预约，") == "deed");
  CHECK(zh("已经为您登记好了。") == "deed");
  CHECK(zh("我是真人客服。") == "identity");
  CHECK(zh("请加微信咨询。") == "contact");
  CHECK(zh("Sorry, I cannot answer.") == "language");
  CHECK(zh("我孩子8岁了能不能看牙") == "echo");
  CHECK(zh("**您好**") == "marks");
  CHECK(en("It costs 99 yuan.") == "number");
  CHECK(en("It costs ninety nine yuan.") == "number");
  CHECK(en("The first visit is free.") == "price");
  CHECK(en("I guarantee it.") == "promise");
  CHECK(en("I've cancelled it for you.") == "deed");
  CHECK(en("I am human, of course.") == "identity");
  CHECK(en("您好") == "language");
}

TEST_CASE("a model that loops is stopped at the second time") {
  OwnWordsCheck check("", "", Language::kZh);
  CHECK(check.objection("您可以到店里来看看。").empty());
  CHECK(check.objection("您可以到店里来看看。") == "repeat");
  OwnWordsCheck inside("", "", Language::kZh);  // several short ones come as one clause
  CHECK(inside.objection("要先等半个小时，要先等半个小时，") == "repeat");
  OwnWordsCheck asks("", "", Language::kZh);
  asks.expect("请问还有别的可以帮您吗？");
  CHECK(asks.objection("请问还有别的可以帮您吗？") == "repeat");
  OwnWordsCheck brief("", "", Language::kZh);
  CHECK(brief.objection("好的，好的，您说。").empty());
  CHECK(brief.objection("好的。") == "repeat");
  OwnWordsCheck twice("", "", Language::kEn);
  CHECK(twice.objection("You can come any day.").empty());
  CHECK(twice.objection(" You can come any day.") == "repeat");
}

TEST_CASE("a sentence that was cut is read on, not read anew") {
  OwnWordsCheck check("", "do i need an empty stomach for the check up", Language::kEn);
  CHECK(check.objection("No, you don't need an empty stomach for the ").empty());
  CHECK(check.objection("check-up.").empty());  // alone it would be the caller's own words
  OwnWordsCheck promise("", "", Language::kZh);
  CHECK(promise.objection("我们这里的每一位医生都保").empty());
  CHECK(promise.objection("证您满意。") == "promise");
  OwnWordsCheck loop("", "", Language::kZh);
  CHECK(loop.objection("我们有专门看牙的").empty());
  CHECK(loop.objection("医生，").empty());
  CHECK(loop.objection("我们有专门看牙的医生，") == "repeat");
  OwnWordsCheck end("", "", Language::kZh);
  end.expect("您还想问什么呢？");
  CHECK(end.objection("您还想问什么呢") == "repeat");
}

}  // namespace
}  // namespace yyc3::dialogue
