#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "engine/speech/worker_protocol.hpp"

namespace {

using namespace yyc3::speech;

void require(bool good) {
  if (!good) std::abort();
}

/// Refused with a reason; or in the ranges that the header promises.
void check(const wire::Decode& m) {
  require(m.job != 0 && m.stream != 0 && m.prompt.size() <= wire::kPromptBytesMax);
  require(m.spec.from_sample < m.spec.to_sample);
  require(m.spec.to_sample - m.spec.from_sample <= wire::kKeptSamples);
  require(m.spec.deadline.count() >= 1 && m.spec.deadline.count() <= 60'000);
  require(m.spec.options.empty() == (m.spec.grammar != GrammarKind::kOptions));
  require(m.spec.options.size() <= wire::kOptionsMax);
  for (const auto& option : m.spec.options) require(option.size() <= wire::kOptionBytesMax);
  require(wire::grammar_of(wire::name_of(m.spec.grammar)) == m.spec.grammar);
}

void check(const wire::Text& m) {
  require(yyc3::is_utf8(m.heard.text));
  require(m.heard.confidence >= 0 && m.heard.confidence <= 1);
  require(m.tokens >= 0 && m.audio_ms >= 0 && m.heard.queued.count() >= 0);
}

template <class Other>
void check(const Other&) {}

/// What was understood can be written, is understood again, and says the same.
template <class Decoder>
void round_trip(std::string_view text, Decoder decode) {
  const auto message = decode(text);
  if (!message) {
    require(!message.error().detail.empty());
    return;
  }
  std::visit([](const auto& m) { check(m); }, *message);
  const std::string written = wire::encode(*message);
  const auto again = decode(written);
  require(again.has_value() && again->index() == message->index());
  require(wire::encode(*again) == written);
}

void audio(std::string_view frame) {
  const auto chunks = wire::decode_audio(frame);
  if (!chunks) return require(!chunks.error().detail.empty());
  require(chunks->size() <= wire::kChunksMax);
  wire::AudioBatch batch;
  for (const auto& chunk : *chunks) {
    require(chunk.pcm.size() <= wire::kChunkSamplesMax);
    if (frame.size() <= wire::kMessageBytesMax)
      require(batch.add(chunk.stream, chunk.first_sample, chunk.pcm));
  }
  if (frame.size() <= wire::kMessageBytesMax) require(batch.take() == frame);
}

void probabilities(std::string_view frame) {
  const auto read = wire::decode_probabilities(frame);
  if (!read) return require(!read.error().detail.empty());
  require(wire::encode_probabilities(*read) == frame);
}

}  // namespace

// Both ends of the hear protocol: a worker may be a stranger's (speech.hear_url), and so may be
// what connects to a worker.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  round_trip(text, wire::decode_client);
  round_trip(text, wire::decode_worker);
  audio(text);
  probabilities(text);
  if (const auto kind = wire::grammar_of(text)) require(wire::name_of(*kind) == text);
  return 0;
}
