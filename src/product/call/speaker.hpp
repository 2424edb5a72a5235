#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/speech/prompt_cache.hpp"
#include "engine/telephony/rtp/media_stream.hpp"
#include "platform/telemetry/metrics.hpp"

namespace yyc3::call {

/// A piece of a reply: a sentence of a template, or a variable in it.
struct Line {
  std::string text;
  bool fixed = true;  ///< false: holds a customer's data; its audio is never written to disk
};

/// What became of a reply. Positions are on the stream's sample clock.
struct Spoken {
  std::string text;                ///< all that was meant to be said
  std::string heard;               ///< what the playout ledger says was played, cut at a character
  std::string unsaid;              ///< the rest
  std::size_t heard_unbroken = 0;  ///< bytes of `text` from its start that were heard with no gap
  bool interrupted = false;
  std::uint64_t started_at = 0;
  std::uint64_t ended_at = 0;
  std::uint64_t samples = 0;         ///< played
  std::uint64_t samples_whole = 0;   ///< length of all of it, as far as it was rendered
  SteadyTime first_packet{};         ///< {} when nothing was played
  Milliseconds waited_for_voice{0};  ///< from say() to the first audio at hand
  Milliseconds longest_silence{0};   ///< between two pieces of it
  std::uint64_t added_at = 0;        ///< where the first piece that was added later began; 0: none
  std::vector<std::string> failed;   ///< pieces the voice could not give
};

struct SpeakerMetrics {
  explicit SpeakerMetrics(telemetry::Registry& registry);
  telemetry::Counter& holes;         ///< silence inside a reply
  telemetry::Counter& failed;        ///< pieces without a voice
  telemetry::Histogram& voice_wait;  ///< seconds from say() to the first audio
  telemetry::Histogram& silence;     ///< the longest inside a reply, seconds
};

struct Voice {
  speech::Language language = speech::Language::kChinese;
  std::string name;
  double speed = 1.0;
  [[nodiscard]] speech::SpeakRequest request(std::string text, bool live) const;
};

/// Speaks one reply at a time: fetches audio from the prompt cache, keeps the stream's ring filled
/// (under a second ahead), and reads from the playout ledger what was really heard.
/// Bounds: a reply holds 64 pieces. Threads: the call's loop.
class Speaker {
 public:
  struct Listener {
    std::function<void(std::uint64_t at, SteadyTime when)> started;  ///< first packet of the reply
    std::function<void(const Spoken&)> finished;                     ///< once for every say()
  };

  Speaker(rtp::MediaStream& stream, speech::PromptCache& cache, Voice voice,
          SpeakerMetrics& metrics, const Clock& clock, Listener listener);
  ~Speaker();
  Speaker(const Speaker&) = delete;
  Speaker& operator=(const Speaker&) = delete;

  /// Cuts what is being said and says this next. @param open more comes by `add`, until `end`.
  void say(std::vector<Line> lines, bool open = false);
  /// Behind what is being said, which was opened; else nothing.
  void add(const Line& line);
  void end();
  /// How long what is still to be heard takes; texts without a voice yet are estimated.
  [[nodiscard]] Milliseconds ahead() const;
  /// How long ago all of what is being said was heard; 0: it was not, or nothing is being said.
  [[nodiscard]] Milliseconds silent() const;
  /// Barge-in: silence within 20 ms; `finished` follows when the ledger has closed.
  void cut();
  /// The line is gone and no ledger entry will come any more: `finished` at once, with what had
  /// been played by now.
  void close();
  void pause();
  /// Goes on a little before the pause (`resume_point`): half a word is no place to go on from.
  void resume();
  void on_event(const rtp::MediaEvent& event);
  /// Keeps the ring filled: on kPlayLow and at every tick.
  void feed();

  [[nodiscard]] bool speaking() const { return active_; }
  /// How loud the last 200 ms that were played are, dBov; -96 when nothing is being played.
  [[nodiscard]] float level_dbov() const;

 private:
  struct Piece {
    std::uint32_t utterance = 0;
    std::string text;
    speech::Pcm pcm;         ///< nullptr while waiting
    std::size_t pause = 0;   ///< samples of silence behind it
    std::size_t queued = 0;  ///< samples handed to the stream
    std::uint64_t ticket = 0;
    std::uint32_t played = 0;
    bool started = false;
    bool told = false;  ///< it started once, before a rewind too
    bool ended = false;
    bool failed = false;
    bool added = false;  ///< after say()
    [[nodiscard]] std::size_t length() const { return pcm ? pcm->samples.size() + pause : 0; }
  };

  void add_line(const Line& line);
  void add_piece(const Line& line, bool live);
  void fetch(Piece& piece, bool fixed, bool live);
  void arrived(std::uint32_t utterance, Result<speech::Pcm> pcm);
  bool feed_piece(Piece& piece);
  void rewind(Piece& ended, bool cut);
  void close_if_over();
  void finish(bool interrupted);
  Piece* find(std::uint32_t utterance);
  [[nodiscard]] const Piece* find(std::uint32_t utterance) const {
    return const_cast<Speaker*>(this)->find(utterance);
  }

  rtp::MediaStream& stream_;
  speech::PromptCache& cache_;
  Voice voice_;
  SpeakerMetrics& metrics_;
  const Clock& clock_;
  Listener listener_;

  std::vector<Piece> pieces_;
  std::uint32_t next_utterance_ = 1;
  std::uint32_t epoch_ = 0;
  bool active_ = false;
  bool open_ = false;       ///< more pieces may come
  bool cutting_ = false;    ///< the epoch was raised; the ledger's last entry is awaited
  bool rewinding_ = false;  ///< the same, to go on from before it
  bool announced_ = false;
  bool waiting_noted_ = false;
  SteadyTime asked_at_{};
  Spoken spoken_;
};

/// RMS of the 200 ms of `pcm` before sample `played`, dBov; what lies behind its end is silence.
float level_before(std::span<const std::int16_t> pcm, std::size_t played);

/// Samples of silence that `pcm` begins with, less 10 ms: what an answer need not wait for.
std::size_t lead_in(std::span<const std::int16_t> pcm);

/// Where speech held at sample `played` of `pcm` goes on: the quietest 20 ms that begin between 200
/// and 450 ms before it (voice-agents.md §3.5: about 300 ms); 0 when less than 200 ms were played,
/// `played` when all of it was.
std::size_t resume_point(std::span<const std::int16_t> pcm, std::size_t played);

/// The part of `text` that was heard when `played` of `total` samples were: cut at a character,
/// never past what was played. By the voice's marks: what of it was heard to its end, in English
/// whole words. Without any by weight: a Hanzi or digit 1, a Latin letter ¼, a mark ½, a blank 0.
std::string heard_part(const std::string& text, std::uint64_t played, std::uint64_t total,
                       std::span<const speech::SpeechMark> marks = {});

}  // namespace yyc3::call
