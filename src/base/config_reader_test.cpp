#include "base/config_reader.hpp"

#include <doctest/doctest.h>

using yyc3::ConfigReader;

namespace {
struct Sample {
  std::string host = "127.0.0.1";
  std::int64_t ring = 30;
  bool record = true;
  double gain = 1;
  std::vector<std::string> allow = {"127.0.0.1"};
};
Sample load(ConfigReader& reader) {
  Sample s;
  reader.read({"sip.host", "where"}, s.host);
  reader.read({"calls.ring_timeout_s", "how long"}, s.ring, 5, 120);
  reader.read({"calls.record", "both sides"}, s.record);
  reader.read({"media.gain", "factor"}, s.gain, 0, 2);
  reader.read({"calls.allow", "hosts"}, s.allow);
  return s;
}
}  // namespace

TEST_CASE("file, then environment, over the defaults") {
  auto reader = ConfigReader::parse("[calls]\nring_timeout_s = 20\nallow = [\"a\", \"b\"]\n",
                                    {{"AICALL_CALLS__RING_TIMEOUT_S", "25"},
                                     {"AICALL_MEDIA__GAIN", "0.5"},
                                     {"AICALL_MODELS", "elsewhere"},
                                     {"PATH", "x"}});
  REQUIRE(reader);
  const Sample s = load(*reader);
  CHECK(reader->problems().empty());
  CHECK(s.ring == 25);
  CHECK(s.gain == doctest::Approx(0.5));
  CHECK(s.allow == std::vector<std::string>{"a", "b"});
  CHECK(s.host == "127.0.0.1");
}

TEST_CASE("every problem is told at once, with its key, unknown keys too") {
  auto reader = ConfigReader::parse(
      "[calls]\nring_timeout_s = 3\nrecord = 1\nring_timeout = 5\n[sip]\nhost = 7\n", {});
  REQUIRE(reader);
  const Sample s = load(*reader);
  CHECK(s.ring == 30);
  const std::vector<std::string> expected = {
      "sip.host: must be text in quotes",
      "calls.ring_timeout_s: must be a whole number from 5 to 120",
      "calls.record: must be true or false", "calls.ring_timeout: no such key"};
  CHECK(reader->problems() == expected);
}

TEST_CASE("a file that is not TOML is refused with its position") {
  const auto reader = ConfigReader::parse("[calls\n", {});
  REQUIRE_FALSE(reader);
  CHECK(reader.error().detail.find("line 1") != std::string::npos);
}

TEST_CASE("the documentation names every key that is read") {
  auto reader = ConfigReader::parse("", {});
  load(*reader);
  CHECK(reader->documentation().find("| `calls.ring_timeout_s` | `30` | 5 … 120 | how long |") !=
        std::string::npos);
}
