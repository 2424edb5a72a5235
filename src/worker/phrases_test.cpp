#include "worker/phrases.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "engine/text/utf8.hpp"
#include "worker/bpe_tokenizer.hpp"
#include "worker/ngram_model.hpp"
#include "worker/worker_test_support.hpp"

namespace yyc3::worker {
namespace {

using Tokens = std::vector<NgramModel::Token>;

std::map<int, double> gains_of(const NgramModel& model, const Tokens& history) {
  std::vector<NgramModel::Gain> gains;
  model.gains(history, gains);
  std::map<int, double> out;
  for (const auto& gain : gains) out[gain.token] = static_cast<double>(gain.log_ratio);
  return out;
}

TEST_CASE("an n-gram model: Witten and Bell by hand") {
  NgramModel model(100, 9);  // 100 tokens, 9 ends a sentence
  model.add(Tokens{1, 2});
  model.add(Tokens{1, 3});
  // 6 tokens of 4 kinds (1: 2, 2: 1, 3: 1, 9: 2); after 1: 2, 3 once each; after (start 1): the
  // same
  const double unseen = 4.0 / 10 / 100;
  const auto refined = [](double p, double times) { return p * 2 / 4 + times / 4; };
  const double p2 = refined(refined(unseen + 1.0 / 10, 1), 1);
  const double p1 = refined(refined(unseen + 2.0 / 10, 0), 0);
  const double none = unseen / 4;
  const auto gains = gains_of(model, {1});
  REQUIRE(gains.size() == 4);
  CHECK(gains.at(2) == doctest::Approx(std::log(p2 / none)).epsilon(1e-5));
  CHECK(gains.at(3) == gains.at(2));
  CHECK(gains.at(1) == doctest::Approx(std::log(p1 / none)).epsilon(1e-5));
  // all probabilities add up to one
  double sum = (100 - 4) * none;
  for (const auto& [token, gain] : gains) sum += none * std::exp(gain);
  CHECK(sum == doctest::Approx(1).epsilon(1e-4));
}

TEST_CASE("an n-gram model: no text, no gains; a history never seen leaves the single tokens") {
  CHECK(gains_of(NgramModel(100, 9), {1, 2}).empty());
  NgramModel model(100, 9);
  model.add(Tokens{1, 1, 1, 2});
  const auto gains = gains_of(model, {55, 56});
  CHECK(gains.at(1) > gains.at(2));
  CHECK(gains.at(2) == doctest::Approx(gains.at(9)));
  for (const auto& [token, gain] : gains) CHECK(gain > 0);
}

TEST_CASE("byte pairs are joined in the order of their tokens' numbers, not the longest first") {
  const BpeTokenizer tokenizer({"a", "b", "c", "bc", "ab", "abc", "", "cc"});
  using Numbers = std::vector<BpeTokenizer::Token>;
  CHECK(tokenizer.encode("abc") == Numbers{5});      // a + bc (3 before 4), then abc
  CHECK(tokenizer.encode("abb") == Numbers{4, 1});   // ab + b
  CHECK(tokenizer.encode("abcc") == Numbers{5, 2});  // bc before cc
  CHECK(tokenizer.encode("axb") == Numbers{0, 1});   // no token has an x
  CHECK(tokenizer.encode("").empty());
}

TEST_CASE("what callers say is plain Chinese, one utterance a line") {
  std::istringstream lines{std::string(said_zh())};
  std::set<std::string> seen;
  for (std::string line; std::getline(lines, line);) {
    const std::u32string text = text::decode_utf8(line);
    CHECK_MESSAGE((text.size() >= 2 && text.size() <= 24), line);
    CHECK_MESSAGE(std::ranges::all_of(text, text::is_han), line);
    CHECK_MESSAGE(seen.insert(line).second, line, " is there twice");
  }
  CHECK(seen.size() >= 1000);
}

TEST_CASE("the operator's phrases: what is wrong is said with the key to mend") {
  testing::TempDir folder;
  const auto file = folder.path / "phrases.txt";
  const auto detail = [&file] {
    const auto read = read_phrases(file);
    return read ? "" : read.error().detail;
  };
  CHECK(detail().find("are not there; mend speech.phrases_zh") != std::string::npos);
  std::ofstream(file) << "云杉口腔\n";
  CHECK(read_phrases(file).value_or("") == "云杉口腔\n");
  std::ofstream(file) << "\xff\xfe";
  CHECK(detail().find("are not UTF-8") != std::string::npos);
  std::ofstream(file) << std::string(kPhrasesBytesMax + 1, 'a');
  CHECK(detail().find("are more than 1 MiB") != std::string::npos);
}

}  // namespace
}  // namespace yyc3::worker
