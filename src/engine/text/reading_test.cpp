#include <fstream>
#include <iterator>
#include <unistd.h>

#include "engine/text/cleanup.hpp"
#include "engine/text/match.hpp"
#include "engine/text/phonemizer.hpp"
#include "engine/text/test_tables.hpp"
#include "engine/text/utf8.hpp"

using namespace yyc3;
using namespace yyc3::text;

namespace {

std::string words_of_line(const char* text) {
  const Segmenter segmenter(test_tables());
  const std::u32string chars = decode_utf8(text);
  std::string out;
  for (const Span span : segmenter.cut(chars)) {
    if (!out.empty()) out += '/';
    out += encode_utf8(std::u32string_view(chars).substr(span.begin, span.end - span.begin));
  }
  return out;
}

struct Case {
  const char* in;
  const char* out;
};

}  // namespace

TEST_CASE("the segmenter takes the most probable words") {
  const Case cases[] = {
      {"我想预约明天下午的门诊", "我/想/预约/明天/下午/的/门诊"},
      {"研究生命的起源", "研究/生命/的/起源"},
      {"他来到了网易杭研大厦", "他/来到/了/网易/杭研/大厦"},  // 杭研 by the Markov model
      {"iPhone15真好，OK", "iPhone15/真/好/，/OK"},
      {"", ""},
  };
  for (const auto& c : cases) CHECK(words_of_line(c.in) == c.out);
}

TEST_CASE("words decide how a character is read") {
  const Pinyin pinyin(test_tables());
  const Case cases[] = {
      {"银行行长跑得快", "yin2 hang2 hang2 zhang3 pao3 de5 kuai4"},
      {"您还款了吗", "nin2 huan2 kuan3 le5 ma5"},
      {"我已经还了，还没到", "wo3 yi3 jing1 huan2 le5 ， hai2 mei2 dao4"},
      {"我得走了", "wo3 dei3 zou3 le5"},
      {"游玩时长", "you2 wan2 shi2 chang2"},
      {"我一定得去", "wo3 yi2 ding4 dei3 qu4"},
      {"重新预约音乐会", "chong2 xin1 yu4 yue1 yin1 yue4 hui4"},
      {"转人工 ABC", "zhuan3 ren2 gong1 ABC"},
  };
  for (const auto& c : cases) CHECK(pinyin.spell(c.in) == c.out);
}

TEST_CASE("spoken tones change: 不, 一 and third tones in a row") {
  const Pinyin pinyin(test_tables());
  const Case cases[] = {
      {"不是", "bu2 shi4"},
      {"不好", "bu4 hao3"},
      {"一样", "yi2 yang4"},
      {"一天", "yi4 tian1"},
      {"第一天", "di4 yi1 tian1"},
      {"十一点", "shi2 yi1 dian3"},
      {"一月一号", "yi1 yue4 yi1 hao4"},
      {"看一看", "kan4 yi5 kan4"},
      {"你好", "ni2 hao3"},
      {"我很好", "wo2 hen2 hao3"},
      {"展览馆", "zhan2 lan2 guan3"},
  };
  for (const auto& c : cases) CHECK(pinyin.spell(c.in, Pinyin::Tones::kSpoken) == c.out);
}

TEST_CASE("phrases are found by their sound") {
  const SoundMatcher matcher(test_tables());
  const std::vector<std::string> wanted{"还款", "账单", "人工客服", "验证码", "不需要", "需要"};
  struct Heard {
    const char* text;
    int index;  // -1: none
  };
  const Heard cases[] = {
      {"海款", 0},   {"我想海款", 0}, {"功克服", 2}, {"人工克服", 2}, {"帮我转人工克服", 2},
      {"眼正码", 3}, {"帐单", 1},     {"需要", 5},   {"我不需要", 4}, {"今天天气", -1},
      {"", -1},      {"还款", 0},     {"張單", 1},
  };
  for (const auto& c : cases) {
    const auto match = matcher.best_match(c.text, wanted);
    INFO(c.text);
    CHECK((match ? static_cast<int>(match->index) : -1) == c.index);
  }
  CHECK(matcher.pinyin_key("人工客服A1") == "ren gong ke fu a1");
  CHECK(matcher.pinyin_distance("四", "十") < matcher.pinyin_distance("四", "八"));
  CHECK(matcher.pinyin_distance("还款", "还款") == 0);
  const std::vector<std::string> english{"no", "appointment"};
  CHECK(!matcher.best_match("I know", english));
  CHECK(matcher.best_match("my apointment", english)->index == 1);
}

