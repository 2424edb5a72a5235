#include "platform/telemetry/log.hpp"

#include <cmath>
#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"

using namespace yyc3;
using namespace yyc3::telemetry;

namespace {

struct TempDir {
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "yyc3-log-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

std::vector<json::value> lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<json::value> lines;
  for (std::string line; std::getline(in, line);) {
    const auto parsed = parse_json(line);
    REQUIRE_MESSAGE(parsed.has_value(), line);
    lines.push_back(*parsed);
  }
  return lines;
}

}  // namespace

TEST_CASE("a line is one ECS object") {
  const TempDir dir;
  ManualClock clock;
  Log log(clock, "aicall-test");
  REQUIRE(log.open_file(dir.path / "log"));
  const CallId id = CallId::make(clock);
  log.warn("call ended", {{"call.id", id},
                          {"yyc3.call.turns", 6},
                          {"ratio", 0.5},
                          {"ok", true},
                          {"big", std::uint64_t{18'446'744'073'709'551'615U}},
                          {"text", "a\n\"b\""},
                          {"delay_ms", Milliseconds(12)}});
  log.flush();
  const auto lines = lines_of(dir.path / "log");
  REQUIRE(lines.size() == 1);
  const json::value& line = lines[0];
  CHECK(string_field(line, "@timestamp") == "2027-01-15T08:00:00.000Z");
  CHECK(string_field(line, "log.level") == "warn");
  CHECK(string_field(line, "message") == "call ended");
  CHECK(string_field(line, "ecs.version") == "8.11.0");
  CHECK(string_field(line, "service.name") == "aicall-test");
  CHECK(string_field(line, "call.id") == id.str());
  CHECK(int_field(line, "yyc3.call.turns") == 6);
  CHECK(number_field(line, "ratio") == 0.5);
  CHECK(bool_field(line, "ok") == true);
  CHECK(find_field(line, "big")->as_uint64() == 18'446'744'073'709'551'615U);
  CHECK(string_field(line, "text") == "a\n\"b\"");
  CHECK(int_field(line, "delay_ms") == 12);
  struct stat info{};
  REQUIRE(::stat((dir.path / "log").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("personal data reaches only a sink opened for it") {
  const TempDir dir;
  ManualClock clock;
  Log log(clock);
  SinkOptions open_to_pii;
  open_to_pii.allow_pii = true;
  REQUIRE(log.open_file(dir.path / "plain"));
  REQUIRE(log.open_file(dir.path / "pii", open_to_pii));
  log.info("dialling", {{"pii.number", "+8613800138000"}, {"trunk", "a"}});
  CHECK_FALSE(find_field(lines_of(dir.path / "plain").at(0), "pii.number"));
  CHECK(string_field(lines_of(dir.path / "plain").at(0), "trunk") == "a");
  CHECK(string_field(lines_of(dir.path / "pii").at(0), "pii.number") == "+8613800138000");
}

TEST_CASE("values are bounded, well-formed, and cannot forge the envelope") {
  const TempDir dir;
  ManualClock clock;
  Log log(clock);
  REQUIRE(log.open_file(dir.path / "log"));
  std::string text(1023, 'x');
  text += "你";  // three bytes, of which one fits
  log.error("odd", {{"long", text},
                    {"broken",
                     "a\xff"
                     "b"},
                    {"message", "forged"},
                    {"nan", std::nan("")},
                    {std::string(70, 'n'), 1}});
  const auto line = lines_of(dir.path / "log").at(0);
  CHECK(string_field(line, "long")->size() == 1023);
  CHECK(string_field(line, "broken") == "ab");
  CHECK(string_field(line, "message") == "odd");
  CHECK(string_field(line, "nan") == "nan");
  CHECK(int_field(line, std::string(64, 'n')) == 1);
}

TEST_CASE("a level below the sink's is not written, nor wanted") {
  const TempDir dir;
  ManualClock clock;
  Log log(clock);
  CHECK_FALSE(log.wants(Level::kError));
  SinkOptions errors;
  errors.level = Level::kError;
  REQUIRE(log.open_file(dir.path / "errors", errors));
  CHECK_FALSE(log.wants(Level::kWarn));
  log.warn("not there");
  log.error("there");
  CHECK(lines_of(dir.path / "errors").size() == 1);
}

TEST_CASE("a file that cannot be opened or written is an error, not a crash") {
  ManualClock clock;
  Log log(clock);
  const auto opened = log.open_file("/proc/no/such/file");
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::kUnavailable);
  if (std::filesystem::exists("/dev/full")) {
    REQUIRE(log.open_file("/dev/full"));
    log.info("the disk is full");
    log.info("still");
    CHECK(log.lost() >= 1);
  }
}

TEST_CASE("lines of several threads stay whole") {
  const TempDir dir;
  const SystemClock clock;
  Log log(clock);
  REQUIRE(log.open_file(dir.path / "log"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&log, t] {
      for (int i = 0; i < 200; ++i) log.info("tick", {{"thread", t}, {"i", i}});
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(lines_of(dir.path / "log").size() == 800);
}
