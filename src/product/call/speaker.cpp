#include "product/call/speaker.hpp"

#include <algorithm>
#include <utility>

#include "engine/speech/clauses.hpp"
#include "engine/telephony/codec/level.hpp"

namespace yyc3::call {

namespace {

constexpr std::size_t kPiecesMax = 64;
constexpr std::size_t kSentencePause = 160 * 8;  // samples: 160 ms
constexpr std::size_t kClausePause = 60 * 8;
constexpr std::size_t kLevelWindow = 200 * 8;
constexpr std::size_t kRewindMin = 200 * 8;
constexpr std::size_t kRewindMax = 450 * 8;
constexpr std::size_t kLevelStep = 10 * 8;
constexpr float kAudibleDbov = -45;
constexpr std::size_t kGuessedSamplesAByte = 530;  // a Chinese character 200 ms, a Latin letter 65

std::size_t pause_behind(const std::string& text) {
  for (const char* end : {"。", "！", "？", ".", "!", "?"})
    if (text.ends_with(end) || text.ends_with(std::string(end) + " ")) return kSentencePause;
  for (const char* end : {"，", "；", "、", ",", ";"})
    if (text.ends_with(end) || text.ends_with(std::string(end) + " ")) return kClausePause;
  return 0;
}

/// A sentence behind an English one stands apart from it.
void append(std::string& text, std::string_view more) {
  const auto letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  const bool ended = !text.empty() && std::string_view(".?!").find(text.back()) != text.npos;
  if (ended && !more.empty() && letter(more.front())) text += ' ';
  text += more;
}

struct Character {
  std::size_t bytes;
  double weight;
};

Character character_at(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) {
    if (lead == ' ') return {1, 0};
    if (lead >= '0' && lead <= '9') return {1, 1};
    const bool letter = (lead | 0x20) >= 'a' && (lead | 0x20) <= 'z';
    return {1, letter ? 0.25 : 0.5};
  }
  const std::size_t bytes = std::min<std::size_t>(lead < 0xE0   ? 2
                                                  : lead < 0xF0 ? 3
                                                                : 4,
                                                  text.size());
  const std::string_view whole = text.substr(0, bytes);
  const bool mark = whole >= "\u3000" && whole <= "\u303F";        // CJK punctuation
  const bool full_width = whole >= "\uFF00" && whole <= "\uFF65";  // ，！？
  return {bytes, mark || full_width ? 0.5 : 1};
}

/// Bytes of `text` up to the last mark that was played.
std::size_t marked_bytes(std::string_view text, std::uint64_t played,
                         std::span<const speech::SpeechMark> marks) {
  std::uint32_t characters = 0;
  for (const auto& mark : marks)
    if (mark.samples <= played) characters = mark.characters;
  std::size_t bytes = 0;
  for (; characters > 0 && bytes < text.size(); --characters)
    bytes += character_at(text.substr(bytes)).bytes;
  return bytes;
}

}  // namespace

SpeakerMetrics::SpeakerMetrics(telemetry::Registry& registry)
    : holes(registry.counter("yyc3_call_reply_holes_total", "Silences inside a reply")),
      failed(registry.counter("yyc3_call_voice_failed_total", "Pieces of replies without a voice")),
      voice_wait(registry.histogram("yyc3_call_voice_wait_seconds",
                                    "From the choice of a reply to its first audio at hand",
                                    {0.001, 0.01, 0.1, 0.2, 0.5, 1, 2, 5})),
      silence(registry.histogram("yyc3_call_reply_silence_seconds",
                                 "The longest silence between two pieces of a reply",
                                 {0.05, 0.1, 0.3, 0.5, 1, 1.5, 2, 3, 5})) {}

speech::SpeakRequest Voice::request(std::string text, bool live) const {
  speech::SpeakRequest wanted;
  wanted.text = std::move(text);
  wanted.language = language;
  wanted.voice = name;
  wanted.speed = speed;
  wanted.live = live;
  return wanted;
}

float level_before(std::span<const std::int16_t> pcm, std::size_t played) {
  const std::size_t to = std::min(played, pcm.size());
  const std::size_t from = std::min(to, played - std::min(played, kLevelWindow));
  return codec::level_dbov(pcm.subspan(from, to - from));
}

