#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/speech/recognizer.hpp"

namespace yyc3::speech {

/// `characters` (code points) of a text have been heard to their end when `samples` have.
struct SpeechMark {
  std::uint32_t characters;
  std::uint32_t samples;
  bool operator==(const SpeechMark&) const = default;
};

/// Speech ready for a telephone: 8 kHz mono, level-matched, silence trimmed.
struct Sound {
  std::vector<std::int16_t> samples;
  std::vector<SpeechMark> marks = {};  ///< rising in both; empty: the engine tells none
};
using Pcm = std::shared_ptr<const Sound>;  ///< shared, never changed

struct SpeakRequest {
  std::string text;  ///< one clause or sentence, 1..500 bytes… longer is refused (kInvalid)
  Language language = Language::kChinese;
  std::string voice;   ///< empty: the language's default voice
  double speed = 1.0;  ///< 0.5..2.0
  bool live = false;   ///< a caller is waiting: goes before prompts that are rendered ahead
  Milliseconds deadline{10'000};

  /// What identifies the sound: equal keys sound equal. Key of the prompt cache.
  [[nodiscard]] std::string cache_key() const;
};

/// Port: text to speech. Default: the speak worker (OpenAI-compatible HTTP on a Unix socket); the
/// same adapter speaks to any OpenAI-compatible engine. Threads: one loop, like Recognizer.
class Synthesizer {
 public:
  virtual ~Synthesizer() = default;
  using Done = std::function<void(Result<Pcm>)>;
  /// `done` is called exactly once on the loop unless cancelled. Errors: kInvalid, kTimeout, kBusy
  /// (queue full), kUnavailable (engine away).
  virtual std::uint64_t speak(SpeakRequest request, Done done) = 0;
  virtual void cancel(std::uint64_t job) = 0;
  [[nodiscard]] virtual bool available() const = 0;
};

}  // namespace yyc3::speech
