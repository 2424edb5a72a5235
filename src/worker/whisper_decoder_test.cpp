#include "worker/whisper_decoder.hpp"

#include <future>
#include <map>
#include <set>

#include "house/paths.hpp"
#include "worker/phrases.hpp"
#include "worker/worker_test_support.hpp"

namespace yyc3::worker {
namespace {

using speech::GrammarKind;
using speech::Language;

const std::shared_ptr<const WhisperModel>& model(const std::string& name) {
  static std::map<std::string, std::shared_ptr<const WhisperModel>> loaded;
  auto& slot = loaded[name];
  if (!slot) {
    auto fresh = WhisperModel::load(testing::models() / (name + ".bin"));
    REQUIRE_MESSAGE(fresh, fresh.error().detail);
    slot = *fresh;
  }
  return slot;
}

struct Ear {
  explicit Ear(const std::string& name = "whisper-base-q8_0")
      : decoder(model(name), testing::tables(), clock) {}
  Result<Decoded> hear(std::span<const std::int16_t> pcm, Language language,
                       GrammarKind grammar = GrammarKind::kFree) {
    DecodeRequest request;
    request.pcm = pcm;
    request.language = language;
    request.grammar = grammar;
    return decoder.decode(request, stop);
  }
  SystemClock clock;
  StopFlag stop;
  WhisperDecoder decoder;
};

std::map<std::string, std::string> words() {
  const std::filesystem::path folder = (paths::source_dir() / "tests/data") / "audio_cmn";
  std::ifstream in(folder / "index.tsv");
  std::map<std::string, std::string> files;
  std::string line;
  while (std::getline(in, line)) {
    const auto tab = line.find('\t');
    if (line.ends_with("text")) continue;
    files.try_emplace(line.substr(tab + 1), (folder / line.substr(0, tab)).string());
  }
  REQUIRE(files.size() > 100);
  return files;
}

TEST_CASE("yes and no of a human voice through A-law, inside the grammar") {
  const std::vector<std::string> yes_no{"是",   "不是", "好",   "不",     "不要", "不用", "可以",
                                        "对",   "不对", "行",   "不行",   "没有", "有",   "需要",
                                        "同意", "愿意", "当然", "可能",   "也许", "肯定", "算了",
                                        "停",   "别",   "不必", "没关系", "知道", "考虑", "谢谢"};
  const auto files = words();
  Ear ear;
  int right = 0;
  for (const auto& word : yes_no) {
    const auto heard =
        ear.hear(testing::read_wav(files.at(word)), Language::kChinese, GrammarKind::kYesNo);
    REQUIRE(heard);
    if (heard->text == word || heard->text == word + "的") ++right;
    CHECK(heard->confidence >= 0);
    CHECK(heard->confidence <= 1);
  }
  MESSAGE("yes/no words right: " << right << " of " << yes_no.size());
  CHECK(right >= 26);  // 92 %
}

TEST_CASE("Chinese digits of a human voice through A-law, inside the grammar") {
  const std::map<std::string, std::set<std::string>> digits{
      {"零", {"零", "0"}}, {"一", {"一", "1", "幺"}}, {"二", {"二", "2", "两"}},
      {"三", {"三", "3"}}, {"四", {"四", "4"}},       {"五", {"五", "5"}},
      {"六", {"六", "6"}}, {"七", {"七", "7"}},       {"八", {"八", "8"}},
      {"九", {"九", "9"}}, {"十", {"十", "10"}}};
  const auto files = words();
  Ear ear;
  int right = 0;
  for (const auto& [digit, spellings] : digits) {
    const auto heard =
        ear.hear(testing::read_wav(files.at(digit)), Language::kChinese, GrammarKind::kDigit);
    REQUIRE(heard);
    if (spellings.contains(heard->text)) ++right;
  }
  MESSAGE("zh digits right: " << right << " of " << digits.size());
  CHECK(right >= 10);  // ≥ 85 %
}

TEST_CASE("English digits of four speakers, inside the grammar") {
  const std::vector<std::string> names{"zero", "one", "two",   "three", "four",
                                       "five", "six", "seven", "eight", "nine"};
  Ear ear("whisper-tiny.en-q8_0");
  int right = 0;
  int total = 0;
  for (const auto& file :
       std::filesystem::directory_iterator((paths::source_dir() / "tests/data") / "fsdd_digits")) {
    if (file.path().extension() != ".wav") continue;
    const auto digit = static_cast<std::size_t>(file.path().filename().string()[0] - '0');
    const auto heard =
        ear.hear(testing::read_wav(file.path()), Language::kEnglish, GrammarKind::kDigit);
    REQUIRE(heard);
    ++total;
    if (heard->text == names[digit] || (digit == 0 && heard->text == "oh")) ++right;
  }
  MESSAGE("en digits right: " << right << " of " << total);
  CHECK(total == 40);
  CHECK(right >= 34);  // 85 %
}

TEST_CASE("what the voices say is understood through a telephone") {
  OrtCancel cancel;
  auto kokoro = KokoroVoice::load(testing::models(), testing::tables(), 1);
  REQUIRE_MESSAGE(kokoro, kokoro.error().detail);
  const auto zh = (*kokoro)->speak("我想改到星期五下午两点。", "zf_xiaoxiao", 1.0, cancel);
  REQUIRE(zh);
  const auto heard = Ear().hear(testing::through_telephone(*zh), Language::kChinese);
  REQUIRE(heard);
  CHECK_MESSAGE(heard->text.find("星期五下午") != std::string::npos, heard->text);

  auto piper = PiperVoice::load(testing::models(), testing::tables(), 1);
  REQUIRE_MESSAGE(piper, piper.error().detail);
  const auto en = (*piper)->speak("I would like to move it to Friday morning.", "joe", 1.0, cancel);
  REQUIRE(en);
  const auto understood =
      Ear("whisper-tiny.en-q8_0").hear(testing::through_telephone(*en), Language::kEnglish);
  REQUIRE(understood);
  CHECK_MESSAGE(understood->text.find("Friday morning") != std::string::npos, understood->text);
}

TEST_CASE("a short request is heard where a yes or a no is awaited") {
  OrtCancel cancel;
  auto kokoro = KokoroVoice::load(testing::models(), testing::tables(), 1);
  auto piper = PiperVoice::load(testing::models(), testing::tables(), 1);
  REQUIRE((kokoro && piper));
  Ear zh;
  Ear en("whisper-tiny.en-q8_0");
  for (const auto& [said, means] : {std::pair{"别再打了", "打了"},
                                    {"转人工", "人工"},
                                    {"你打错了", "打错了"},
                                    {"再说一遍", "再说一遍"},
                                    {"我是", "我是"}}) {
    const auto sound = (*kokoro)->speak(std::string(said) + "。", "zf_xiaoxiao", 1.0, cancel);
    REQUIRE(sound);
    const auto heard =
        zh.hear(testing::through_telephone(*sound), Language::kChinese, GrammarKind::kYesNo);
    REQUIRE(heard);
    CHECK_MESSAGE(heard->text.find(means) != std::string::npos, said, " as ", heard->text);
    CHECK_MESSAGE(heard->confidence >= 0.4, said, " ", heard->confidence);
  }
  for (const char* said : {"stop calling me", "wrong number", "who is this"}) {
    const auto sound = (*piper)->speak(std::string(said) + ".", "joe", 1.0, cancel);
    REQUIRE(sound);
    const auto heard =
        en.hear(testing::through_telephone(*sound), Language::kEnglish, GrammarKind::kYesNo);
    REQUIRE(heard);
    CHECK_MESSAGE(heard->text == said, heard->text);
  }
}

TEST_CASE("free text leans towards what callers say") {
  const auto files = words();
  std::string said;
  for (const auto& [word, file] : files) said += word + "\n";
  const auto leaning = WhisperModel::load(testing::models() / "whisper-base-q8_0.bin", said);
  REQUIRE(leaning);
  const SystemClock clock;
  const StopFlag stop;
  WhisperDecoder plain(model("whisper-base-q8_0"), testing::tables(), clock);
  WhisperDecoder leans(*leaning, testing::tables(), clock);
  int right_plain = 0;
  int right_leaning = 0;
  int tried = 0;
  for (const auto& [word, file] : files) {
    if (++tried > 24) break;
    const std::vector<std::int16_t> pcm = testing::read_wav(file);
    DecodeRequest request;
    request.pcm = pcm;
    const auto without = plain.decode(request, stop);
    const auto with = leans.decode(request, stop);
    REQUIRE(without);
    REQUIRE(with);
    right_plain += without->text.starts_with(word);
    right_leaning += with->text.starts_with(word);
  }
  MESSAGE("free words right: " << right_plain << ", leaning: " << right_leaning << " of 24");
  CHECK(right_leaning > right_plain);
}

TEST_CASE("a word of the operator is taken rather than one that sounds alike") {
  OrtCancel cancel;
  auto kokoro = KokoroVoice::load(testing::models(), testing::tables(), 1);
  REQUIRE_MESSAGE(kokoro, kokoro.error().detail);
  const auto speech = (*kokoro)->speak("我想问一下云杉卡的年费。", "zf_xiaoxiao", 1.0, cancel);
  REQUIRE(speech);
  const std::vector<std::int16_t> pcm = testing::through_telephone(*speech);
  const auto heard_with = [&](std::string_view own) {
    const auto leaning =
        WhisperModel::load(testing::models() / "whisper-base-q8_0.bin", said_zh(), own);
    REQUIRE(leaning);
    const SystemClock clock;
    DecodeRequest request;
    request.pcm = pcm;
    const auto heard =
        WhisperDecoder(*leaning, testing::tables(), clock).decode(request, StopFlag());
    REQUIRE(heard);
    CHECK((heard->confidence > 0.3 && heard->confidence < 1));
    return heard->text;
  };
  const std::string plain = heard_with("");
  const std::string named = heard_with("云杉卡\n年费\n");
  MESSAGE(plain << " → " << named);
  CHECK(plain.find("云杉卡") == std::string::npos);
  CHECK(named.find("云杉卡的年费") != std::string::npos);
}

TEST_CASE("a text is corrected by what callers say, and what they do not say stays") {
  OrtCancel cancel;
  auto kokoro = KokoroVoice::load(testing::models(), testing::tables(), 1);
  REQUIRE_MESSAGE(kokoro, kokoro.error().detail);
  const auto file = testing::models() / "whisper-base-q8_0.bin";
  const auto written = WhisperModel::load(file, said_zh());
  const auto mended = WhisperModel::load(file, said_zh(), "", testing::tables());
  REQUIRE(written);
  REQUIRE(mended);
  const SystemClock clock;
  WhisperDecoder writes(*written, testing::tables(), clock);
  WhisperDecoder mends(*mended, testing::tables(), clock);
  const auto both = [&](const std::string& said) {
    const auto speech = (*kokoro)->speak(said, "zm_yunyang", 1.0, cancel);
    REQUIRE(speech);
    const std::vector<std::int16_t> pcm = testing::through_telephone(*speech);
    DecodeRequest request;
    request.pcm = pcm;
    const auto before = writes.decode(request, StopFlag());
    const auto after = mends.decode(request, StopFlag());
    REQUIRE(before);
    REQUIRE(after);
    MESSAGE(before->text << " → " << after->text);
    return std::pair(before->text, after->text);
  };
  int right_before = 0;
  int right_after = 0;
  for (const std::string said :
       {"后天上午我有空", "我可能要晚到二十分钟", "我想换一个医生", "洗牙要多长时间"}) {
    const auto [before, after] = both(said);
    right_before += before.starts_with(said);
    right_after += after.starts_with(said);
  }
  CHECK(right_after > right_before);
  const auto [before, after] = both("这个手机是华为的，我在新加坡买的。");
  CHECK(before.find("华为") != std::string::npos);
  CHECK(after == before);
}

TEST_CASE("a decode stops when told and at its deadline, and the decoder goes on working") {
  Ear ear;
  const auto sound = testing::noise(8 * 8000, 2000);
  auto running =
      std::async(std::launch::async, [&] { return ear.hear(sound, Language::kChinese); });
  ear.stop.cancelled = true;
  REQUIRE(running.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  const auto cancelled = running.get();
  REQUIRE_FALSE(cancelled);
  CHECK(cancelled.error().code == ErrorCode::kCancelled);

  ear.stop.cancelled = false;
  ear.stop.deadline = ear.clock.now() + Milliseconds(30);  // inside the encoder
  const SteadyTime begin = ear.clock.now();
  const auto late = ear.hear(sound, Language::kChinese);
  const auto took = std::chrono::duration_cast<Milliseconds>(ear.clock.now() - begin).count();
  MESSAGE("stopped " << took - 30 << " ms after its deadline");
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::kTimeout);

  ear.stop.deadline = SteadyTime::max();
  const auto word = testing::read_wav(words().at("没关系"));
  const auto heard = ear.hear(word, Language::kChinese, GrammarKind::kYesNo);
  REQUIRE(heard);
  CHECK(heard->text == "没关系");
}

TEST_CASE("a voice's marks are where the recogniser hears its characters end") {
  OrtCancel cancel;
  auto kokoro = KokoroVoice::load(testing::models(), testing::tables(), 1);
  auto piper = PiperVoice::load(testing::models(), testing::tables(), 1);
  REQUIRE((kokoro && piper));
  const auto up_to = [](const Speech& speech, std::uint32_t characters) {
    const auto mark = std::ranges::find(speech.marks, characters, &codec::WavCue::name);
    REQUIRE(mark != speech.marks.end());
    return Speech{speech.rate, {speech.pcm.begin(), speech.pcm.begin() + mark->frame}};
  };
  const auto rises = [](const Speech& speech, std::size_t characters) {
    for (std::size_t i = 1; i < speech.marks.size(); ++i) {
      CHECK(speech.marks[i - 1].name < speech.marks[i].name);
      CHECK(speech.marks[i - 1].frame < speech.marks[i].frame);
    }
    REQUIRE_FALSE(speech.marks.empty());
    CHECK(speech.marks.back().name == characters);
    CHECK(speech.marks.back().frame <= speech.pcm.size());
  };
  const auto zh = (*kokoro)->speak("我想改到星期五，下午两点。", "zf_xiaoxiao", 1.0, cancel);
  REQUIRE(zh);
  rises(*zh, 13);
  CHECK(zh->marks.size() == 11);  // a Hanzi each
  const auto friday = Ear().hear(testing::through_telephone(up_to(*zh, 8)), Language::kChinese);
  REQUIRE(friday);
  CHECK_MESSAGE(friday->text.find("星期五") != std::string::npos, friday->text);
  CHECK_MESSAGE(friday->text.find("下") == std::string::npos, friday->text);

  const auto date = (*kokoro)->speak("2026年12月9日¥50", "zf_xiaoxiao", 1.0, cancel);
  REQUIRE(date);
  rises(*date, 13);

  const auto en =
      (*piper)->speak("Our office is on Green Road, next to the station.", "joe", 1.0, cancel);
  REQUIRE(en);
  rises(*en, 49);
  CHECK(en->marks.size() == 10);  // a word each
  const auto road = Ear("whisper-tiny.en-q8_0")
                        .hear(testing::through_telephone(up_to(*en, 29)), Language::kEnglish);
  REQUIRE(road);
  CHECK_MESSAGE(road->text.find("oad") != std::string::npos, road->text);
  CHECK_MESSAGE(road->text.find("next") == std::string::npos, road->text);
}

TEST_CASE("a synthesis stops when told") {
  auto kokoro = KokoroVoice::load(testing::models(), testing::tables(), 1);
  REQUIRE(kokoro);
  OrtCancel cancel;
  cancel.cancel();
  const auto stopped = (*kokoro)->speak("您好，请问您是王女士吗？", "zf_xiaoxiao", 1.0, cancel);
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == ErrorCode::kCancelled);
  cancel.reset();
  CHECK((*kokoro)->speak("您好。", "zf_xiaoxiao", 1.0, cancel));
  CHECK_FALSE((*kokoro)->speak("……", "zf_xiaoxiao", 1.0, cancel));
  CHECK_FALSE((*kokoro)->speak("您好。", "nobody", 1.0, cancel));
}

TEST_CASE("a text does not depend on what was decoded before") {
  const auto files = words();
  const auto word = testing::read_wav(files.at("对不起"));
  Ear fresh;
  const auto first = fresh.hear(word, Language::kChinese);
  Ear used;
  REQUIRE(used.hear(testing::noise(5 * 8000, 2000), Language::kChinese));
  const auto second = used.hear(word, Language::kChinese);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->text == second->text);
  CHECK(first->confidence == doctest::Approx(second->confidence).epsilon(0.001));
}

TEST_CASE("bad requests are refused") {
  Ear ear("whisper-tiny.en-q8_0");
  const std::vector<std::int16_t> second(8000, 0);
  CHECK(ear.hear({}, Language::kEnglish).error().code == ErrorCode::kInvalid);
  CHECK(ear.hear(second, Language::kChinese).error().code == ErrorCode::kInvalid);
  CHECK(ear.hear(second, Language::kEnglish, GrammarKind::kOptions).error().code ==
        ErrorCode::kInvalid);
}

}  // namespace
}  // namespace yyc3::worker