std::size_t lead_in(std::span<const std::int16_t> pcm) {
  std::size_t at = 0;
  while (at + kLevelStep <= pcm.size() &&
         codec::level_dbov(pcm.subspan(at, kLevelStep)) < kAudibleDbov)
    at += kLevelStep;
  return at + kLevelStep > pcm.size() || at < kLevelStep ? 0 : at - kLevelStep;
}

std::size_t resume_point(std::span<const std::int16_t> pcm, std::size_t played) {
  if (played >= pcm.size()) return played;
  if (played < kRewindMin) return 0;
  const std::size_t last = played - kRewindMin;
  std::size_t best = last;
  float lowest = 0;
  for (std::size_t at = played - std::min(played, kRewindMax); at <= last; at += kLevelStep) {
    const float level = codec::level_dbov(pcm.subspan(at, codec::kFrameSamples));
    if (level >= lowest) continue;
    lowest = level;
    best = at;
  }
  return best;
}

std::string heard_part(const std::string& text, std::uint64_t played, std::uint64_t total,
                       std::span<const speech::SpeechMark> marks) {
  if (played == 0) return {};  // not even the blank it may begin with
  if (played >= total) return text;
  if (!marks.empty()) return text.substr(0, marked_bytes(text, played, marks));
  double whole = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = character_at(std::string_view(text).substr(at));
    whole += c.weight;
    at += c.bytes;
  }
  const double budget = whole * static_cast<double>(played) / static_cast<double>(total);
  double spent = 0;
  std::size_t cut = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = character_at(std::string_view(text).substr(at));
    spent += c.weight;
    at += c.bytes;
    if (spent > budget) break;
    cut = at;
  }
  return text.substr(0, cut);
}

Speaker::Speaker(rtp::MediaStream& stream, speech::PromptCache& cache, Voice voice,
                 SpeakerMetrics& metrics, const Clock& clock, Listener listener)
    : stream_(stream),
      cache_(cache),
      voice_(std::move(voice)),
      metrics_(metrics),
      clock_(clock),
      listener_(std::move(listener)),
      epoch_(stream.epoch()) {}

Speaker::~Speaker() {
  for (const Piece& piece : pieces_)
    if (piece.ticket != 0) cache_.forget(piece.ticket);
}

Speaker::Piece* Speaker::find(std::uint32_t utterance) {
  for (Piece& piece : pieces_)
    if (piece.utterance == utterance) return &piece;
  return nullptr;
}

void Speaker::say(std::vector<Line> lines, bool open) {
  if (active_) {
    epoch_ = stream_.raise_epoch();
    finish(true);
  }
  if (stream_.paused()) stream_.resume();
  active_ = true;
  open_ = open;
  cutting_ = rewinding_ = announced_ = waiting_noted_ = false;
  spoken_ = {};
  asked_at_ = clock_.now();
  pieces_.clear();
  for (const Line& line : lines) add_line(line);
  feed();
  close_if_over();
}

void Speaker::add(const Line& line) {
  if (!active_ || !open_ || cutting_) return;
  const std::size_t before = pieces_.size();
  add_line(line);
  for (std::size_t i = before; i < pieces_.size(); ++i) pieces_[i].added = true;
  feed();
}

void Speaker::end() {
  if (!active_ || !std::exchange(open_, false) || cutting_) return;
  close_if_over();
}

Milliseconds Speaker::ahead() const {
  const rtp::PlayProgress now = stream_.progress();
  std::int64_t samples = 0;
  for (const Piece& piece : pieces_) {
    if (piece.ended) continue;
    const std::size_t played = piece.utterance == now.utterance ? now.samples : 0;
    const std::size_t guessed = kGuessedSamplesAByte * piece.text.size();
    samples += static_cast<std::int64_t>(piece.pcm ? piece.length() : guessed) -
               static_cast<std::int64_t>(std::min(played, piece.length()));
  }
  return Milliseconds{samples / static_cast<std::int64_t>(codec::kSampleRate / 1000)};
}

Milliseconds Speaker::silent() const {
  const bool heard = active_ && announced_ && !cutting_ &&
                     std::ranges::all_of(pieces_, [](const Piece& piece) { return piece.ended; });
  if (!heard) return Milliseconds{0};
  const std::uint64_t now = std::max(stream_.sample_clock(), spoken_.ended_at);
  return Milliseconds{static_cast<std::int64_t>((now - spoken_.ended_at) / 8)};
}

