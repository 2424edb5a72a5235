#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "base/json.hpp"
#include "house/paths.hpp"
#include "product/dialogue/dialogue_test_kit.hpp"

namespace yyc3::dialogue {
namespace {

constexpr auto kZh = text::Language::kZh;
constexpr auto kEn = text::Language::kEn;

json::object shipped() {
  std::ifstream in(paths::source_dir() / "flows" / "appointment_reminder.json");
  std::ostringstream all;
  all << in.rdbuf();
  auto value = parse_json(all.str());
  REQUIRE(value.has_value());
  return value->get_object();
}

json::object& node(json::object& flow, const char* id) {
  return flow["nodes"].as_object()[id].as_object();
}
json::object& ask(json::object& flow, const char* id) { return node(flow, id)["ask"].as_object(); }

/// Every problem parse_flow finds after `spoil`.
std::string problems(const std::function<void(json::object&)>& spoil) {
  json::object flow = shipped();
  spoil(flow);
  const auto parsed = parse_flow(json::serialize(flow));
  return parsed ? std::string() : parsed.error().detail;
}

struct Spoiled {
  const char* problem;
  std::function<void(json::object&)> spoil;
};

}  // namespace

TEST_CASE("the shipped flow is valid, speaks both languages and is big enough to be one") {
  const auto flow = kit::reminder();
  CHECK(flow->nodes.size() >= 10);
  CHECK(flow->speaks(kZh));
  CHECK(flow->speaks(kEn));
}

TEST_CASE("what is wrong with a flow is said by node and reason") {
  using O = json::object;
  const std::vector<Spoiled> all{
      {"flow: \"format\" must be 1", [](O& f) { f["format"] = 2; }},
      {"flow: start: no node \"nowhere\"", [](O& f) { f["start"] = "nowhere"; }},
      {"flow: unknown language \"fr\"", [](O& f) { f["languages"] = json::array{"zh", "fr"}; }},
      {"flow: unknown field \"colour\"", [](O& f) { f["colour"] = "red"; }},
      {"greet: the first words must say that an AI calls",
       [](O& f) { node(f, "greet")["say"].as_object()["en"] = "Hello, this is Anna."; }},
      {"greet: \"interruptible\" must be false",
       [](O& f) { node(f, "greet").erase("interruptible"); }},
      {"greet: \"interruptible\" must be false",
       [](O& f) { node(f, "greet")["interruptible"] = O{{"after_ms", 900}}; }},
      {"farewell: interruptible: \"after_ms\" must be a whole number 100…10000",
       [](O& f) { node(f, "farewell")["interruptible"] = O{{"after_ms", 50}}; }},
      {"farewell: \"interruptible\" must be true, false or {\"after_ms\": 100…10000}",
       [](O& f) { node(f, "farewell")["interruptible"] = "later"; }},
      {"greet: say: no en text", [](O& f) { node(f, "greet")["say"].as_object().erase("en"); }},
      {"greet: silence: no zh text", [](O& f) { ask(f, "greet").erase("silence"); }},
      {"greet: keypad: no zh text", [](O& f) { ask(f, "greet").erase("keypad"); }},
      {"greet: ask: unknown grammar \"song\"", [](O& f) { ask(f, "greet")["grammar"] = "song"; }},
      {"farewell: say: no variable or slot \"nobody\"",
       [](O& f) { node(f, "farewell")["say"].as_object()["zh"] = "再见，{nobody}。"; }},
      {"farewell: say: unknown format \"loud\"",
       [](O& f) { node(f, "farewell")["say"].as_object()["zh"] = "{customer_name|loud}再见。"; }},
      {"farewell: say: a { without its }",
       [](O& f) { node(f, "farewell")["say"].as_object()["zh"] = "再见{company"; }},
      {"farewell: an end has neither ask nor next",
       [](O& f) { node(f, "farewell")["go"] = "greet"; }},
      {"greet: go: no node \"mars\"",
       [](O& f) { node(f, "greet")["next"].as_array()[0].as_object()["go"] = "mars"; }},
      {"greet: the answer \"maybe\" cannot be given here",
       [](O& f) {
         node(f, "greet")["next"].as_array()[0].as_object()["if"].as_object()["answer"] = "maybe";
       }},
      {"plan: the last branch of a node without ask must have no \"if\"",
       [](O& f) { node(f, "plan")["next"].as_array().pop_back(); }},
      {"remind: option cancel: key 1 is used twice",
       [](O& f) { ask(f, "remind")["options"].as_array()[2].as_object()["key"] = "1"; }},
      {"island: no way leads here",
       [](O& f) {
         f["nodes"].as_object()["island"] =
             O{{"say", O{{"zh", "喂"}, {"en", "hey"}}}, {"end", "hang_up"}};
       }},
      {"in a circle of nodes that ask nothing",
       [](O& f) {
         f["nodes"].as_object()["again"] =
             O{{"say", O{{"zh", "啊"}, {"en", "ah"}}}, {"go", "once_more"}};
         f["nodes"].as_object()["once_more"] = O{{"go", "again"}};
         node(f, "plan")["next"].as_array().back().as_object()["go"] = "again";
       }},
      {"no end can be reached from here",
       [](O& f) {
         O same = node(f, "what_else");
         same["next"] = json::array{O{{"if", O{{"answer", "match"}}}, {"go", "for_ever"}}};
         f["nodes"].as_object()["for_ever"] = same;
         node(f, "plan")["next"].as_array().back().as_object()["go"] = "for_ever";
       }},
      {"globals: opt_out: no node \"gone\"",
       [](O& f) { f["globals"].as_object()["opt_out"] = "gone"; }},
      {"globals: opt_out: no node \"gone\"",  // of a flow in which no model speaks, too
       [](O& f) {
         f.erase("own_words");
         f["globals"].as_object()["opt_out"] = "gone";
       }},
      {"confirmed: own_words: the flow has no \"own_words\"", [](O& f) { f.erase("own_words"); }},
      {"own_words: lead_in: no en text",
       [](O& f) { f["own_words"].as_object()["lead_in"].as_object().erase("en"); }},
      {"globals: unknown: no zh text", [](O& f) { f["globals"].as_object().erase("unknown"); }},
      {"globals: opt_out: \"greet\" must end the call without another question",
       [](O& f) { f["globals"].as_object()["opt_out"] = "greet"; }},
      {"globals: \"to_person\" must hang up, not transfer",
       [](O& f) { f["globals"].as_object()["transfer_failed"] = "to_person"; }},
      {"globals: who: no zh text", [](O& f) { f["globals"].as_object().erase("who"); }},
      {"variables: appointment_time: a datetime has no default",
       [](O& f) {
         f["variables"].as_object()["appointment_time"].as_object()["required"] = false;
       }},
      {"limits: \"turns\" must be a whole number 5…200",
       [](O& f) { f["limits"].as_object()["turns"] = 100000; }},
      {"faq address: no zh phrases",
       [](O& f) { f["faq"].as_array()[0].as_object()["zh"] = json::array{}; }}};
  for (const Spoiled& each : all) {
    const std::string found = problems(each.spoil);
    INFO("wanted: ", each.problem, "\nfound: ", found);
    CHECK(found.find(each.problem) != std::string::npos);
  }
  const std::string both = problems([](O& f) {
    f["start"] = "nowhere";
    ask(f, "greet").erase("keypad");
  });
  CHECK(both.find("start: no node") != std::string::npos);
  CHECK(both.find("greet: keypad") != std::string::npos);
}

TEST_CASE("a folder of flows names the file of each problem") {
  const auto folder = kit::scratch("yyc3-flows-");
  CHECK(FlowLibrary::load(folder).error().code == ErrorCode::kNotFound);
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "bad.json") << "{\"format\": 1, \"id\": \"UPPER\"}";
  std::ofstream(folder / "worse.json") << "{";
  const auto flows = FlowLibrary::load(folder);
  std::filesystem::remove_all(folder);
  REQUIRE_FALSE(flows.has_value());
  CHECK(flows.error().detail.find("bad.json: flow: \"id\" must be") != std::string::npos);
  CHECK(flows.error().detail.find("bad.json: nodes: missing") != std::string::npos);
  CHECK(flows.error().detail.find("worse.json: flow: ") != std::string::npos);
}

