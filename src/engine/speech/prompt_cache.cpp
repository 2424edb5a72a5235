#include "engine/speech/prompt_cache.hpp"

#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/bytes.hpp"

namespace yyc3::speech {

namespace {

/// File: "YYC3PCM2", key length (u32, big-endian), key, number of marks (u32), the marks (u32
/// characters, u32 samples), samples s16 little-endian at 8 kHz.
constexpr std::string_view kMagic = "YYC3PCM2";
constexpr std::size_t kMarkBytes = 8;

std::uint64_t fnv1a(std::string_view text, std::uint64_t hash) {
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211ULL;
  return hash;
}

void write_file(const std::filesystem::path& file, const std::string& key, const Pcm& pcm) {
  const std::filesystem::path temporary = file.string() + ".new";
  {
    std::ofstream out(temporary, std::ios::binary);
    const auto put = [&out](std::size_t value) {
      std::uint8_t bytes[4];
      write_u32(bytes, 0, static_cast<std::uint32_t>(value));
      out.write(reinterpret_cast<const char*>(bytes), sizeof bytes);
    };
    out << kMagic;
    put(key.size());
    out << key;
    put(pcm->marks.size());
    for (const SpeechMark& mark : pcm->marks) {
      put(mark.characters);
      put(mark.samples);
    }
    out.write(reinterpret_cast<const char*>(pcm->samples.data()),
              static_cast<std::streamsize>(pcm->samples.size() * sizeof(std::int16_t)));
    if (!out.flush()) return;  // a full disk costs a rendering at the next start, no more
  }
  std::error_code ignored;
  std::filesystem::rename(temporary, file, ignored);
}

std::size_t bytes_of(const Sound& sound) {
  return sound.samples.size() * sizeof(std::int16_t) + sound.marks.size() * sizeof(SpeechMark);
}

/// The sound of `key`, or nullptr: no such file, another key with the same name, or torn.
Pcm read_file(const std::filesystem::path& file, const std::string& key) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return nullptr;
  const std::string raw{std::istreambuf_iterator<char>(in), {}};
  const ByteView bytes = as_bytes(raw);
  std::size_t at = kMagic.size() + 4 + key.size();
  const bool ours = raw.size() >= at + 4 && raw.starts_with(kMagic) &&
                    read_u32(bytes, kMagic.size()) == key.size() &&
                    raw.compare(kMagic.size() + 4, key.size(), key) == 0;
  if (!ours) return nullptr;
  const std::size_t marks = read_u32(bytes, at);
  at += 4;
  if ((raw.size() - at) / kMarkBytes < marks) return nullptr;
  auto pcm = std::make_shared<Sound>();
  for (std::size_t i = 0; i < marks; ++i, at += kMarkBytes)
    pcm->marks.push_back({read_u32(bytes, at), read_u32(bytes, at + 4)});
  pcm->samples.resize((raw.size() - at) / sizeof(std::int16_t));
  std::memcpy(pcm->samples.data(), raw.data() + at, pcm->samples.size() * sizeof(std::int16_t));
  return pcm;
}

}  // namespace

PromptCache::PromptCache(PromptCacheConfig config, Synthesizer& synthesizer,
                         telemetry::Registry& metrics, Background in_background)
    : config_(std::move(config)),
      synthesizer_(synthesizer),
      in_background_(std::move(in_background)),
      hits_(metrics.counter("yyc3_speech_prompt_hits_total", "Prompts found rendered")),
      misses_(
          metrics.counter("yyc3_speech_prompt_misses_total", "Prompts that had to be rendered")) {
  std::error_code ignored;
  if (!config_.folder.empty()) std::filesystem::create_directories(config_.folder, ignored);
}

std::string PromptCache::name_of(const std::string& key) {
  return fmt::format("{:016x}{:016x}.pcm", fnv1a(key, 14695981039346656037ULL),
                     fnv1a(key, 0x9E3779B97F4A7C15ULL));
}

Pcm PromptCache::load(const std::string& key) {
  const std::string name = name_of(key);
  for (const auto* folder : {&config_.folder, &config_.carried})
    if (Pcm pcm = folder->empty() ? nullptr : read_file(*folder / name, key)) return pcm;
  return nullptr;
}

Pcm PromptCache::find(const SpeakRequest& request) {
  const std::string key = request.cache_key();
  const auto at = prompts_.find(key);
  if (at != prompts_.end()) {
    ages_.splice(ages_.begin(), ages_, at->second.age);
    return at->second.pcm;
  }
  Pcm pcm = load(key);
  if (pcm) keep(key, pcm);
  return pcm;
}

std::uint64_t PromptCache::fetch(const SpeakRequest& request, bool fixed, Done done) {
  if (Pcm pcm = find(request)) {
    hits_.add();
    done(std::move(pcm));
    return 0;
  }
  misses_.add();
  const std::string key = request.cache_key();
  const std::uint64_t ticket = next_ticket_++;
  auto& batch = jobs_[key];
  if (!batch) batch = std::make_shared<Batch>();
  batch->waiting.push_back({ticket, std::move(done)});
  // A live request behind a background one is asked for again, in front of the others.
  if (batch->under_way == 0 || request.live) {
    ++batch->under_way;
    synthesizer_.speak(request, [this, key, fixed, batch = batch](Result<Pcm> pcm) {
      finished(key, fixed, batch, std::move(pcm));
    });
  }
  return ticket;
}

void PromptCache::forget(std::uint64_t ticket) {
  for (auto& [key, batch] : jobs_)
    for (auto& waiter : batch->waiting)
      if (waiter.ticket == ticket) waiter.done = [](Result<Pcm>) {};
}

void PromptCache::finished(const std::string& key, bool fixed, const std::shared_ptr<Batch>& batch,
                           Result<Pcm> pcm) {
  --batch->under_way;
  if (pcm) {
    if (fixed && !config_.folder.empty() && !prompts_.contains(key))
      in_background_([file = config_.folder / name_of(key), key, audio = *pcm] {
        write_file(file, key, audio);
      });
    keep(key, *pcm);
  }
  if (!pcm && batch->under_way > 0) return;  // the one asked for later may still come
  const std::vector<Waiter> waiting = std::exchange(batch->waiting, {});
  if (const auto at = jobs_.find(key); at != jobs_.end() && at->second == batch) jobs_.erase(at);
  for (const auto& waiter : waiting) waiter.done(pcm);
}

void PromptCache::keep(const std::string& key, const Pcm& pcm) {
  if (prompts_.contains(key)) return;
  ages_.push_front(key);
  prompts_.emplace(key, Entry{pcm, ages_.begin()});
  bytes_ += bytes_of(*pcm);
  while (bytes_ > config_.bytes_max && ages_.size() > 1) {
    const auto oldest = prompts_.find(ages_.back());
    bytes_ -= bytes_of(*oldest->second.pcm);
    prompts_.erase(oldest);
    ages_.pop_back();
  }
}

}  // namespace yyc3::speech
