#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "engine/speech/recognizer.hpp"
#include "engine/text/tables.hpp"

namespace yyc3::worker {

struct DecodeRequest {
  std::span<const std::int16_t> pcm;  ///< 8 kHz mono, 0.1 to 30 s (kInvalid beyond)
  speech::Language language = speech::Language::kChinese;
  speech::GrammarKind grammar = speech::GrammarKind::kFree;
  std::vector<std::string> options;  ///< with GrammarKind::kOptions: 1..64
  std::string prompt;                ///< words to expect; empty: the default of the language
};

struct Decoded {
  std::string text;       ///< simplified script, valid UTF-8, trimmed
  double confidence = 0;  ///< 0..1: mean token probability; with a grammar: its meaning's share
  int tokens = 0;
  bool looped = false;  ///< a repetition was cut
};

/// Stops a decode: set from any thread, seen between two graph nodes (≤ 50 ms).
struct StopFlag {
  std::atomic<bool> cancelled{false};
  SteadyTime deadline = SteadyTime::max();
};

/// One recogniser at work. Threads: one at a time, on one thread.
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Blocks. Errors: kInvalid (no or too much audio, language the model lacks), kCancelled,
  /// kTimeout (deadline passed), kInternal.
  virtual Result<Decoded> decode(const DecodeRequest& request, const StopFlag& stop) = 0;
};

/// The weights of a recogniser, shared by its decoders. Threads: immutable, any.
class HearModel {
 public:
  virtual ~HearModel() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Decoder> make_decoder(text::TablesPtr tables,
                                                              const Clock& clock) const = 0;
};

constexpr std::size_t kDecodeShortest = 800;  ///< samples: 0.1 s
constexpr std::size_t kDecodeLongest = 30 * 8000;

}  // namespace yyc3::worker
