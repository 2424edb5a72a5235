#include "worker/voice.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <numeric>
#include <optional>
#include <utility>

#include "engine/text/utf8.hpp"
#include "worker/model_file.hpp"

namespace yyc3::worker {
namespace {

constexpr int kKokoroRate = 24'000;
constexpr int kPiperRate = 22'050;
/// 40 ms: its first sound comes a median of 35 ms before the first token begins (66 sentences, two
/// voices; 38 ms of 56 that begin with m, n, l, w), the sound before a comma ends 68 ms before it.
constexpr std::size_t kKokoroAhead = kKokoroRate / 25;
constexpr std::size_t kStyleRows = 510;
constexpr std::size_t kStyleWidth = 256;
constexpr std::size_t kTokensMax = 400;  // of one run; Kokoro's own limit is 510

/// tokens.txt: one symbol (one code point, which may be a blank) and its number a line.
Result<std::map<char32_t, std::int64_t>> load_ids(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::map<char32_t, std::int64_t> ids;
  std::string line;
  while (std::getline(in, line)) {
    const std::size_t blank = line.rfind(' ');
    if (blank == std::string::npos || blank == 0) continue;
    const std::u32string symbol = text::decode_utf8(std::string_view(line).substr(0, blank));
    std::int64_t id = 0;
    const char* end = line.data() + line.size();
    const auto parsed = std::from_chars(line.data() + blank + 1, end, id);
    if (symbol.size() == 1 && parsed.ec == std::errc() && parsed.ptr == end) ids[symbol[0]] = id;
  }
  if (ids.size() < 50) return bad_model(file);
  return ids;
}

Result<std::vector<float>> load_floats(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(in)),
                                std::istreambuf_iterator<char>());
  if (bytes.empty() || bytes.size() % sizeof(float) != 0) return bad_model(file);
  std::vector<float> floats(bytes.size() / sizeof(float));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(floats.data()));
  return floats;
}

/// What one run of a model is given: how much of the text is said when so many ids are.
struct TokenRun {
  struct End {
    std::size_t ids;
    std::uint32_t characters;
  };
  std::vector<std::int64_t> ids;
  std::vector<End> ends;
};

/// Builds runs, unit by unit. What is too long for one is cut at a pause; without any, anywhere.
class TokenRuns {
 public:
  TokenRuns(const text::Phonemes& phonemes, const std::map<char32_t, std::int64_t>& ids,
            std::size_t characters)
      : ids_(ids), said_(characters_said(phonemes, characters)) {
    for (const text::PhonemeUnit& unit : phonemes.units) add(unit);
    close();
  }
  std::vector<TokenRun> runs;

 private:
  /// Per part: characters of the text that are said at its end, up to what is still to come. Marks
  /// and blanks belong to what is before them; numbers may be said in another order.
  static std::vector<std::uint32_t> characters_said(const text::Phonemes& phonemes,
                                                    std::size_t characters) {
    std::vector<std::uint32_t> begins;
    for (const text::PhonemeUnit& unit : phonemes.units) {
      if (unit.pause) continue;
      if (unit.parts.empty()) begins.push_back(static_cast<std::uint32_t>(unit.origin.begin));
      for (const auto& part : unit.parts)
        begins.push_back(static_cast<std::uint32_t>(part.character));
    }
    std::vector<std::uint32_t> said(begins.size());
    auto left = static_cast<std::uint32_t>(characters);
    for (std::size_t i = begins.size(); i-- > 0; left = std::min(left, begins[i])) said[i] = left;
    return said;
  }
  void add(const text::PhonemeUnit& unit) {
    const std::u32string symbols = text::decode_utf8(unit.phonemes);
    if (!unit.pause && !run_.ids.empty()) push(U' ');
    std::size_t part = 1;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      for (; part < unit.parts.size() && unit.parts[part].phoneme == i; ++part) end_part();
      push(symbols[i]);
    }
    for (; !unit.pause && part <= std::max<std::size_t>(1, unit.parts.size()); ++part) end_part();
    const bool pause = unit.pause && run_.ids.size() > kTokensMax / 2;
    if (pause || run_.ids.size() >= kTokensMax) close();
  }
  void push(char32_t symbol) {
    if (const auto found = ids_.find(symbol); found != ids_.end())
      run_.ids.push_back(found->second);
  }
  void end_part() { run_.ends.push_back({run_.ids.size(), said_[parts_++]}); }
  void close() {
    run_.ids.resize(std::min(run_.ids.size(), kStyleRows));
    if (!run_.ids.empty()) runs.push_back(std::exchange(run_, {}));
  }

  const std::map<char32_t, std::int64_t>& ids_;
  const std::vector<std::uint32_t> said_;
  std::size_t parts_ = 0;
  TokenRun run_;
};

