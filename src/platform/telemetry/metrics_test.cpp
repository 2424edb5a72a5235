#include "platform/telemetry/metrics.hpp"

#include <doctest/doctest.h>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

using namespace yyc3::telemetry;

namespace {

/// The rules that `promtool check metrics` and the OpenMetrics text format demand. Returns the
/// first problem, or "".
std::string problem_of(const std::string& page) {
  static const std::regex type("# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)");
  static const std::regex help("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ((?:[^\\\\\"]|\\\\[\\\\n\"])+)");
  static const std::regex sample(
      "([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{((?:[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\\]|\\\\[\\\\n\"])*\""
      ",?)+)\\})? ([-+0-9.eE]+|NaN|[-+]Inf)");
  std::istringstream in(page);
  std::set<std::string> families;
  std::set<std::string> series;
  std::string line;
  std::string family;
  std::string kind;
  bool ended = false;
  while (std::getline(in, line)) {
    std::smatch m;
    if (ended) return "text after EOF";
    if (line == "# EOF") {
      ended = true;
    } else if (std::regex_match(line, m, type)) {
      family = m[1];
      kind = m[2];
      if (!families.insert(family).second) return "family twice: " + line;
    } else if (std::regex_match(line, m, help)) {
      if (m[1] != family) return "help of another family: " + line;
    } else if (std::regex_match(line, m, sample)) {
      const std::string suffix =
          std::string(m[1]).substr(std::min(family.size(), m[1].str().size()));
      if (!m[1].str().starts_with(family)) return "sample outside its family: " + line;
      if (kind == "counter" && suffix != "_total") return "counter sample: " + line;
      if (kind == "gauge" && !suffix.empty()) return "gauge sample: " + line;
      if (kind == "histogram" && suffix != "_bucket" && suffix != "_count" && suffix != "_sum")
        return "histogram sample: " + line;
      if (!series.insert(m[1].str() + "{" + m[2].str() + "}").second) return "twice: " + line;
    } else {
      return "not a line of the format: " + line;
    }
  }
  return ended ? "" : "no EOF";
}

}  // namespace

TEST_CASE("a page of every type, with hostile text, keeps the OpenMetrics grammar") {
  Registry registry;
  registry.counter("yyc3_calls_total", "Calls \"dialled\"\nby \\ us", {{"end", "a\"b\\c\nd"}})
      .add(3);
  registry.counter("yyc3_calls_total", "Calls \"dialled\"\nby \\ us").add();
  registry.gauge("yyc3_load", "Load").set(0.25);
  Histogram& wait = registry.histogram("yyc3_wait_seconds", "Wait", {0.1, 1, 2.5}, {{"lane", "x"}});
  for (const double seconds : {0.1, 0.5, 1.0, 99.0}) wait.observe(seconds);

  const std::string page = registry.render();
  CHECK(problem_of(page) == "");
  CHECK(page.find("yyc3_calls_total{end=\"a\\\"b\\\\c\\nd\"} 3\n") != std::string::npos);
  CHECK(page.find("yyc3_calls_total 1\n") != std::string::npos);
  CHECK(page.find("yyc3_load 0.25\n") != std::string::npos);
  CHECK(page.find("yyc3_wait_seconds_bucket{lane=\"x\",le=\"0.1\"} 1\n") != std::string::npos);
  CHECK(page.find("yyc3_wait_seconds_bucket{lane=\"x\",le=\"1.0\"} 3\n") != std::string::npos);
  CHECK(page.find("yyc3_wait_seconds_bucket{lane=\"x\",le=\"+Inf\"} 4\n") != std::string::npos);
  CHECK(page.find("yyc3_wait_seconds_count{lane=\"x\"} 4\n") != std::string::npos);
  CHECK(page.find("yyc3_wait_seconds_sum{lane=\"x\"} 100.6\n") != std::string::npos);
  CHECK(page.ends_with("# EOF\n"));
}

TEST_CASE("the grammar of this test is not blind") {
  CHECK(problem_of("# TYPE a counter\na 1\n# EOF\n") != "");
  CHECK(problem_of("# TYPE a gauge\na{b=\"\"\"} 1\n# EOF\n") != "");
  CHECK(problem_of("# TYPE a gauge\na 1\na 2\n# EOF\n") != "");
  CHECK(problem_of("# TYPE a gauge\na 1\n") == "no EOF");
}

TEST_CASE("the same name and labels are one series, whatever their order") {
  Registry registry;
  Counter& one = registry.counter("a_total", "A", {{"x", "1"}, {"y", "2"}});
  Counter& two = registry.counter("a_total", "A", {{"y", "2"}, {"x", "1"}});
  CHECK(&one == &two);
  for (int i = 0; i < 1000; ++i) registry.gauge("g", "G", {{"n", std::to_string(i)}});
  one.add(7);
  CHECK(registry.counter("a_total", "A", {{"x", "1"}, {"y", "2"}}).value() == 7);
}

TEST_CASE("programming errors stop the start") {
  Registry registry;
  registry.gauge("taken", "Taken");
  registry.histogram("wait_seconds", "Wait", {1, 2});
  CHECK_THROWS_AS(registry.counter("calls", "no suffix"), std::invalid_argument);
  CHECK_THROWS_AS(registry.counter("9calls_total", "digit"), std::invalid_argument);
  CHECK_THROWS_AS(registry.gauge("bad-name", "dash"), std::invalid_argument);
  CHECK_THROWS_AS(registry.gauge("x_count", "reserved"), std::invalid_argument);
  CHECK_THROWS_AS(registry.gauge("g", "label", {{"le", "1"}}), std::invalid_argument);
  CHECK_THROWS_AS(registry.gauge("g", "label", {{"a", "1"}, {"a", "2"}}), std::invalid_argument);
  CHECK_THROWS_AS(registry.gauge("taken", "Other help"), std::invalid_argument);
  CHECK_THROWS_AS(registry.histogram("taken", "Taken", {1}), std::invalid_argument);
  CHECK_THROWS_AS(registry.histogram("wait_seconds", "Wait", {1, 3}, {{"a", "b"}}),
                  std::invalid_argument);
  CHECK_THROWS_AS(registry.histogram("h", "falls", {2, 1}), std::invalid_argument);
  CHECK(problem_of(registry.render()) == "");
}

TEST_CASE("series are bounded") {
  Registry registry;
  for (int i = 0; i < 10'000; ++i) registry.gauge("g", "G", {{"n", std::to_string(i)}});
  CHECK_THROWS_AS(registry.gauge("g", "G", {{"n", "one more"}}), std::length_error);
  CHECK_NOTHROW(registry.gauge("g", "G", {{"n", "5"}}));
}

TEST_CASE("no count is lost between threads, and a page read meanwhile is consistent") {
  Registry registry;
  Counter& calls = registry.counter("calls_total", "Calls");
  Gauge& busy = registry.gauge("busy", "Busy");
  Histogram& wait = registry.histogram("wait_seconds", "Wait", {1, 2});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        calls.add();
        busy.add();
        busy.sub();
        wait.observe(i % 3);
      }
    });
  }
  for (int i = 0; i < 20; ++i) CHECK(problem_of(registry.render()) == "");
  for (auto& thread : threads) thread.join();
  CHECK(calls.value() == 40'000);
  CHECK(busy.value() == 0);
  CHECK(wait.count() == 40'000);
  CHECK(wait.sum() == 39'996);
}
