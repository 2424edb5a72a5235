#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "house/paths.hpp"
#include "product/call/call_test_kit.hpp"

/// Runs scenarios/*.json: what a caller does, step by step, and what is expected of the bot.
///
///   {"listen": true}                    hears the bot to its end
///   {"user": TEXT, "ms": 800}           says it (200 ms a character when no time is given)
///   {"interrupt_after": MS, "user": …}  waits until the bot speaks and so long, then says it
///   {"noise": MS} {"pause": MS} {"dtmf": "1"}
///   {"expect": {…}}  one of, all counted since the last step that was no expectation:
///     event: NAME, within_ms: MS   "bot_speaks", "bot_silent" or what the call is told happens by
///     then absent: NAME, for_ms: MS     it does not happen for so long heard: TEXT · unsaid: TEXT
///     the last words of the bot hold it as heard, or as cut off understood: TEXT             the
///     last turn of the caller is this turns: N                     so many turns of the caller in
///     the whole call node: NAME                   where the dialogue stands
/// Setting: language, voice {wait_ms, ms_a_character}, hearing {decode_ms, fails}, echo {gain,
/// after_ms}, model {choices {WORDS: CHOICE}, own_words, wait_ms, fails, away}: a language model,
/// where it is named.
using namespace yyc3;
using namespace yyc3::call;
using kit::Simulation;

namespace {

Milliseconds ms_of(const json::value& object, const char* key, std::int64_t otherwise = 0) {
  return Milliseconds{int_field(object, key).value_or(otherwise)};
}

class Scenario {
 public:
  explicit Scenario(const json::value& file) : call_(setting_of(file)) {
    if (const json::value* voice = find_field(file, "voice")) {
      call_.voice.wait = ms_of(*voice, "wait_ms");
      call_.voice.wait_a_character = ms_of(*voice, "ms_a_character");
    }
    if (const json::value* model = find_field(file, "model")) {
      call_.model.wait = ms_of(*model, "wait_ms", 300);
      call_.model.fails = bool_field(*model, "fails").value_or(false);
      call_.model.up = !bool_field(*model, "away").value_or(false);
      call_.model.own_words = string_field(*model, "own_words").value_or("");
      call_.model.wait_a_character = ms_of(*model, "ms_a_character");
      if (const auto first = int_field(*model, "words_wait_ms"))
        call_.model.words_wait = Milliseconds{*first};
      if (const auto stops = int_field(*model, "stops_after"))
        call_.model.stops_after = static_cast<std::size_t>(*stops);
      if (const json::value* choices = find_field(*model, "choices"))
        for (const auto& [words, choice] : choices->as_object())
          call_.model.choices[words] = std::string(choice.as_string());
    }
    if (const json::value* hearing = find_field(file, "hearing")) {
      call_.hearing.decode_time = ms_of(*hearing, "decode_ms", 350);
      call_.hearing.fails = bool_field(*hearing, "fails").value_or(false);
    }
  }

  void run(const json::value& step) {
    if (const json::value* wanted = find_field(step, "expect")) return expect(*wanted);
    marked_ = call_.told.size();
    if (const auto after = int_field(step, "interrupt_after")) {
      call_.until_bot(true);
      call_.quiet(Milliseconds{*after});
    }
    if (const auto text = string_field(step, "user")) {
      call_.say(*text, ms_of(step, "ms"));
      spoke_to_ = call_.audible.size();
      return;
    }
    if (const auto key = string_field(step, "dtmf")) return call_.press(key->at(0));
    if (const auto time = int_field(step, "noise")) return call_.noise(Milliseconds{*time});
    if (const auto time = int_field(step, "pause")) return call_.quiet(Milliseconds{*time});
    REQUIRE_MESSAGE(bool_field(step, "listen"), "no such step: " << json::serialize(step));
    call_.listen();
  }