void Speaker::add_line(const Line& line) {
  append(spoken_.text, line.text);
  if (cache_.find(voice_.request(line.text, true))) return add_piece(line, true);
  for (std::string& clause : speech::split_clauses(line.text))
    add_piece({std::move(clause), line.fixed}, true);
}

void Speaker::add_piece(const Line& line, bool live) {
  if (pieces_.size() >= kPiecesMax) return;
  Piece piece;
  piece.utterance = next_utterance_++;
  piece.text = line.text;
  piece.pause = pause_behind(line.text);
  pieces_.push_back(std::move(piece));
  fetch(pieces_.back(), line.fixed, live);
}

void Speaker::fetch(Piece& piece, bool fixed, bool live) {
  const std::uint32_t utterance = piece.utterance;
  const std::uint64_t ticket = cache_.fetch(
      voice_.request(piece.text, live), fixed,
      [this, utterance](Result<speech::Pcm> pcm) { arrived(utterance, std::move(pcm)); });
  if (Piece* still = find(utterance); still != nullptr && !still->pcm && !still->failed)
    still->ticket = ticket;
}

void Speaker::arrived(std::uint32_t utterance, Result<speech::Pcm> pcm) {
  Piece* piece = find(utterance);
  if (piece == nullptr) return;
  piece->ticket = 0;
  if (pcm && !(*pcm)->samples.empty()) {
    piece->pcm = *pcm;
  } else {
    piece->failed = piece->ended = true;
    metrics_.failed.add();
    spoken_.failed.push_back(piece->text);
  }
  if (!active_ || cutting_) return;
  feed();
  close_if_over();
}

void Speaker::feed() {
  if (!active_ || cutting_ || rewinding_) return;
  for (Piece& piece : pieces_) {
    if (piece.failed) continue;
    if (!piece.pcm) return;  // the pieces are said in order: wait for this one
    if (!std::exchange(waiting_noted_, true)) {
      piece.queued = lead_in(piece.pcm->samples);
      spoken_.waited_for_voice = std::chrono::duration_cast<Milliseconds>(clock_.now() - asked_at_);
      metrics_.voice_wait.observe(static_cast<double>(spoken_.waited_for_voice.count()) / 1000);
    }
    if (!feed_piece(piece)) return;
  }
}

/// False when the ring is full before the piece's end.
bool Speaker::feed_piece(Piece& piece) {
  const std::size_t length = piece.length();
  rtp::PlayFrame frame;
  frame.epoch = epoch_;
  frame.utterance = piece.utterance;
  while (piece.queued < length) {
    const std::size_t count = std::min(codec::kFrameSamples, length - piece.queued);
    frame.offset = static_cast<std::uint32_t>(piece.queued);
    frame.samples = static_cast<std::uint16_t>(count);
    frame.last = piece.queued + count == length;
    frame.pcm.fill(0);
    const auto& samples = piece.pcm->samples;
    if (piece.queued < samples.size()) {
      const std::size_t voiced = std::min(count, samples.size() - piece.queued);
      std::copy_n(samples.begin() + static_cast<std::ptrdiff_t>(piece.queued), voiced,
                  frame.pcm.begin());
    }
    if (!stream_.queue(frame)) return false;
    piece.queued += count;
  }
  return true;
}

void Speaker::cut() {
  if (!active_ || cutting_) return;
  cutting_ = true;
  epoch_ = stream_.raise_epoch();
  if (stream_.paused()) stream_.resume();
  // The stream's own word: what it began in this tick has not been told of yet.
  const std::uint32_t now = stream_.progress().utterance;
  const bool playing = std::any_of(pieces_.begin(), pieces_.end(), [now](const Piece& p) {
    return (p.started || (!p.told && p.utterance == now)) && !p.ended;
  });
  if (!playing) finish(true);
}

void Speaker::close() {
  if (!active_) return;
  const rtp::PlayProgress now = stream_.progress();
  for (Piece& piece : pieces_)
    if (piece.started && !piece.ended && piece.utterance == now.utterance)
      piece.played = std::max(piece.played, now.samples);
  stream_.raise_epoch();
  finish(true);
}