/// What runs have said so far.
struct Said {
  std::vector<float> samples;
  std::vector<codec::WavCue> marks;
};

/// Where a run's ids are among the tokens that the model was given: the i-th at first + stride * i.
struct Layout {
  std::size_t first;
  std::size_t stride;
  std::size_t ahead = 0;  ///< samples that the sound is ahead of the durations
};

/// Adds the sound of a run, and marks by the durations that the model gave its tokens, in frames of
/// one length.
void append(Said& said, const TokenRun& run, const std::vector<std::vector<float>>& outputs,
            Layout layout) {
  auto& [samples, marks] = said;
  const std::vector<float>& durations = outputs[1];
  const double whole = std::accumulate(durations.begin(), durations.end(), 0.0);
  const double frame = whole > 0 ? static_cast<double>(outputs[0].size()) / whole : 0;
  double until = 0;
  std::size_t summed = 0;
  for (const TokenRun::End& end : run.ends) {
    const std::size_t to = std::min(durations.size(), layout.first + layout.stride * end.ids);
    for (; summed < to; ++summed) until += static_cast<double>(durations[summed]);
    const std::size_t in_run = static_cast<std::size_t>(until * frame);
    const auto at =
        static_cast<std::uint32_t>(samples.size() + in_run - std::min(in_run, layout.ahead));
    if (!marks.empty() && marks.back().name == end.characters)
      marks.back().frame = at;  // a number's words: said when the last of them is
    else
      marks.push_back({end.characters, at});
  }
  samples.insert(samples.end(), outputs[0].begin(), outputs[0].end());
}

bool has_sound(const text::Phonemes& phonemes) {
  return std::ranges::any_of(phonemes.units, [](const auto& unit) { return !unit.pause; });
}

tl::unexpected<Error> nothing_to_say() {
  return fail(ErrorCode::kInvalid, "input holds nothing this voice can say");
}

}  // namespace

Result<std::unique_ptr<KokoroVoice>> KokoroVoice::load(const std::filesystem::path& directory,
                                                       text::TablesPtr tables, int threads) {
  const std::filesystem::path folder = directory / "kokoro";
  auto ids = load_ids(folder / "tokens.txt");
  if (!ids) return tl::unexpected<Error>(ids.error());
  auto styles = load_floats(folder / "voices.bin");
  if (!styles) return tl::unexpected<Error>(styles.error());
  std::vector<std::string> names;
  std::ifstream speakers(folder / "speakers.txt");
  for (std::string number, name; speakers >> number >> name;) names.push_back(name);
  if (names.empty() || styles->size() != names.size() * kStyleRows * kStyleWidth) {
    return bad_model(folder / "voices.bin");
  }
  auto session = OrtSession::load(folder / "model.onnx", threads);
  if (!session) return tl::unexpected<Error>(session.error());
  std::unique_ptr<KokoroVoice> made(new KokoroVoice(std::move(*session), std::move(tables)));
  made->ids_ = std::move(*ids);
  made->styles_ = std::move(*styles);
  made->names_ = std::move(names);
  return made;
}

Result<std::vector<std::vector<float>>> KokoroVoice::run(std::span<const std::int64_t> tokens,
                                                         std::size_t voice, double speed,
                                                         const OrtCancel& cancel) const {
  std::vector<std::int64_t> padded{0};
  padded.insert(padded.end(), tokens.begin(), tokens.end());
  padded.push_back(0);
  // the style of a voice depends on how much it is going to say
  const std::size_t row = std::min(tokens.size(), kStyleRows - 1);
  const float* style = styles_.data() + (voice * kStyleRows + row) * kStyleWidth;
  const auto rate = static_cast<float>(speed);
  const auto n = static_cast<std::int64_t>(padded.size());
  const std::array<OrtInput, 3> inputs{{
      {"tokens",
       padded.data(),
       padded.size() * sizeof(std::int64_t),
       {1, n},
       OrtInput::Type::kInt64},
      {"style", style, kStyleWidth * sizeof(float), {1, std::int64_t{kStyleWidth}}},
      {"speed", &rate, sizeof(rate), {1}},
  }};
  const std::array<const char*, 2> outputs{"audio", "durations"};
  return session_.run(inputs, outputs, &cancel);
}

