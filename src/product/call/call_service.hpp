#pragma once

#include <memory>
#include <string>
#include <vector>

#include "platform/net/task.hpp"
#include "product/call/call_record.hpp"
#include "product/call/call_store.hpp"

namespace yyc3::call {

/// The browser's end of a call ("talk to me"). 20 ms frames of 160 samples, 8 kHz.
/// Threads: one web loop. The call goes on until either side ends it.
class BrowserLine {
 public:
  virtual ~BrowserLine() = default;
  virtual void heard(
      const std::int16_t* pcm160) = 0;          ///< from the microphone; late ones are dropped
  virtual bool next(std::int16_t* pcm160) = 0;  ///< to the loudspeaker; false: none yet
  virtual void dtmf(char digit) = 0;
  virtual void hang_up() = 0;
  [[nodiscard]] virtual bool ended() const = 0;
  [[nodiscard]] virtual CallId call() const = 0;
};

struct EngineStatus {
  std::string name;
  std::string state;
};

/// What is still to be rendered ahead of one flow in one language.
struct PromptsLeft {
  std::string flow;
  speech::Language language = speech::Language::kChinese;
  std::size_t sentences = 0;  ///< fixed ones; at 0 a call need not wait for the voice
  std::size_t fragments = 0;  ///< days and times
};

struct ServiceStatus {
  std::size_t active = 0;
  std::size_t waiting = 0;
  std::size_t max_active = 0;
  std::vector<PromptsLeft> prompts;
  std::vector<EngineStatus> engines;
};

/// What the API and the commands may ask of the calls. Threads: any loop.
class CallService {
 public:
  virtual ~CallService() = default;
  /// Stores the call and queues it. Errors: kInvalid with the field; kConflict (idempotency key);
  /// kBusy the queue is full; kUnavailable shutting down.
  virtual net::Task<Result<CallStore::Created>> create(NewCall call) = 0;
  /// CANCEL, BYE or taking it from the queue. Errors: kNotFound; kConflict it has ended.
  virtual net::Task<Result<void>> hang_up(CallId id) = 0;
  /// A call whose leg is a browser. Errors as create; kBusy when no slot is free now.
  virtual net::Task<Result<std::shared_ptr<BrowserLine>>> talk(NewCall call) = 0;
  [[nodiscard]] virtual ServiceStatus status() const = 0;
};

}  // namespace yyc3::call
