#include "worker/voice.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "engine/text/utf8.hpp"
#include "worker/model_file.hpp"

namespace yyc3::worker {
namespace {

constexpr int kKokoroRate = 24'000;
constexpr int kPiperRate = 22'050;
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

std::vector<std::int64_t> ids_of(std::string_view phonemes,
                                 const std::map<char32_t, std::int64_t>& ids) {
  std::vector<std::int64_t> out;
  for (const char32_t c : text::decode_utf8(phonemes)) {
    if (const auto found = ids.find(c); found != ids.end()) out.push_back(found->second);
  }
  return out;
}

/// Cuts what is too long for one run of the model at its pauses; a run without any is cut anywhere.
std::vector<std::string> clauses(const text::Phonemes& phonemes) {
  std::vector<std::string> out;
  text::Phonemes part;
  std::size_t size = 0;
  for (const text::PhonemeUnit& unit : phonemes.units) {
    part.units.push_back(unit);
    size += text::decode_utf8(unit.phonemes).size() + 1;
    const bool pause = unit.pause && size > kTokensMax / 2;
    if (!pause && size < kTokensMax) continue;
    out.push_back(part.joined());
    part.units.clear();
    size = 0;
  }
  if (!part.units.empty()) out.push_back(part.joined());
  return out;
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

Result<std::vector<float>> KokoroVoice::run(std::span<const std::int64_t> tokens, std::size_t voice,
                                            double speed, const OrtCancel& cancel) const {
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
  const std::array<const char*, 1> outputs{"audio"};
  auto result = session_.run(inputs, outputs, &cancel);
  if (!result) return tl::unexpected<Error>(result.error());
  return std::move((*result)[0]);
}

Result<Speech> KokoroVoice::speak(std::string_view text, std::string_view voice, double speed,
                                  const OrtCancel& cancel) const {
  const auto language = voice.starts_with('z') ? text::Language::kZh : text::Language::kEn;
  return say(phonemizer_.phonemes(text, language, text::PhonemeSet::kKokoro), voice, speed, cancel);
}

Result<Speech> KokoroVoice::say(const text::Phonemes& phonemes, std::string_view voice,
                                double speed, const OrtCancel& cancel) const {
  const auto found = std::ranges::find(names_, voice);
  if (found == names_.end()) {
    return fail(ErrorCode::kInvalid, "voice is not one of those of /v1/models");
  }
  const auto index = static_cast<std::size_t>(found - names_.begin());
  if (!has_sound(phonemes)) return nothing_to_say();
  std::vector<float> samples;
  for (const std::string& clause : clauses(phonemes)) {
    std::vector<std::int64_t> tokens = ids_of(clause, ids_);
    tokens.resize(std::min(tokens.size(), kStyleRows));
    if (tokens.empty()) continue;
    const auto part = run(tokens, index, speed, cancel);
    if (!part) return tl::unexpected<Error>(part.error());
    samples.insert(samples.end(), part->begin(), part->end());
  }
  return Speech{kKokoroRate, level_speech(std::move(samples), kKokoroRate)};
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
  std::vector<float> samples;
  for (const std::string& clause : clauses(phonemes)) {
    std::vector<std::int64_t> tokens{kBegin, kPad};
    for (const std::int64_t id : ids_of(clause, ids_)) {
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
    const std::array<const char*, 1> outputs{"output"};
    const auto part = session_.run(inputs, outputs, &cancel);
    if (!part) return tl::unexpected<Error>(part.error());
    samples.insert(samples.end(), (*part)[0].begin(), (*part)[0].end());
  }
  return Speech{kPiperRate, level_speech(std::move(samples), kPiperRate)};
}

}  // namespace yyc3::worker
