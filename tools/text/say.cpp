// Speaks sentences twice, by our own phonemes and by syllables from elsewhere, into WAV files.
// Usage: text_say MODELS VOICE FOLDER < lines "name<TAB>text<TAB>ni3 hao3|shi4 jie4,|…" (words
// parted by |, marks behind them). Writes FOLDER/name-ours.wav and name-theirs.wav, the latter only
// when the phonemes differ, and prints "name<TAB>same|differs".
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/bytes.hpp"
#include "engine/telephony/codec/wav.hpp"
#include "engine/text/utf8.hpp"
#include "worker/voice.hpp"

using namespace yyc3;

namespace {

/// "ni3 hao3," as one word with its mark.
void add_word(const text::Tables& tables, const std::string& word, text::Phonemes& out) {
  std::string syllables = word;
  char mark = 0;
  if (!syllables.empty() &&
      std::string_view(",.!?;:").find(syllables.back()) != std::string::npos) {
    mark = syllables.back();
    syllables.pop_back();
  }
  text::PhonemeUnit unit;
  std::istringstream in(syllables);
  for (std::string toned; in >> toned;) {
    const auto id = tables.find_syllable(toned);
    if (id)
      unit.phonemes += tables.kokoro(*id);
    else
      ++out.unspeakable;
  }
  if (!unit.phonemes.empty()) out.units.push_back(std::move(unit));
  if (mark != 0 && !out.units.empty()) out.units.push_back({std::string(1, mark), {}, true});
}

bool write(const std::string& file, const worker::Speech& speech) {
  std::ofstream out(file, std::ios::binary);
  out << as_text(codec::write_wav(speech.rate, 1, speech.pcm));
  return out.flush().good();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return fmt::print(stderr, "text_say MODELS VOICE FOLDER < lines\n"), 2;
  const auto tables = text::Tables::load(std::string(argv[1]) + "/text");
  if (!tables) return fmt::print(stderr, "{}\n", tables.error().detail), 1;
  const auto voice = worker::KokoroVoice::load(argv[1], *tables, 1);
  if (!voice) return fmt::print(stderr, "{}\n", voice.error().detail), 1;
  const worker::OrtCancel never;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    std::string name, said, syllables;
    std::getline(in, name, '\t');
    std::getline(in, said, '\t');
    std::getline(in, syllables);
    text::Phonemes theirs;
    std::istringstream words(syllables);
    for (std::string word; std::getline(words, word, '|');) add_word(**tables, word, theirs);
    if (theirs.unspeakable > 0 || theirs.units.empty())
      return fmt::print(stderr, "syllables that no table knows: {}\n", line), 1;
    const text::Phonemes ours =
        (*voice)->phonemizer().phonemes(said, text::Language::kZh, text::PhonemeSet::kKokoro);
    const bool same = ours.joined() == theirs.joined();
    for (const text::Phonemes* phonemes :
         std::initializer_list<const text::Phonemes*>{&ours, &theirs}) {
      if (same && phonemes == &theirs) continue;
      const auto speech =
          (*voice)->say(*phonemes, text::decode_utf8(said).size(), argv[2], 1.0, never);
      if (!speech) return fmt::print(stderr, "{}: {}\n", said, speech.error().detail), 1;
      const char* which = phonemes == &ours ? "-ours.wav" : "-theirs.wav";
      if (!write(std::string(argv[3]) + "/" + name + which, *speech))
        return fmt::print(stderr, "{}: cannot be written\n", argv[3]), 1;
    }
    fmt::print("{}\t{}\n", name, same ? "same" : "differs");
  }
}