void Speaker::pause() { stream_.pause(); }

void Speaker::resume() {
  const bool playing = std::any_of(pieces_.begin(), pieces_.end(),
                                   [](const Piece& p) { return p.started && !p.ended; });
  if (active_ && !cutting_ && playing) {
    rewinding_ = true;  // the ledger's entry ends, whole or cut: `rewind` goes on from there
    epoch_ = stream_.raise_epoch();
  }
  stream_.resume();
}

/// What was queued behind `ended` is gone with its epoch: it is queued again.
void Speaker::rewind(Piece& ended, bool cut) {
  rewinding_ = false;
  if (cut) {
    ended.started = ended.ended = false;
    ended.queued = resume_point(ended.pcm->samples, ended.played);
  }
  for (Piece& piece : pieces_)
    if (piece.utterance > ended.utterance) piece.queued = 0;
}

void Speaker::on_event(const rtp::MediaEvent& event) {
  Piece* piece = find(event.utterance);
  switch (event.kind) {
    case rtp::MediaEventKind::kLedgerStarted:
      if (piece == nullptr || (event.epoch != epoch_ && !cutting_)) return;
      piece->started = piece->told = true;
      if (piece->added && spoken_.added_at == 0) spoken_.added_at = event.at;
      if (announced_ && !rewinding_ && event.at > spoken_.ended_at)
        spoken_.longest_silence =
            std::max(spoken_.longest_silence,
                     Milliseconds{static_cast<std::int64_t>((event.at - spoken_.ended_at) / 8)});
      if (std::exchange(announced_, true)) return;
      spoken_.started_at = spoken_.ended_at = event.at;
      spoken_.first_packet = event.when;
      listener_.started(event.at, event.when);
      return;
    case rtp::MediaEventKind::kLedgerEnded:
      if (piece == nullptr) return;
      // An entry of before the pause whose utterance has been queued again tells nothing new.
      if (event.epoch != epoch_ && !rewinding_ && !cutting_) return;
      piece->played = std::max(piece->played, event.offset + event.samples);
      piece->ended = true;
      spoken_.ended_at = event.at;
      if (rewinding_ && !cutting_)
        rewind(*piece, event.cut);
      else if (event.cut || cutting_)
        return finish(true);
      feed();
      return close_if_over();
    case rtp::MediaEventKind::kUnderrun:
      metrics_.holes.add();
      return;
    case rtp::MediaEventKind::kPlayLow:
      return feed();
    default:
      return;
  }
}

float Speaker::level_dbov() const {
  const rtp::PlayProgress now = stream_.progress();
  const Piece* piece = now.utterance == 0 || stream_.paused() ? nullptr : find(now.utterance);
  if (piece == nullptr || !piece->pcm || piece->ended) return codec::kSilenceDbov;
  return level_before(piece->pcm->samples, now.samples);
}

void Speaker::close_if_over() {
  const bool over =
      std::all_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) { return piece.ended; });
  if (active_ && over && !open_) finish(false);
}

void Speaker::finish(bool interrupted) {
  bool unbroken = true;
  for (Piece& piece : pieces_) {
    if (piece.ticket != 0) cache_.forget(std::exchange(piece.ticket, 0));
    std::string heard;
    if (piece.pcm)
      heard = heard_part(piece.text, piece.played, piece.pcm->samples.size(), piece.pcm->marks);
    spoken_.samples += piece.played;
    spoken_.samples_whole += piece.length();
    append(spoken_.heard, heard);
    append(spoken_.unsaid, std::string_view(piece.text).substr(heard.size()));
    if (unbroken) spoken_.heard_unbroken = spoken_.heard.size();
    unbroken = unbroken && heard.size() == piece.text.size();
  }
  // Cut in the pause behind the last word: everything was heard.
  spoken_.interrupted = interrupted && !spoken_.unsaid.empty();
  active_ = cutting_ = open_ = false;
  pieces_.clear();
  metrics_.silence.observe(static_cast<double>(spoken_.longest_silence.count()) / 1000);
  const Spoken result = std::move(spoken_);
  spoken_ = {};
  listener_.finished(result);
}

}  // namespace yyc3::call
