#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "engine/speech/recognizer.hpp"
#include "engine/text/tables.hpp"

namespace yyc3::worker {

/// The weights of one Whisper model; shared by all decoders. Threads: immutable, any.
class WhisperModel {
 public:
  /// Errors: kNotFound (no file), kInvalid (not a model; the detail says what to run).
  static Result<std::shared_ptr<const WhisperModel>> load(const std::filesystem::path& file);
  ~WhisperModel();
  WhisperModel(const WhisperModel&) = delete;
  WhisperModel& operator=(const WhisperModel&) = delete;
  [[nodiscard]] const std::string& name() const { return name_; }  ///< file name without ".bin"
  [[nodiscard]] bool multilingual() const { return multilingual_; }

 private:
  friend class WhisperDecoder;
  WhisperModel() = default;
  void* context_ = nullptr;
  std::string name_;
  bool multilingual_ = false;
};

struct DecodeRequest {
  std::span<const std::int16_t> pcm;  ///< 8 kHz mono, at most 30 s (kInvalid beyond)
  speech::Language language = speech::Language::kChinese;
  speech::GrammarKind grammar = speech::GrammarKind::kFree;
  std::vector<std::string> options;  ///< with GrammarKind::kOptions: 1..64
  std::string prompt;                ///< words to expect; empty: the default of the language
};

struct Decoded {
  std::string text;       ///< simplified script, valid UTF-8, trimmed
  double confidence = 0;  ///< 0..1: mean token probability; with a grammar: its share among all
  int tokens = 0;
  bool looped = false;  ///< a repetition was cut
};

/// Stops a decode: set from any thread, seen between two graph nodes (≤ 50 ms).
struct StopFlag {
  std::atomic<bool> cancelled{false};
  SteadyTime deadline = SteadyTime::max();
};

/// One recogniser at work: greedy, one thread, no temperature fallback, a window cut to the
/// speech (the recipe and its figures: docs of the model manifest).
///
/// With a grammar the alternatives are scored, not sampled: each alternative's likelihood given the
/// sound is computed along a tree of their tokens, minus what the model expects of it in silence,
/// so that a rare word is not lost to a frequent one. `digits` and `time` are decoded freely and
/// their text is what the caller parses.
/// Threads: one at a time; each decoder has its own state (≈ 70 MB for base).
class WhisperDecoder {
 public:
  WhisperDecoder(std::shared_ptr<const WhisperModel> model, text::TablesPtr tables,
                 const Clock& clock);
  ~WhisperDecoder();
  WhisperDecoder(const WhisperDecoder&) = delete;
  WhisperDecoder& operator=(const WhisperDecoder&) = delete;

  /// Blocks for 0.1–0.2 s a second of speech. Errors: kInvalid (no or too much audio, language the
  /// model lacks), kCancelled, kTimeout (deadline passed), kInternal.
  Result<Decoded> decode(const DecodeRequest& request, const StopFlag& stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yyc3::worker
