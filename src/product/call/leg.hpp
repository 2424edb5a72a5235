#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/ids.hpp"
#include "engine/telephony/rtp/media_engine.hpp"
#include "engine/telephony/sip/sip_agent.hpp"

namespace yyc3::call {

/// How a leg ended.
struct LegEnd {
  sip::Outcome outcome = sip::Outcome::kCompleted;
  std::optional<std::int64_t> sip_status;
  std::optional<std::int64_t> q850;
  std::string by;      ///< "us", "peer", "network"
  std::string reason;  ///< sanitised text of the network
};

/// What a leg tells its call. Called on the call's loop; on_leg_ended is the last.
class LegListener {
 public:
  virtual ~LegListener() = default;
  virtual void on_ringing() = 0;
  /// `dialog_state` (JSON) is what a restart needs to end the dialog; empty for a browser.
  virtual void on_answered(const std::string& dialog_state) = 0;
  virtual void on_dialog_changed(const std::string& dialog_state) = 0;
  virtual void on_held(bool held) = 0;
  virtual void on_leg_ended(const LegEnd& end) = 0;
};

/// The line a call runs over: a telephone (SIP and RTP) or a browser. Threads: the call's loop.
class Leg {
 public:
  virtual ~Leg() = default;
  virtual rtp::MediaStream& media() = 0;
  /// Errors: the leg could not be started; on_leg_ended does not follow then.
  virtual Result<void> dial(LegListener& listener) = 0;
  virtual void hang_up(const std::string& reason) = 0;
  virtual void on_sip(const sip::SipEvent& event) = 0;
};

/// A telephone.
class SipLeg final : public Leg {
 public:
  SipLeg(sip::SipAgent& agent, std::unique_ptr<rtp::MediaStream> media, sip::DialRequest request);
  rtp::MediaStream& media() override { return *media_; }
  Result<void> dial(LegListener& listener) override;
  void hang_up(const std::string& reason) override;
  void on_sip(const sip::SipEvent& event) override;

 private:
  void take_media(const sip::RemoteMedia& remote);

  sip::SipAgent& agent_;
  std::unique_ptr<rtp::MediaStream> media_;
  sip::DialRequest request_;
  LegListener* listener_ = nullptr;
  bool held_ = false;
};

/// A visitor's microphone and loudspeaker: answered as soon as it is dialled.
class BrowserLeg final : public Leg {
 public:
  /// What the web loop reaches the media through. A lock, held for one frame's copy; the media
  /// thread never takes it.
  struct Hook {
    std::mutex lock;
    rtp::MediaStream* media = nullptr;
  };

  explicit BrowserLeg(std::unique_ptr<rtp::MediaStream> media);
  ~BrowserLeg() override;
  [[nodiscard]] std::shared_ptr<Hook> hook() const { return hook_; }
  rtp::MediaStream& media() override { return *media_; }
  Result<void> dial(LegListener& listener) override;
  void hang_up(const std::string& reason) override;
  void on_sip(const sip::SipEvent&) override {}
  /// The visitor closed the page.
  void visitor_left();

 private:
  void end(const char* by, const std::string& reason);

  void unhook();

  std::unique_ptr<rtp::MediaStream> media_;
  std::shared_ptr<Hook> hook_;
  LegListener* listener_ = nullptr;
};

}  // namespace yyc3::call
