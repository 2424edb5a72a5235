#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "engine/telephony/sip/dialog_state.hpp"
#include "engine/telephony/sip/outcome.hpp"
#include "engine/telephony/sip/sdp.hpp"

namespace yyc3::telemetry {
class Log;
}

namespace yyc3::sip {

struct SipConfig {
  std::string bind_address = "127.0.0.1";  ///< literal IP; also what peers see in Contact
  std::uint16_t port = 0;                  ///< UDP and TCP; 0 = any free one
  bool tcp = true;
  std::string user_agent = "YYC3-AICall";
  std::size_t max_calls = 500;        ///< live at once; dial() beyond it is refused with kBusy
  std::size_t command_limit = 1'024;  ///< commands waiting; more are refused with kBusy
  std::uint32_t session_expires_s = 1'800;  ///< offered (RFC 4028); 0 = offer none; else >= 90
  std::uint32_t session_min_s = 90;         ///< shortest session agreed to; RFC 4028 §4: 90 or more
  Milliseconds invite_timeout{32'000};      ///< no response at all (timer B), 1–120 s
  Milliseconds drain_limit{5'000};          ///< stop() waits this long for answers to its BYEs
};

/// The carrier (or PBX) a call goes through.
struct Trunk {
  std::string host;  ///< literal IP or name of proxy or registrar
  std::uint16_t port = 5060;
  Transport transport = Transport::kUdp;
  std::string auth_user;      ///< empty: no digest
  std::string auth_password;  ///< never logged
  std::string from_user;      ///< user part of From; empty: auth_user, else "aicall"
  std::string from_domain;    ///< empty: `host`
  std::string display_name;   ///< of From; no control characters, quotes or backslashes
  bool plus = true;           ///< E.164 numbers are sent with their '+'
};

struct DialRequest {
  CallId call;
  /// "sip:user@host[:port]", or E.164 ("+8613800138000"; needs `trunk`). A SIP URI elsewhere than
  /// at the trunk is sent by way of it (Route).
  std::string target;
  std::optional<Trunk> trunk;
  std::string caller_id;  ///< user part of From; empty: the trunk's
  LocalMedia media;
  Milliseconds ring_timeout{45'000};  ///< from dial() to the answer, 1 ms – 10 min; then CANCEL
  /// At most 16; each printable, without CR/LF; none that the stack makes itself (Via, To …).
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Why we hang up, told to the peer as `Reason: Q.850;cause=…;text="…"` (RFC 3326).
struct HangUpReason {
  int q850 = 16;  ///< 1–127; 16 = normal clearing
  std::string text = "Normal call clearing";
};

enum class Who : std::uint8_t { kUs, kPeer, kNetwork };

struct Trying {};   ///< 100: somebody took the INVITE
struct Ringing {};  ///< 180; may repeat
/// 183 (or 180) with SDP: early media. Play to the recorder, not to the customer.
struct Progress {
  RemoteMedia media;
};
struct Answered {
  RemoteMedia media;
  DialogState dialog;          ///< store it before anything else: what a BYE needs after a crash
  Milliseconds setup{0};       ///< INVITE to 200
  Milliseconds round_trip{0};  ///< INVITE to its first response: the signalling distance
};
/// A later offer and answer: hold, resume, another address. Re-latch RTP when the address moved.
struct MediaChanged {
  RemoteMedia media;
  bool by_peer = true;  ///< false: the peer's answer to our hold() or resume()
};
/// The dialog's state moved (target refresh, CSeq): replace the stored one.
struct DialogChanged {
  DialogState dialog;
};
/// Last event of an answered call.
struct Ended {
  Who who = Who::kPeer;
  Outcome outcome = Outcome::kCompleted;  ///< kCompleted, or kLost when the dialog broke
  std::optional<int> q850;
  std::string text;  ///< reason phrase of the peer, sanitised, ≤ 256 bytes
};
/// Last event of a call never answered (also: cancelled, or answered without a common codec).
struct Failed {
  Outcome outcome = Outcome::kInternal;
  int sip_status = 0;  ///< 487 when cancelled; 488 = no common codec; 0 = not sent at all
  std::optional<int> q850;
  std::optional<Milliseconds> retry_after;  ///< ≤ 1 h
  std::string text;                         ///< reason phrase, sanitised, ≤ 256 bytes
};
/// hold() or resume() did not work (glare beyond retry, refused); the call goes on as it was.
struct HoldFailed {
  int sip_status = 0;
};
/// Answer to send_bye_for(): the peer ended the call (200), or never knew it (481): both `gone`.
struct OrphanEnded {
  bool gone = false;
  int sip_status = 0;  ///< 408: no answer; 0: the state could not be used
  std::string text;
};

struct SipEvent {
  using What = std::variant<Trying, Ringing, Progress, Answered, MediaChanged, DialogChanged, Ended,
                            Failed, HoldFailed, OrphanEnded>;
  CallId call;
  SteadyTime at;
  What what;
};

/// Dials, hangs up and holds calls over SIP (RFC 3261) and nothing else: no media, no policy.
///
/// Owns one signalling thread running Sofia-SIP; no type of it is visible here. Only ever calls
/// out: an INVITE from outside any dialog is answered 403.
/// Threads: commands from any thread (never block, except stop()); the sink is called on the
/// signalling thread, must not block, throw, or call stop().
/// Per call the order is: Trying? Ringing* Progress* then either Failed, or Answered
/// (MediaChanged | DialogChanged | HoldFailed)* Ended. After Failed or Ended its CallId is unknown.
/// Bounds: SipConfig::max_calls and command_limit; stop() by drain_limit + 3 s.
/// Errors of every command: kBusy (queue or calls full), kUnavailable (stopped). A command for a
/// call that has just ended is dropped silently: its last event is on the way.
class SipAgent {
 public:
  using Sink = std::function<void(SipEvent)>;
  /// One SIP message as sent or received, behind a line that says which and whither; credentials
  /// removed, phone numbers not. For tests and debugging. On the signalling thread.
  using MessageHook = std::function<void(std::string_view message)>;

  /// Binds and starts the thread.
  /// Errors: kInvalid (configuration, field named), kUnavailable (address or port not to be had).
  static Result<std::unique_ptr<SipAgent>> start(const SipConfig& config, const Clock& clock,
                                                 telemetry::Log& log, Sink sink,
                                                 MessageHook hook = {});
  ~SipAgent();  ///< stop()
  SipAgent(const SipAgent&) = delete;
  SipAgent& operator=(const SipAgent&) = delete;

  [[nodiscard]] std::uint16_t port() const;  ///< the one really bound

  /// Errors also: kInvalid (field named). Never dial one CallId twice: the second is dropped.
  Result<void> dial(DialRequest request);
  /// CANCEL before the answer, BYE after it. May be repeated.
  Result<void> hang_up(const CallId& call, HangUpReason reason = {});
  /// re-INVITE with sendonly / sendrecv; 491 is retried once after 2.1–4 s (RFC 3261 §14.1).
  Result<void> hold(const CallId& call);
  Result<void> resume(const CallId& call);
  /// Ends a dialog a crashed process left behind; OrphanEnded tells how it went. `trunk` is the one
  /// it was dialled through: a challenge of the BYE (401, 407) is answered once with its password.
  Result<void> send_bye_for(const CallId& call, const DialogState& dialog,
                            std::optional<Trunk> trunk = std::nullopt);

  [[nodiscard]] std::size_t live_calls() const;  ///< dialled and not ended

  /// Refuses new commands, cancels and BYEs what lives (at most 50 each 10 ms), waits drain_limit
  /// for the answers, then ends the thread. Each live call gets its last event. Idempotent.
  /// Threads: any but the signalling one.
  void stop();

 private:
  struct Impl;
  explicit SipAgent(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace yyc3::sip
