#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/speech/synthesizer.hpp"
#include "platform/telemetry/metrics.hpp"

namespace yyc3::speech {

struct PromptCacheConfig {
  std::filesystem::path folder;  ///< where fixed prompts are kept between starts; empty: nowhere
  std::size_t bytes_max =
      32u << 20;  ///< of audio in memory (16 KB a second); the oldest goes first
  std::filesystem::path carried = {};  ///< read only: more of them, rendered elsewhere; or empty
};

/// Speech that was said before, by (voice, text, parameters). Prompts are rendered ahead, variables
/// are cached as fragments; what the voice worker cannot give in time is then already here.
///
/// Fixed prompts are also kept as files. What came from a customer (names, numbers) stays in memory
/// only: `fetch(…, fixed = false)`.
/// Threads: one loop, like Synthesizer. Files are written through `in_background`.
class PromptCache {
 public:
  using Done = Synthesizer::Done;
  using Background = std::function<void(std::function<void()>)>;

  PromptCache(PromptCacheConfig config, Synthesizer& synthesizer, telemetry::Registry& metrics,
              Background in_background);

  /// The audio, or nullptr. Reads the folder too (a prompt is some 50 KB).
  Pcm find(const SpeakRequest& request);
  /// `done` at once when cached, else after rendering; requests for the same sound share one job.
  /// Errors: the synthesizer's. Returns 0 when it was answered at once, else a ticket for `forget`.
  std::uint64_t fetch(const SpeakRequest& request, bool fixed, Done done);
  /// The answer of that ticket is no longer wanted (rendering goes on: it will be wanted again).
  void forget(std::uint64_t ticket);

  struct Status {
    std::size_t waiting;  ///< sounds being rendered
    std::size_t bytes;
    std::size_t prompts;
  };
  [[nodiscard]] Status status() const { return {jobs_.size(), bytes_, prompts_.size()}; }

 private:
  struct Entry {
    Pcm pcm;
    std::list<std::string>::iterator age;
  };
  struct Waiter {
    std::uint64_t ticket;
    Done done;
  };

  void keep(const std::string& key, const Pcm& pcm);
  /// Those who wait for one sound, and how many times it was asked for.
  struct Batch {
    std::vector<Waiter> waiting;
    int under_way = 0;
  };
  void finished(const std::string& key, bool fixed, const std::shared_ptr<Batch>& batch,
                Result<Pcm> pcm);
  static std::string name_of(const std::string& key);
  Pcm load(const std::string& key);

  PromptCacheConfig config_;
  Synthesizer& synthesizer_;
  Background in_background_;
  telemetry::Counter& hits_;
  telemetry::Counter& misses_;
  std::map<std::string, Entry, std::less<>> prompts_;
  std::list<std::string> ages_;  ///< front = used last
  std::map<std::string, std::shared_ptr<Batch>, std::less<>> jobs_;
  std::size_t bytes_ = 0;
  std::uint64_t next_ticket_ = 1;
};

}  // namespace yyc3::speech