Result<Speech> KokoroVoice::speak(std::string_view text, std::string_view voice, double speed,
                                  const OrtCancel& cancel) const {
  const auto language = voice.starts_with('z') ? text::Language::kZh : text::Language::kEn;
  return say(phonemizer_.phonemes(text, language, text::PhonemeSet::kKokoro),
             text::decode_utf8(text).size(), voice, speed, cancel);
}

Result<Speech> KokoroVoice::say(const text::Phonemes& phonemes, std::size_t characters,
                                std::string_view voice, double speed,
                                const OrtCancel& cancel) const {
  const auto found = std::ranges::find(names_, voice);
  if (found == names_.end()) {
    return fail(ErrorCode::kInvalid, "voice is not one of those of /v1/models");
  }
  const auto index = static_cast<std::size_t>(found - names_.begin());
  if (!has_sound(phonemes)) return nothing_to_say();
  Said said;
  for (const TokenRun& one : TokenRuns(phonemes, ids_, characters).runs) {
    const auto outputs = run(one.ids, index, speed, cancel);
    if (!outputs) return tl::unexpected<Error>(outputs.error());
    append(said, one, *outputs, {1, 1, kKokoroAhead});  // behind the 0 it begins with
  }
  return level_speech(std::move(said.samples), kKokoroRate, std::move(said.marks));
}

Result<std::unique_ptr<PiperVoice>> PiperVoice::load(const std::filesystem::path& directory,
                                                     text::TablesPtr tables, int threads) {
  const std::filesystem::path folder = directory / "piper-joe";
  auto ids = load_ids(folder / "tokens.txt");
  if (!ids) return tl::unexpected<Error>(ids.error());
  auto session = OrtSession::load(folder / "model.onnx", threads);
  if (!session) return tl::unexpected<Error>(session.error());
  std::unique_ptr<PiperVoice> made(new PiperVoice(std::move(*session), std::move(tables)));
  made->ids_ = std::move(*ids);
  return made;
}

Result<Speech> PiperVoice::speak(std::string_view text, std::string_view voice, double speed,
                                 const OrtCancel& cancel) const {
  if (voice != "joe") {
    return fail(ErrorCode::kInvalid, "voice is not one of those of /v1/models");
  }
  const text::Phonemes phonemes =
      phonemizer_.phonemes(text, text::Language::kEn, text::PhonemeSet::kPiper);
  if (!has_sound(phonemes)) return nothing_to_say();
  // Piper: ^ _ p _ p _ … $ with the training's own noise settings
  constexpr std::int64_t kPad = 0;
  constexpr std::int64_t kBegin = 1;
  constexpr std::int64_t kEnd = 2;
  Said said;
  for (const TokenRun& run : TokenRuns(phonemes, ids_, text::decode_utf8(text).size()).runs) {
    std::vector<std::int64_t> tokens{kBegin, kPad};
    for (const std::int64_t id : run.ids) {
      tokens.push_back(id);
      tokens.push_back(kPad);
    }
    tokens.push_back(kEnd);
    const auto n = static_cast<std::int64_t>(tokens.size());
    const std::array<float, 3> scales{0.667F, static_cast<float>(1 / speed), 0.8F};
    const std::array<OrtInput, 3> inputs{{
        {"input",
         tokens.data(),
         tokens.size() * sizeof(std::int64_t),
         {1, n},
         OrtInput::Type::kInt64},
        {"input_lengths", &n, sizeof(n), {1}, OrtInput::Type::kInt64},
        {"scales", scales.data(), sizeof(scales), {3}},
    }};
    const std::array<const char*, 2> outputs{"output", "durations"};
    const auto part = session_.run(inputs, outputs, &cancel);
    if (!part) return tl::unexpected<Error>(part.error());
    append(said, run, *part, {2, 2});
  }
  return level_speech(std::move(said.samples), kPiperRate, std::move(said.marks));
}

}  // namespace yyc3::worker
