#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "product/call/call_service.hpp"
#include "product/call/call_session.hpp"
#include "product/dialogue/flow.hpp"

namespace yyc3::call {

struct CallCenterConfig {
  std::size_t max_active = 4;
  std::size_t queue_max = 100;
  std::string media_address = "127.0.0.1";
  Milliseconds ring_timeout{40'000};
  std::optional<sip::Trunk> trunk;  ///< for E.164 targets
  std::string from_user = "aicall";
  Voice voice_zh{speech::Language::kChinese, "zf_xiaoxiao", 1.0};
  Voice voice_en{speech::Language::kEnglish, "joe", 1.0};
  /// What every dialogue is given (company name …); a call's own variables win.
  std::map<std::string, std::string> variables_zh;
  std::map<std::string, std::string> variables_en;
  /// The first call begins (true), the last has ended (false). On the call loop.
  std::function<void(bool)> on_busy = {};
};

/// All calls of one call loop: queue, admission, the media engine's door, SIP events, recovery.
///
/// Admission: max_active calls at once; more wait in order (≤ queue_max, then kBusy). A call enters
/// the queue when the name and the times that only it will say are rendered, after 5 s in any case.
/// The queue lives in the store as well: what was queued at a crash is failed at the next start,
/// never dialled unseen. Threads: as CallService (any) for the interface; everything else on the
/// call loop.
class CallCenter final : public CallService {
 public:
  CallCenter(CallCenterConfig config, CallParts& parts, CallStore& store, rtp::LoopPort& port,
             sip::SipAgent*& agent, const dialogue::FlowLibrary& flows,
             std::shared_ptr<const dialogue::Understanding> understanding,
             std::function<ServiceStatus()> engines);
  ~CallCenter() override;

  /// Starts the media pump and the 20 ms tick.
  void start();
  /// Any thread; posts to the loop.
  void on_sip(sip::SipEvent event);
  /// Hangs up every call and waits until their last rows are stored, at most `limit`.
  net::Task<void> drain(Milliseconds limit);

  net::Task<Result<CallStore::Created>> create(NewCall call) override;
  net::Task<Result<void>> hang_up(CallId id) override;
  net::Task<Result<std::shared_ptr<BrowserLine>>> talk(NewCall call) override;
  [[nodiscard]] ServiceStatus status() const override;

 private:
  struct State;
  std::shared_ptr<State> state_;
  events::Subscription watching_;
};

/// Ends what a crash left: a BYE for every answered dialog (with the password of `trunk` where one
/// is asked for), an outcome for every call.
/// Blocking, at start-up, before new calls. Returns how many there were.
Result<std::size_t> recover_calls(CallStore& store, sip::SipAgent& agent,
                                  const std::optional<sip::Trunk>& trunk, telemetry::Log& log,
                                  const Clock& clock);

}  // namespace yyc3::call