TEST_CASE("prompts lists every fixed piece a call can say, so none is rendered live") {
  for (const auto language : {kZh, kEn}) {
    std::set<std::string> ready;
    for (const Segment& segment : prompts(*kit::reminder(), language)) {
      CHECK(segment.cacheable);
      CHECK_FALSE(segment.variable);
      CHECK(segment.text.find('{') == std::string::npos);
      CHECK(ready.insert(segment.text).second);
    }
    CHECK(ready.size() >= 30);
    DialogueSession session = kit::session(language);
    std::vector<Reply> replies{session.start(kit::kNow)};
    for (const char* text : language == kZh
                                ? std::vector<const char*>{"喂", "是我", "停车方便吗", "后天",
                                                           "下午三点", "对", "", "没有了"}
                                : std::vector<const char*>{"hello", "yes", "how much is it",
                                                           "friday", "3 pm", "yes", "", "no"})
      replies.push_back(*text == '\0' ? session.on_silence(kit::kNow)
                                      : session.on_heard({text, 1, language}, kit::kNow));
    CHECK(session.ended());
    for (const Reply& reply : replies)
      for (const Segment& segment : reply.say) {
        INFO(segment.id, ": ", segment.text);
        CHECK((segment.variable || ready.contains(segment.text)));
      }
  }
}

