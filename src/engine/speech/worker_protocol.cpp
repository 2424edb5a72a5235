#include "engine/speech/worker_protocol.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "base/json.hpp"

namespace yyc3::speech::wire {
namespace {

constexpr std::array<std::pair<GrammarKind, std::string_view>, 6> kGrammars{{
    {GrammarKind::kFree, "free"},
    {GrammarKind::kYesNo, "yes_no"},
    {GrammarKind::kDigit, "digit"},
    {GrammarKind::kDigits, "digits"},
    {GrammarKind::kTime, "time"},
    {GrammarKind::kOptions, "options"},
}};
constexpr std::array<std::pair<ErrorCode, std::string_view>, 9> kCodes{{
    {ErrorCode::kInvalid, "invalid"},
    {ErrorCode::kNotFound, "not_found"},
    {ErrorCode::kBusy, "busy"},
    {ErrorCode::kTimeout, "timeout"},
    {ErrorCode::kCancelled, "cancelled"},
    {ErrorCode::kUnavailable, "unavailable"},
    {ErrorCode::kInternal, "internal"},
    {ErrorCode::kConflict, "conflict"},
    {ErrorCode::kDenied, "denied"},
}};
static_assert(std::endian::native == std::endian::little, "frames are copied as they are");

tl::unexpected<Error> bad(std::string_view what) {
  return fail(ErrorCode::kInvalid, "hear protocol: " + std::string(what));
}

template <class T>
void append(std::string& to, T value) {
  std::array<char, sizeof(T)> raw{};
  std::memcpy(raw.data(), &value, sizeof(T));
  to.append(raw.data(), raw.size());
}

/// Reads little-endian fields front to back; the caller asks `has` first.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool has(std::size_t n) const { return bytes_.size() - at_ >= n; }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }
  template <class T>
  T take() {
    T value{};
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }
  void take_into(std::span<std::int16_t> out) {
    if (out.empty()) return;
    std::memcpy(out.data(), bytes_.data() + at_, out.size_bytes());
    at_ += out.size_bytes();
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

constexpr std::size_t kFrameHeader = 3;
constexpr std::uint8_t kAudioKind = 1;
constexpr std::uint8_t kProbabilityKind = 2;

template <class T>
std::optional<T> unsigned_field(const json::value& object, std::string_view key) {
  const auto value = int_field(object, key);
  if (!value || *value < 0 || !std::in_range<T>(*value)) return std::nullopt;
  return static_cast<T>(*value);
}

std::optional<Language> language_field(const json::value& object) {
  const auto code = string_field(object, "lang");
  return code ? language_of(*code) : std::nullopt;
}

void write(json::object& o, const Open& m) {
  o["type"] = "open";
  o["stream"] = m.stream;
  o["lang"] = code_of(m.language);
  o["rate"] = 8000;
}

void write(json::object& o, const Decode& m) {
  o["type"] = "decode";
  o["job"] = m.job;
  o["stream"] = m.stream;
  o["from"] = m.spec.from_sample;
  o["to"] = m.spec.to_sample;
  o["lang"] = code_of(m.spec.language);
  o["deadline_ms"] = m.spec.deadline.count();
  o["epoch"] = m.spec.epoch;
  if (m.spec.partial) o["partial"] = true;
  if (m.spec.turn_end) o["turn_end"] = true;
  if (!m.prompt.empty()) o["prompt"] = m.prompt;
  if (m.spec.grammar == GrammarKind::kFree) return;
  json::object grammar;
  grammar["kind"] = name_of(m.spec.grammar);
  if (!m.spec.options.empty()) {
    grammar["options"] = json::array(m.spec.options.begin(), m.spec.options.end());
  }
  o["grammar"] = std::move(grammar);
}

void write(json::object& o, const Cancel& m) {
  o["type"] = "cancel";
  o["job"] = m.job;
}

void write(json::object& o, const Close& m) {
  o["type"] = "close";
  o["stream"] = m.stream;
}

void write(json::object& o, const Ping& m) {
  o["type"] = "ping";
  o["id"] = m.id;
}

void write(json::object& o, const Hello& m) {
  o["type"] = "hello";
  o["version"] = m.version;
  o["models"] = json::array(m.models.begin(), m.models.end());
}

void write(json::object& o, const Text& m) {
  o["type"] = "text";
  o["job"] = m.job;
  o["stream"] = m.stream;
  o["text"] = m.heard.text;
  o["lang"] = code_of(m.language);
  o["confidence"] = m.heard.confidence;
  o["tokens"] = m.tokens;
  o["looped"] = m.heard.looped;
  o["queue_ms"] = m.heard.queued.count();
  o["decode_ms"] = m.heard.decoded.count();
  o["audio_ms"] = m.audio_ms;
}

void write(json::object& o, const JobError& m) {
  o["type"] = "error";
  o["job"] = m.job;
  for (const auto& [code, name] : kCodes) {
    if (code == m.error.code) o["code"] = name;
  }
  o["message"] = m.error.detail;
}

void write(json::object& o, const Pong& m) {
  o["type"] = "pong";
  o["id"] = m.id;
}

void write(json::object& o, const TurnEnd& m) {
  o["type"] = "turn_end";
  o["stream"] = m.stream;
  o["to"] = m.to_sample;
  o["p"] = m.probability;
}

template <class Message>
std::string encode_any(const Message& message) {
  json::object object;
  std::visit([&object](const auto& m) { write(object, m); }, message);
  return json::serialize(object);
}

Result<void> read_grammar(const json::value& object, DecodeSpec& spec) {
  const json::value* grammar = find_field(object, "grammar");
  if (grammar == nullptr || grammar->is_null()) return {};
  const auto kind = string_field(*grammar, "kind");
  const auto known = kind ? grammar_of(*kind) : std::nullopt;
  if (known) spec.grammar = *known;
  if (!known) return bad("grammar.kind is not yes_no, digit, digits, time or options");
  if (spec.grammar != GrammarKind::kOptions) return {};
  const json::value* options = find_field(*grammar, "options");
  if (options == nullptr || !options->is_array()) return bad("grammar.options is missing");
  const json::array& list = options->get_array();
  if (list.empty() || list.size() > kOptionsMax) return bad("grammar.options needs 1..64 phrases");
  for (const json::value& option : list) {
    if (!option.is_string()) return bad("grammar.options holds something that is no text");
    const std::string_view text = option.get_string();
    if (text.empty() || text.size() > kOptionBytesMax) {
      return bad("grammar.options needs phrases of 1..160 bytes");
    }
    spec.options.emplace_back(text);
  }
  return {};
}

Result<ClientMessage> read_open(const json::value& object) {
  const auto stream = unsigned_field<StreamNumber>(object, "stream");
  const auto language = language_field(object);
  if (!stream || *stream == 0) return bad("open: stream is not 1..2^32-1");
  if (!language) return bad("open: lang is not zh or en");
  if (int_field(object, "rate").value_or(8000) != 8000) return bad("open: rate is not 8000");
  return Open{*stream, *language};
}

Result<ClientMessage> read_decode(const json::value& object) {
  Decode m;
  const auto job = unsigned_field<JobNumber>(object, "job");
  const auto stream = unsigned_field<StreamNumber>(object, "stream");
  const auto from = unsigned_field<std::uint64_t>(object, "from");
  const auto to = unsigned_field<std::uint64_t>(object, "to");
  const auto language = language_field(object);
  if (!job || *job == 0) return bad("decode: job is not a positive number");
  if (!stream || *stream == 0) return bad("decode: stream is not 1..2^32-1");
  if (!from || !to || *from >= *to) return bad("decode: from and to do not name a range");
  if (*to - *from > kKeptSamples) return bad("decode: the range is longer than 30 s");
  if (!language) return bad("decode: lang is not zh or en");
  m.job = *job;
  m.stream = *stream;
  m.spec.from_sample = *from;
  m.spec.to_sample = *to;
  m.spec.language = *language;
  m.spec.epoch = unsigned_field<std::uint32_t>(object, "epoch").value_or(0);
  const auto deadline = unsigned_field<std::int32_t>(object, "deadline_ms").value_or(3000);
  if (deadline == 0 || deadline > 60'000) return bad("decode: deadline_ms is not 1..60000");
  m.spec.deadline = Milliseconds(deadline);
  m.spec.partial = bool_field(object, "partial").value_or(false);
  m.spec.turn_end = bool_field(object, "turn_end").value_or(false);
  m.prompt = string_field(object, "prompt").value_or("");
  if (m.prompt.size() > kPromptBytesMax) return bad("decode: prompt is longer than 1000 bytes");
  if (const auto grammar = read_grammar(object, m.spec); !grammar) {
    return tl::unexpected<Error>(grammar.error());
  }
  return m;
}

Result<WorkerMessage> read_text(const json::value& object) {
  Text m;
  const auto job = unsigned_field<JobNumber>(object, "job");
  const auto text = string_field(object, "text");
  if (!job || !text) return bad("text: job or text is missing");
  m.job = *job;
  m.stream = unsigned_field<StreamNumber>(object, "stream").value_or(0);
  m.language = language_field(object).value_or(Language::kChinese);
  m.heard.text = sanitize_utf8(*text);
  m.heard.confidence = number_field(object, "confidence").value_or(0);
  if (!(m.heard.confidence >= 0 && m.heard.confidence <= 1)) {
    return bad("text: confidence is not 0..1");
  }
  m.heard.looped = bool_field(object, "looped").value_or(false);
  m.heard.queued = Milliseconds(unsigned_field<std::int32_t>(object, "queue_ms").value_or(0));
  m.heard.decoded = Milliseconds(unsigned_field<std::int32_t>(object, "decode_ms").value_or(0));
  m.tokens = unsigned_field<std::int32_t>(object, "tokens").value_or(0);
  m.audio_ms = unsigned_field<std::int32_t>(object, "audio_ms").value_or(0);
  return m;
}

Result<WorkerMessage> read_error(const json::value& object) {
  const auto job = unsigned_field<JobNumber>(object, "job");
  if (!job) return bad("error: job is missing");
  JobError m{*job, {ErrorCode::kInternal, string_field(object, "message").value_or("")}};
  const auto code = string_field(object, "code");
  for (const auto& [value, name] : kCodes) {
    if (code == name) m.error.code = value;
  }
  return m;
}

Result<WorkerMessage> read_turn_end(const json::value& object) {
  const auto stream = unsigned_field<StreamNumber>(object, "stream");
  const auto to = unsigned_field<std::uint64_t>(object, "to");
  const auto p = number_field(object, "p");
  if (!stream || !to) return bad("turn_end: stream or to is missing");
  if (!p || !(*p >= 0 && *p <= 1)) return bad("turn_end: p is not 0..1");
  return TurnEnd{*stream, *to, *p};
}

Result<WorkerMessage> read_hello(const json::value& object) {
  Hello m;
  m.version = static_cast<int>(unsigned_field<std::int32_t>(object, "version").value_or(0));
  const json::value* models = find_field(object, "models");
  if (models != nullptr && models->is_array()) {
    for (const json::value& model : models->get_array()) {
      if (model.is_string()) m.models.emplace_back(model.get_string());
    }
  }
  return m;
}

/// Checks kind and entry count; leaves the reader at the first entry.
Result<std::uint16_t> read_frame_header(Reader& reader, std::uint8_t kind) {
  if (!reader.has(kFrameHeader)) return bad("binary frame is shorter than its header");
  if (reader.take<std::uint8_t>() != kind) return bad("binary frame of an unknown kind");
  const auto count = reader.take<std::uint16_t>();
  if (count > kChunksMax) return bad("binary frame with more than 4096 entries");
  return count;
}

}  // namespace

std::optional<GrammarKind> grammar_of(std::string_view name) {
  for (const auto& [kind, known] : kGrammars)
    if (known == name) return kind;
  return std::nullopt;
}

std::string_view name_of(GrammarKind kind) {
  for (const auto& [value, name] : kGrammars) {
    if (value == kind) return name;
  }
  return "free";
}

std::string encode(const ClientMessage& message) { return encode_any(message); }
std::string encode(const WorkerMessage& message) { return encode_any(message); }

Result<ClientMessage> decode_client(std::string_view text) {
  const auto object = parse_json(text);
  if (!object) return tl::unexpected<Error>(object.error());
  const auto type = string_field(*object, "type");
  if (type == "open") return read_open(*object);
  if (type == "decode") return read_decode(*object);
  if (type == "cancel") {
    const auto job = unsigned_field<JobNumber>(*object, "job");
    if (!job) return bad("cancel: job is missing");
    return Cancel{*job};
  }
  if (type == "close") {
    const auto stream = unsigned_field<StreamNumber>(*object, "stream");
    if (!stream) return bad("close: stream is missing");
    return Close{*stream};
  }
  if (type == "ping") return Ping{int_field(*object, "id").value_or(0)};
  return bad("type is not open, decode, cancel, close or ping");
}

Result<WorkerMessage> decode_worker(std::string_view text) {
  const auto object = parse_json(text);
  if (!object) return tl::unexpected<Error>(object.error());
  const auto type = string_field(*object, "type");
  if (type == "hello") return read_hello(*object);
  if (type == "text") return read_text(*object);
  if (type == "error") return read_error(*object);
  if (type == "pong") return Pong{int_field(*object, "id").value_or(0)};
  if (type == "turn_end") return read_turn_end(*object);
  return bad("type is not hello, text, error, pong or turn_end");
}

AudioBatch::AudioBatch() : bytes_(kFrameHeader, '\0') {}

bool AudioBatch::add(StreamNumber stream, std::uint64_t first_sample,
                     std::span<const std::int16_t> pcm) {
  constexpr std::size_t kEntryHeader = 14;
  if (pcm.size() > kChunkSamplesMax || count_ == kChunksMax ||
      bytes_.size() + kEntryHeader + pcm.size_bytes() > kMessageBytesMax) {
    return false;
  }
  append(bytes_, stream);
  append(bytes_, first_sample);
  append(bytes_, static_cast<std::uint16_t>(pcm.size()));
  bytes_.append(reinterpret_cast<const char*>(pcm.data()), pcm.size_bytes());
  ++count_;
  return true;
}

std::string AudioBatch::take() {
  bytes_[0] = static_cast<char>(kAudioKind);
  std::memcpy(&bytes_[1], &count_, sizeof(count_));
  count_ = 0;
  return std::exchange(bytes_, std::string(kFrameHeader, '\0'));
}

Result<std::vector<AudioChunk>> decode_audio(std::string_view frame) {
  constexpr std::size_t kEntryHeader = 14;
  Reader reader(frame);
  const auto count = read_frame_header(reader, kAudioKind);
  if (!count) return tl::unexpected<Error>(count.error());
  std::vector<AudioChunk> chunks;
  for (std::uint16_t i = 0; i < *count; ++i) {
    if (!reader.has(kEntryHeader)) return bad("audio entry is cut short");
    AudioChunk& chunk = chunks.emplace_back();
    chunk.stream = reader.take<std::uint32_t>();
    chunk.first_sample = reader.take<std::uint64_t>();
    const std::size_t n = reader.take<std::uint16_t>();
    if (n > kChunkSamplesMax) return bad("audio entry is longer than 8000 samples");
    if (!reader.has(n * sizeof(std::int16_t))) return bad("audio entry is cut short");
    chunk.pcm.resize(n);
    reader.take_into(chunk.pcm);
  }
  if (!reader.at_end()) return bad("bytes behind the last audio entry");
  return chunks;
}

std::string encode_probabilities(std::span<const Probability> probabilities) {
  const auto n = static_cast<std::uint16_t>(std::min(probabilities.size(), kChunksMax));
  std::string bytes;
  append(bytes, kProbabilityKind);
  append(bytes, n);
  for (const Probability& p : probabilities.first(n)) {
    append(bytes, p.stream);
    append(bytes, p.end_sample);
    append(bytes, p.p);
  }
  return bytes;
}

Result<std::vector<Probability>> decode_probabilities(std::string_view frame) {
  constexpr std::size_t kEntry = 13;
  Reader reader(frame);
  const auto count = read_frame_header(reader, kProbabilityKind);
  if (!count) return tl::unexpected<Error>(count.error());
  std::vector<Probability> out;
  out.reserve(*count);
  for (std::uint16_t i = 0; i < *count; ++i) {
    if (!reader.has(kEntry)) return bad("probability entry is cut short");
    Probability& p = out.emplace_back();
    p.stream = reader.take<std::uint32_t>();
    p.end_sample = reader.take<std::uint64_t>();
    p.p = reader.take<std::uint8_t>();
  }
  if (!reader.at_end()) return bad("bytes behind the last probability");
  return out;
}

}  // namespace yyc3::speech::wire
