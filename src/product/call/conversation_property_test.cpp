#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "product/call/call_test_kit.hpp"

/// Whole calls with callers that do anything at any time. What must hold whatever they do: all that
/// was heard of the bot is on record and nothing else, whoever spoke was answered, every call ends,
/// and the same seed is the same call.
using namespace yyc3;
using namespace yyc3::call;
using namespace std::chrono_literals;
using kit::Simulation;

namespace {

const std::vector<std::string> kWords = {"是的我是",
                                         "不是",
                                         "你打错了",
                                         "能来",
                                         "没问题",
                                         "来不了",
                                         "我想改个时间",
                                         "周五下午三点",
                                         "后天",
                                         "上午十点",
                                         "取消吧",
                                         "对",
                                         "不对",
                                         "嗯",
                                         "喂",
                                         "等一下",
                                         "你们的地址在哪里",
                                         "多少钱啊",
                                         "要带什么东西吗",
                                         "你是谁啊",
                                         "你刚才说什么",
                                         "没有了谢谢",
                                         "有",
                                         "医生是哪毕业的呢",
                                         "我想一下啊",
                                         "转人工",
                                         "我要投诉你们",
                                         "我现在忙",
                                         "今天天气真好",
                                         "再见"};

const std::vector<std::pair<std::string, std::string>> kGuesses = {
    {"今天天气真好", "停车"}, {"我想一下啊", "是"}, {"喂", "不是"}, {"医生", "问别的事情"}};

const std::vector<std::string> kOwnWords = {"", "这个您来了可以问我们的同事，他们会跟您说清楚的。",
                                            "只要九十九元！",
                                            "好，好，好，好，好，好，好，好，好，好"};

Simulation::Setting thinking(unsigned seed) {
  Simulation::Setting setting;
  setting.thinks = seed % 2 == 0;
  return setting;
}

class Anybody {
 public:
  Anybody(Simulation& call, unsigned seed) : call_(call), random_(seed) {}

  /// Up to 40 things, then silence until the bot has hung up.
  void live() {
    for (int i = 0; i < 40 && !call_.over(); ++i) act();
    for (int i = 0; i < 180 && !call_.over(); ++i) call_.quiet(1s);
  }