TEST_CASE("prompts begin with what a call says first") {
  const Flow& flow = *kit::reminder();
  std::vector<std::string> order;  // of the nodes, by their first piece
  for (const Segment& segment : prompts(flow, kZh)) {
    const std::string node = segment.id.substr(0, segment.id.find('.'));
    if (std::ranges::find(order, node) == order.end()) order.push_back(node);
  }
  REQUIRE(order.size() > 10);
  CHECK(order[0] == flow.start);
  CHECK(order[1] == "globals");
  const auto place = [&order](const std::string& node) {
    return std::ranges::find(order, node) - order.begin();
  };
  // Along `next`: one step before two, two before what only a global rule reaches.
  CHECK(place("remind") < place("ask_time"));
  CHECK(place("ask_time") < place(flow.globals.silent));
  CHECK(place(flow.globals.silent) < std::ssize(order));
}

TEST_CASE("fragments hold the days and half hours a flow can name") {
  const auto pieces = fragments(*kit::reminder(), kZh, {2026, 11, 24}, 3);
  std::set<std::string> texts;
  for (const Segment& segment : pieces) texts.insert(segment.text);
  CHECK(texts.contains(text::say_date({2026, 11, 26}, kZh)));
  CHECK(texts.contains(text::say_time({15, 30}, kZh)));
  CHECK(pieces.size() == 3 + 25);
}

TEST_CASE("what only this call says is known before it is dialled, as it will be cut") {
  const Flow& flow = *kit::reminder();
  const std::map<std::string, std::string> values{{"customer_name", "Ms Wang"},
                                                  {"appointment_time", "2026-11-30T15:00"}};
  const auto pieces = own_pieces(flow, kEn, values);
  std::set<std::string> texts;
  for (const Segment& piece : pieces) {
    CHECK(piece.variable);
    CHECK(texts.insert(piece.text).second);
  }
  for (const Segment& piece : fill(flow, "Is this {customer_name}?", "t", kEn, values))
    if (piece.variable) CHECK(texts.contains(piece.text));  // "Ms Wang?", not "Ms Wang"
  CHECK(pieces.front().text.starts_with("Ms Wang"));
  CHECK(texts.contains(text::say_date({2026, 11, 30}, kEn)));
}

TEST_CASE("fill puts values in by their format") {
  const Flow& flow = *kit::reminder();
  const auto text = [&flow](const char* pattern, const std::string& value,
                            text::Language language) {
    std::string out;
    for (const Segment& segment : fill(flow, pattern, "t", language, {{"customer_name", value}}))
      out += segment.text;
    return out;
  };
  CHECK(text("共{customer_name|money}。", "12050", kZh) == "共120.50元。");
  CHECK(text("尾号{customer_name|digits}", "12-34", kZh) == "尾号1234");
  CHECK(text("{customer_name|time}见", "2026-11-25T15:30", kZh) ==
        text::say_time({15, 30}, kZh) + "见");
  CHECK(text("on {customer_name|date}.", "2026-11-25", kEn) ==
        "on " + text::say_date({2026, 11, 25}, kEn) + ".");
  CHECK(text("[{customer_name|datetime}]", "soon", kEn) == "[]");
}

}  // namespace yyc3::dialogue
