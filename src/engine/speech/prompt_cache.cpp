#include "engine/speech/prompt_cache.hpp"

#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/bytes.hpp"

namespace yyc3::speech {

namespace {

/// File: "YYC3PCM1", key length (u32, big-endian), key, samples s16 little-endian at 8 kHz.
constexpr std::string_view kMagic = "YYC3PCM1";

std::uint64_t fnv1a(std::string_view text, std::uint64_t hash) {
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 1099511628211ULL;
  return hash;
}

void write_file(const std::filesystem::path& file, const std::string& key, const Pcm& pcm) {
  const std::filesystem::path temporary = file.string() + ".new";
  {
    std::ofstream out(temporary, std::ios::binary);
    std::uint8_t length[4];
    write_u32(length, 0, static_cast<std::uint32_t>(key.size()));
    out << kMagic;
    out.write(reinterpret_cast<const char*>(length), sizeof length);
    out << key;
    out.write(reinterpret_cast<const char*>(pcm->data()),
              static_cast<std::streamsize>(pcm->size() * sizeof(std::int16_t)));
    if (!out.flush()) return;  // a full disk costs a rendering at the next start, no more
  }
  std::error_code ignored;
  std::filesystem::rename(temporary, file, ignored);
}

/// The sound of `key`, or nullptr: no such file, another key with the same name, or torn.
Pcm read_file(const std::filesystem::path& file, const std::string& key) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return nullptr;
  const std::string raw{std::istreambuf_iterator<char>(in), {}};
  const std::size_t head = kMagic.size() + 4 + key.size();
  const bool ours = raw.size() >= head && raw.starts_with(kMagic) &&
                    read_u32(as_bytes(raw), kMagic.size()) == key.size() &&
                    raw.compare(kMagic.size() + 4, key.size(), key) == 0;
  if (!ours) return nullptr;
  auto pcm =
      std::make_shared<std::vector<std::int16_t>>((raw.size() - head) / sizeof(std::int16_t));
  std::memcpy(pcm->data(), raw.data() + head, pcm->size() * sizeof(std::int16_t));
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
  bytes_ += pcm->size() * sizeof(std::int16_t);
  while (bytes_ > config_.bytes_max && ages_.size() > 1) {
    const auto oldest = prompts_.find(ages_.back());
    bytes_ -= oldest->second.pcm->size() * sizeof(std::int16_t);
    prompts_.erase(oldest);
    ages_.pop_back();
  }
}

}  // namespace yyc3::speech