 private:
  int upto(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n + 1)); }
  void act() {
    call_.hearing.fails = upto(19) == 0;
    call_.hearing.busy = upto(3) == 0;
    call_.hearing.decode_time = Milliseconds{100 + 20 * upto(40)};
    call_.voice.wait = Milliseconds{upto(3) == 0 ? 20 * upto(100) : 0};
    call_.voice.fails = upto(29) == 0;
    call_.model.up = upto(9) != 0;
    call_.model.fails = upto(5) == 0;
    call_.model.wait = Milliseconds{20 * upto(70)};
    call_.model.own_words = kOwnWords[random_() % kOwnWords.size()];
    for (const auto& [words, choice] : kGuesses)
      if (upto(2) == 0) call_.model.choices[words] = choice;
    const int what = upto(9);
    if (what <= 3) return listen_and_say();
    if (what <= 6) {
      call_.quiet(Milliseconds{20 * upto(150)});
      return call_.say(kWords[random_() % kWords.size()]);
    }
    if (what == 7) return call_.noise(Milliseconds{20 + 20 * upto(60)});
    if (what == 8) return call_.press("0123456789*#"[random_() % 12]);
    call_.quiet(Milliseconds{1'000 * upto(15)});
  }
  void listen_and_say() {
    for (int i = 0, silent = 0; i < 1'000 && silent < 15 + upto(20) && !call_.over(); ++i) {
      call_.quiet(20ms);
      silent = call_.bot_heard() ? 0 : silent + 1;
    }
    call_.say(kWords[random_() % kWords.size()]);
  }

  Simulation& call_;
  std::mt19937 random_;
};

/// All that was heard lies in a turn of the record, and a turn counts no more than was heard.
void check_ledger(const Simulation& call) {
  std::vector<bool> told(call.audible.size() + 4);
  for (const TurnRecord& turn : call.turns_of("bot")) {
    std::int64_t heard_ms = 0;
    const auto first = static_cast<std::size_t>(turn.started_ms / 20);
    for (std::size_t tick = first;
         tick < call.audible.size() && static_cast<std::int64_t>(tick) * 20 <= turn.ended_ms + 20;
         ++tick) {
      told[tick] = true;
      heard_ms += call.audible[tick] ? 20 : 0;
    }
    if (turn.interrupted_at_ms)
      CHECK(*turn.interrupted_at_ms <= turn.ended_ms - turn.started_ms + 20);
    CHECK(turn.spoken.size() <= turn.text.size());
    if (!turn.spoken.empty()) CHECK(heard_ms > 0);
  }
  for (std::size_t tick = 0; tick < call.audible.size(); ++tick)
    if (call.audible[tick] && !told[tick])
      FAIL_CHECK("heard and not on record, at " << tick * 20 << " ms");
}

/// Nothing of a reply that was stopped is heard after that: the ledger ends there, and what it does
/// not tell of would be "heard and not on record".
std::size_t check_stops(const Simulation& call) {
  for (const auto& event : call.told) {
    if (event.kind != "barge_in") continue;
    for (const TurnRecord& turn : call.turns_of("bot"))
      CHECK_FALSE((turn.started_ms < event.at.count() && turn.ended_ms > event.at.count() + 40));
  }
  return call.count("barge_in");
}

/// Something is said, or done, within 8 s of a turn of the caller, unless the call is told why not.
void check_answers(const Simulation& call) {
  for (std::size_t i = 0; i < call.turns.size(); ++i) {
    if (call.turns[i].speaker != "customer") continue;
    const std::int64_t since = call.turns[i].ended_ms;
    const bool answered =
        i + 1 < call.turns.size() && call.turns[i + 1].started_ms - since <= 8'000;
    const bool explained = std::ranges::any_of(call.told, [since](const auto& event) {
      return event.kind == "degraded speaking" && event.at.count() - since >= 0 &&
             event.at.count() - since <= 8'000;
    });
    CHECK_MESSAGE((answered || explained), "no answer to " << call.turns[i].text);
  }
}

std::string trace(const Simulation& call) {
  std::string all;
  for (const TurnRecord& turn : call.turns)
    all += turn.speaker + std::to_string(turn.started_ms) + "-" + std::to_string(turn.ended_ms) +
           turn.spoken + "|" + turn.unsaid + turn.text + "\n";
  for (const auto& event : call.told) all += event.kind + std::to_string(event.at.count()) + "\n";
  all += "audible from, to:";
  for (std::size_t tick = 0; tick < call.audible.size(); ++tick)
    if (call.audible[tick] != (tick > 0 && call.audible[tick - 1]))
      all += " " + std::to_string(tick * 20);
  return all + "\n";
}

unsigned seeds() {
  const char* set = std::getenv("YYC3_TEST_LONG");
  return set != nullptr && *set == '1' ? 10'000U : 500U;
}

}  // namespace

TEST_CASE("whatever a caller does, the record is what was heard, all are answered, and it ends") {
  std::size_t stops = 0;
  for (unsigned seed = 1; seed <= seeds(); ++seed) {
    CAPTURE(seed);
    Simulation call(thinking(seed));
    Anybody(call, seed).live();
    INFO(trace(call));  // only when something fails
    REQUIRE(call.over());
    check_ledger(call);
    stops += check_stops(call);
    check_answers(call);
    if (seed > 20) continue;
    Simulation again(thinking(seed));
    Anybody(again, seed).live();
    CHECK(trace(again) == trace(call));
  }
  CHECK(stops > seeds() / 10);
}

/// `make bench` prints how long it takes.
TEST_CASE("ten minutes of a call") {
  const auto live = [](Simulation& call) {
    call.listen();
    call.say("是的我是");
    while (call.now() < 600s && !call.over()) {
      call.listen();
      call.say("你们的地址在哪里", 8s);
    }
    REQUIRE_FALSE(call.over());
    call.listen();
    call.say("再见");
    call.listen();
    CHECK(call.over());
  };
  Simulation call;
  live(call);
  CHECK(call.turns.size() >= 60);
  check_ledger(call);
}
