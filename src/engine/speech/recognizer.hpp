#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace yyc3::speech {

enum class Language { kChinese, kEnglish };
/// "zh" or "en".
const char* code_of(Language language);
std::optional<Language> language_of(std::string_view code);

/// What a node of the dialogue can accept: decoding is held to it (a closed list of alternatives).
enum class GrammarKind { kFree, kYesNo, kDigit, kDigits, kTime, kOptions };

struct DecodeSpec {
  std::uint64_t from_sample = 0;  ///< of the stream's 8 kHz clock, first sample decoded
  std::uint64_t to_sample = 0;    ///< one past the last
  Language language = Language::kChinese;
  GrammarKind grammar = GrammarKind::kFree;
  std::vector<std::string> options;  ///< with kOptions: 1..64 phrases of ≤ 40 characters
  Milliseconds deadline{3000};  ///< after this the result is of no use and the decode is stopped
  std::uint32_t epoch = 0;      ///< the call's turn epoch, echoed for logs
  /// The speech goes on: the result is of use only now. It is decoded when a decoder has nothing
  /// else to do, else fails with kBusy, also in the middle when another decode is asked for.
  bool partial = false;
  /// Tell also how finished the caller sounds (on_turn_end), where there is a model for it.
  bool turn_end = false;
};

/// What was recognised, and what it cost.
struct HeardText {
  std::string text;         ///< simplified script, valid UTF-8, no repetition loops; may be empty
  double confidence = 0;    ///< 0..1, mean token probability
  bool looped = false;      ///< a repetition loop was cut
  Milliseconds queued{0};   ///< waited for a decoder
  Milliseconds decoded{0};  ///< decoding itself
};

/// Streams and jobs are numbered by the caller's side; 0 is never used.
using StreamNumber = std::uint32_t;
using JobNumber = std::uint64_t;

/// Receives what a stream hears. Called on the recognizer's loop, never from inside one of its
/// calls.
class HearingSink {
 public:
  virtual ~HearingSink() = default;
  /// Probability 0..1 that the 32 ms (20 ms by energy) ending at `end_sample` are speech.
  /// Increasing in `end_sample`.
  virtual void on_speech_probability(std::uint64_t end_sample, double probability) = 0;
  /// Exactly one of these two for each decode() that was not cancelled.
  virtual void on_text(JobNumber job, const HeardText& heard) = 0;
  virtual void on_decode_failed(JobNumber job, const Error& error) = 0;
  /// Probability 0..1 that the speech up to `to_sample`, for which DecodeSpec::turn_end asked, ends
  /// a turn. Comes after the text, or never (no model, or it is behind).
  virtual void on_turn_end(std::uint64_t /*to_sample*/, double /*probability*/) {}
  /// The engine went away or came back; while away the caller relies on the energy VAD and keypad.
  virtual void on_available(bool available) = 0;
};

/// Port: voice activity and recognition of many streams. Default: the hear worker on a Unix socket;
/// the same adapter speaks to a remote worker by address, another to transcription APIs.
/// Threads: one loop; all calls and all callbacks happen on it. Bounds: 30 s of audio a stream are
/// kept. What every adapter promises: recognizer_contract_test.cpp.
class Recognizer {
 public:
  virtual ~Recognizer() = default;
  /// Starts a stream; `sink` outlives it (until close). Never fails: an engine that is away makes
  /// decodes fail with kUnavailable and is told by on_available.
  virtual StreamNumber open(Language language, HearingSink& sink) = 0;
  /// 8 kHz mono. Gaps between calls are silence. Dropped (and counted) when the link is behind.
  virtual void audio(StreamNumber stream, std::uint64_t first_sample,
                     std::span<const std::int16_t> pcm) = 0;
  virtual JobNumber decode(StreamNumber stream, const DecodeSpec& spec) = 0;
  /// The decode stops within 50 ms; its result is never delivered.
  virtual void cancel(JobNumber job) = 0;
  virtual void close(StreamNumber stream) = 0;
  [[nodiscard]] virtual bool available() const = 0;
  /// False: on_speech_probability does not come (the engine is away, or its voice activity model is
  /// missing); the caller then goes by energy.
  [[nodiscard]] virtual bool detects_speech() const = 0;
};

}  // namespace yyc3::speech