 private:
  static Simulation::Setting setting_of(const json::value& file) {
    Simulation::Setting setting;
    if (string_field(file, "language") == "en") setting.language = text::Language::kEn;
    setting.thinks = find_field(file, "model") != nullptr;
    if (const json::value* echo = find_field(file, "echo")) {
      setting.echo_gain = number_field(*echo, "gain").value_or(0);
      setting.echo_after = ms_of(*echo, "after_ms", 160);
    }
    return setting;
  }

  [[nodiscard]] bool happened(const std::string& name) const {
    if (name == "bot_speaks") return call_.bot_heard();
    if (name == "bot_silent") return !call_.bot_heard();
    return std::any_of(call_.told.begin() + static_cast<std::ptrdiff_t>(marked_), call_.told.end(),
                       [&](const auto& told) { return told.kind == name; });
  }

  void expect(const json::value& wanted) {
    bool known = false;
    if (const auto name = string_field(wanted, "event")) {
      known = true;
      const Milliseconds end = call_.now() + ms_of(wanted, "within_ms");
      while (!happened(*name) && call_.now() < end) call_.quiet(Milliseconds{20});
      CHECK_MESSAGE(happened(*name), *name << " within " << json::serialize(wanted));
    }
    if (const auto name = string_field(wanted, "absent")) {
      known = true;
      const Milliseconds end = call_.now() + ms_of(wanted, "for_ms");
      while (!happened(*name) && call_.now() < end) call_.quiet(Milliseconds{20});
      CHECK_MESSAGE(!happened(*name), *name << " for " << json::serialize(wanted));
    }
    if (const auto most = int_field(wanted, "silence_at_most_ms")) {
      known = true;
      CHECK(longest_silence().count() <= *most);
    }
    known = expect_words(wanted) || known;
    REQUIRE_MESSAGE(known, "no such expectation: " << json::serialize(wanted));
  }

  /// Of the bot before and in what it said since the caller last spoke.
  [[nodiscard]] Milliseconds longest_silence() const {
    int longest = 0;
    int ticks = 0;
    for (std::size_t at = spoke_to_; at < call_.audible.size(); ++at) {
      if (call_.audible[at])
        longest = std::max(longest, std::exchange(ticks, 0));
      else
        ++ticks;
    }
    return longest * Milliseconds{20};
  }

  bool expect_words(const json::value& wanted) {
    bool known = false;
    const auto bot = call_.turns_of("bot");
    const auto customer = call_.turns_of("customer");
    const auto holds = [&](const char* key, std::string TurnRecord::* part) {
      const auto text = string_field(wanted, key);
      if (!text) return;
      known = true;
      REQUIRE_FALSE(bot.empty());
      CHECK_MESSAGE((bot.back().*part).find(*text) != std::string::npos,
                    key << " is '" << bot.back().*part << "'");
    };
    holds("heard", &TurnRecord::spoken);
    holds("unsaid", &TurnRecord::unsaid);
    if (const auto text = string_field(wanted, "understood")) {
      known = true;
      REQUIRE_FALSE(customer.empty());
      CHECK(customer.back().text == *text);
    }
    if (const auto count = int_field(wanted, "turns")) {
      known = true;
      CHECK(static_cast<std::int64_t>(customer.size()) == *count);
    }
    if (const auto node = string_field(wanted, "node")) {
      known = true;
      CHECK(call_.dialogue().node() == *node);
    }
    return known;
  }

  Simulation call_;
  std::size_t marked_ = 0;    ///< what was told before the last step
  std::size_t spoke_to_ = 0;  ///< the tick at which the caller last fell silent
};

}  // namespace

TEST_CASE("scenarios") {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(paths::source_dir() / "src/product/call/scenarios"))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::ranges::sort(files);
  REQUIRE(files.size() >= 15);
  for (const auto& file : files) {
    CAPTURE(file.filename().string());
    std::ifstream in(file);
    const auto parsed = parse_json(std::string(std::istreambuf_iterator<char>(in), {}));
    REQUIRE_MESSAGE(parsed.has_value(), (parsed ? std::string() : parsed.error().detail));
    Scenario scenario(*parsed);
    for (const json::value& step : parsed->at("steps").as_array()) {
      CAPTURE(json::serialize(step));
      scenario.run(step);
    }
  }
}
