#pragma once

#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "engine/speech/worker_protocol.hpp"
#include "platform/net/event_loop.hpp"
#include "worker/hear_model.hpp"

namespace yyc3::worker {

/// The recognisers of one process: which model hears which language.
struct HearModels {
  text::TablesPtr tables;
  std::shared_ptr<const HearModel> chinese;  ///< may be null
  std::shared_ptr<const HearModel> english;  ///< may be null; may be the same
};

/// Decodes on threads of its own, nearest deadline first.
/// Threads: every call and every answer on the home loop.
class DecodePool {
 public:
  /// One decode. The audio is a copy: the stream goes on meanwhile.
  struct Job {
    speech::wire::Decode order;
    std::vector<std::int16_t> pcm;
    std::function<void(speech::wire::WorkerMessage)> answer;  ///< Text or JobError, once
    StopFlag stop;
    SteadyTime arrived{};
    int rehearsals_left = 0;  ///< > 0: nobody waits for it; so often it may be begun
    bool gave_way = false;    ///< a partial decode, stopped for another one
    [[nodiscard]] bool gives_way() const { return rehearsals_left > 0 || order.spec.partial; }
  };
  static constexpr std::size_t kWaitingMax = 64;
  static constexpr int kRehearsalTries = 8;
  static constexpr int kPartialRest = 2;  ///< times what the last one took: a third of a core

  DecodePool(HearModels models, int threads, net::EventLoop& home, telemetry::Log& log,
             const Clock& clock);
  /// Stops what runs and waits for it.
  ~DecodePool();
  DecodePool(const DecodePool&) = delete;
  DecodePool& operator=(const DecodePool&) = delete;

  /// Answers kBusy at once when kWaitingMax wait. A partial decode never waits: kBusy unless a
  /// decoder is idle, and kBusy in the middle, within 50 ms, when its decoder is wanted. After one
  /// kPartialRest times as long none begins: the voices, which are nicer, need the core.
  void add(std::shared_ptr<Job> job);
  /// The job never answers; if it runs, it stops within 50 ms.
  void cancel(const std::shared_ptr<Job>& job);
  /// Every decoder hears silence once under the yes/no and the digit grammar of both languages:
  /// a closed list is scored in silence first (2 to 4 s), and no caller is to wait for that:
  /// without a rehearsal it is heard unscored. A decode that is asked for meanwhile stops a
  /// rehearsal, which begins again when its decoder is idle, kRehearsalTries times at most.
  void rehearse();
  /// A decode runs beyond three times its deadline: it will not end, and its thread is lost. Only a
  /// new process helps.
  [[nodiscard]] bool stuck() const;
  /// Rehearsals that are still to come or running.
  [[nodiscard]] std::size_t rehearsals_left() const;
  /// Rehearsals that were heard to their end.
  [[nodiscard]] std::size_t rehearsed() const { return rehearsed_; }

 private:
  struct Seat {
    std::unique_ptr<Decoder> chinese;
    std::unique_ptr<Decoder> english;  ///< null: `chinese` does it, if both are one model
    std::shared_ptr<Job> running;
    std::list<std::shared_ptr<Job>> rehearsals;  ///< at most 4
    std::unique_ptr<net::EventLoop> loop;        // last: its thread uses what is above
  };
  [[nodiscard]] Decoder* decoder_for(const Seat& seat, speech::Language language) const;
  void add_partial(std::shared_ptr<Job> job);
  void dispatch();
  void start(Seat& seat, std::shared_ptr<Job> job);
  void make_room();
  void run(Seat& seat, const std::shared_ptr<Job>& job);
  void finish(Seat& seat, const std::shared_ptr<Job>& job, speech::wire::WorkerMessage answer);
  void rest_after(const Job& partial);
  HearModels models_;
  net::EventLoop& home_;
  const Clock& clock_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::list<std::shared_ptr<Job>> waiting_;  ///< by deadline
  std::size_t rehearsed_ = 0;
  SteadyTime partials_from_{};  ///< none begins before
};

}  // namespace yyc3::worker
