#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "engine/speech/recognizer.hpp"

/// The message set between a call loop and a hear worker (WebSocket subprotocol below). JSON in
/// text frames; audio and speech probabilities in binary frames, little-endian. The worker knows
/// streams and decodes, never turns. Every decode function takes hostile input: it answers
/// kInvalid with the field at fault and never throws. Threads: pure functions, any.
namespace yyc3::speech::wire {

inline constexpr std::string_view kSubprotocol = "yyc3-hear.v1";
inline constexpr int kVersion = 1;
inline constexpr std::size_t kMessageBytesMax = 1 << 20;
inline constexpr std::size_t kChunksMax = 4096;        ///< entries of one binary frame
inline constexpr std::size_t kChunkSamplesMax = 8000;  ///< 1 s
inline constexpr std::size_t kOptionsMax = 64;
inline constexpr std::size_t kOptionBytesMax = 160;
inline constexpr std::size_t kPromptBytesMax = 1000;
/// What a worker keeps of a stream; a decode may reach this far back. 30 s at 8 kHz.
inline constexpr std::uint64_t kKeptSamples = 240'000;

// Client → worker.
struct Open {
  StreamNumber stream = 0;
  Language language = Language::kChinese;
  bool operator==(const Open&) const = default;
};
struct Decode {
  JobNumber job = 0;
  StreamNumber stream = 0;
  DecodeSpec spec;
  std::string prompt;  ///< words to expect; empty: the language's default prompt
};
struct Cancel {
  JobNumber job = 0;
  bool operator==(const Cancel&) const = default;
};
struct Close {
  StreamNumber stream = 0;
  bool operator==(const Close&) const = default;
};
struct Ping {
  std::int64_t id = 0;
  bool operator==(const Ping&) const = default;
};
using ClientMessage = std::variant<Open, Decode, Cancel, Close, Ping>;

// Worker → client.
struct Hello {
  int version = kVersion;
  std::vector<std::string> models;
};
struct Text {
  JobNumber job = 0;
  StreamNumber stream = 0;
  Language language = Language::kChinese;
  HeardText heard;
  int tokens = 0;
  int audio_ms = 0;
};
struct JobError {
  JobNumber job = 0;
  Error error{ErrorCode::kInternal, {}};  ///< kInvalid, kNotFound, kBusy, kTimeout, kInternal
};
struct Pong {
  std::int64_t id = 0;
};
/// Asked for by DecodeSpec::turn_end.
struct TurnEnd {
  StreamNumber stream = 0;
  std::uint64_t to_sample = 0;  ///< of the decode
  double probability = 0;       ///< 0..1
  bool operator==(const TurnEnd&) const = default;
};
using WorkerMessage = std::variant<Hello, Text, JobError, Pong, TurnEnd>;

std::string encode(const ClientMessage& message);
std::string encode(const WorkerMessage& message);
Result<ClientMessage> decode_client(std::string_view text);
Result<WorkerMessage> decode_worker(std::string_view text);

/// Audio of one stream: 8 kHz mono from `first_sample` on.
struct AudioChunk {
  StreamNumber stream = 0;
  std::uint64_t first_sample = 0;
  std::vector<std::int16_t> pcm;
};
/// Builds one binary frame of many streams' audio: `add` for each, then `take`.
class AudioBatch {
 public:
  AudioBatch();
  /// False when the frame is full (kChunksMax entries or kMessageBytesMax bytes) or `pcm` is longer
  /// than kChunkSamplesMax: take() and start the next one.
  bool add(StreamNumber stream, std::uint64_t first_sample, std::span<const std::int16_t> pcm);
  [[nodiscard]] bool empty() const { return count_ == 0; }
  /// The frame; the batch is empty again.
  std::string take();

 private:
  std::string bytes_;
  std::uint16_t count_ = 0;
};
Result<std::vector<AudioChunk>> decode_audio(std::string_view frame);

/// Probability that the 32 ms ending at `end_sample` are speech.
struct Probability {
  StreamNumber stream = 0;
  std::uint64_t end_sample = 0;
  std::uint8_t p = 0;  ///< 0…255 for 0…1
  bool operator==(const Probability&) const = default;
};
/// One frame; at most kChunksMax entries are written.
std::string encode_probabilities(std::span<const Probability> probabilities);
Result<std::vector<Probability>> decode_probabilities(std::string_view frame);

/// "yes_no" … ; "free" for kFree.
std::string_view name_of(GrammarKind kind);
std::optional<GrammarKind> grammar_of(std::string_view name);

}  // namespace yyc3::speech::wire