TEST_CASE("phonemes: Chinese, English and both") {
  const Phonemizer phonemizer(test_tables());
  const auto zh = phonemizer.phonemes("你好，请按1。", Language::kZh, PhonemeSet::kKokoro);
  CHECK(zh.joined() == "ni↗xau↓, ʨʰi↓ŋ a↘n i→.");
  CHECK(zh.unspeakable == 0);
  REQUIRE(zh.units.size() == 6);
  CHECK(zh.units[0].origin == Span{0, 2});
  CHECK(zh.units[4].origin == Span{5, 6});
  CHECK(zh.units[5].pause);
  REQUIRE(zh.units[0].parts.size() == 2);  // 你 and 好
  CHECK(zh.units[0].parts[0].phoneme == 0);
  CHECK(zh.units[0].parts[1].phoneme < decode_utf8(zh.units[0].phonemes).size());
  CHECK(zh.units[0].parts[1].character == 1);
  const auto en = phonemizer.phonemes("Hello, the apple.", Language::kEn, PhonemeSet::kKokoro);
  CHECK(en.joined() == "həlˈO, ði ˈæpᵊl.");
  const auto piper = phonemizer.phonemes("Hello the day", Language::kEn, PhonemeSet::kPiper);
  CHECK(piper.joined() == "həlˈoʊ ðə dˈeɪ");
  const auto mixed = phonemizer.phonemes("我的VIP卡", Language::kZh, PhonemeSet::kKokoro);
  CHECK(mixed.units.size() == 4);
  CHECK(mixed.unspeakable == 0);
  const auto piper_zh = phonemizer.phonemes("你好 ok", Language::kEn, PhonemeSet::kPiper);
  CHECK(piper_zh.unspeakable == 2);
  CHECK(phonemizer.english_word("rescheduled") == "ɹiskˈɛʤəld");
  CHECK(phonemizer.english_word("xqz") == "ˈɛks kjˈu zˈi");
}

TEST_CASE("clean-up of recognised text") {
  CHECK(to_simplified(*test_tables(), "請問您幾點來預約？") == "请问您几点来预约？");
  const Case cut[] = {
      {"我想还款我想还款我想还款", "我想还款"},
      {"谢谢谢谢", "谢谢谢谢"},
      {"好的好的", "好的好的"},
      {"号码是一三八八八八八八", "号码是一三八八八八八八"},
      {"I want to go. I want to go. I want to go.", "I want to go."},
      {"喂喂喂", "喂喂喂"},
      {"啊啊啊啊啊啊啊啊", "啊"},
      {"周末我去银行办。周末我去银行", "周末我去银行办。"},
      {"分期的手续费是多少。分期的手续费", "分期的手续费是多少。"},
      {"你好我想问一下。你好我想", "你好我想问一下。你好我想"},  // too short to tell
      {"我想改到周五下午，就是我想改时间", "我想改到周五下午，就是我想改时间"},
      {"一三五七九零，一三五七九", "一三五七九零，一三五七九"},
  };
  for (const auto& c : cut) {
    const CutText done = cut_repetition(c.in);
    CHECK(done.text == c.out);
    CHECK(done.looped == (std::string(c.in) != c.out));
  }
  CHECK(cut_repetition("\xff\xe4\xbd\xa0\xe4").text == "你");
}

TEST_CASE("a missing or damaged table is refused with its name") {
  namespace fs = std::filesystem;
  const fs::path dir = fs::temp_directory_path() / ("text_tables_" + std::to_string(::getpid()));
  fs::remove_all(dir);
  fs::create_directories(dir);
  const auto missing = Tables::load(dir);
  REQUIRE(!missing);
  CHECK(missing.error().code == ErrorCode::kNotFound);
  CHECK(missing.error().detail.find("zh-words.tbl") != std::string::npos);
  (void)test_tables();
  for (const auto& file : fs::directory_iterator(test_tables_dir())) fs::copy(file, dir);
  CHECK(Tables::load(dir).has_value());
  const auto damage = [&](const char* name, auto change) {
    std::ifstream in(test_tables_dir() / name, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(in), {}};
    change(bytes);
    std::ofstream(dir / name, std::ios::binary) << bytes;
    const auto loaded = Tables::load(dir);
    REQUIRE(!loaded);
    CHECK(loaded.error().code == ErrorCode::kInvalid);
    CHECK(loaded.error().detail.find(name) != std::string::npos);
    fs::copy_file(test_tables_dir() / name, dir / name, fs::copy_options::overwrite_existing);
  };
  damage("t2s.tbl", [](std::string& b) { b[b.size() / 2] ^= 1; });
  damage("t2s.tbl", [](std::string& b) { b.resize(b.size() - 1); });
  damage("zh-chars.tbl", [](std::string& b) { b.clear(); });
  damage("en-words.tbl", [](std::string& b) { b[0] = 'X'; });
  fs::remove_all(dir);
}
