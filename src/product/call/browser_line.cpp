#include "product/call/browser_line.hpp"

#include <algorithm>
#include <utility>

namespace yyc3::call {

namespace {

class MediaLine final : public BrowserLine {
 public:
  MediaLine(CallId id, std::shared_ptr<BrowserLeg::Hook> hook, WithSession with_session)
      : id_(id), hook_(std::move(hook)), with_session_(std::move(with_session)) {}

  void heard(const std::int16_t* pcm160) override {
    codec::Frame frame;
    std::copy_n(pcm160, frame.size(), frame.begin());
    const std::lock_guard hold(hook_->lock);
    if (hook_->media != nullptr) hook_->media->push_inbound(frame);
  }

  bool next(std::int16_t* pcm160) override {
    codec::Frame frame;
    const std::lock_guard hold(hook_->lock);
    if (hook_->media == nullptr || !hook_->media->pop_outbound(frame)) return false;
    std::copy(frame.begin(), frame.end(), pcm160);
    return true;
  }

  void dtmf(char digit) override {
    with_session_([digit](CallSession& session) { session.press(digit); });
  }

  void hang_up() override {
    with_session_(
        [](CallSession& session) { static_cast<BrowserLeg&>(session.leg()).visitor_left(); });
  }

  [[nodiscard]] bool ended() const override {
    const std::lock_guard hold(hook_->lock);
    return hook_->media == nullptr;
  }
  [[nodiscard]] CallId call() const override { return id_; }

 private:
  CallId id_;
  std::shared_ptr<BrowserLeg::Hook> hook_;
  WithSession with_session_;
};

}  // namespace

std::shared_ptr<BrowserLine> make_browser_line(CallId id, BrowserLeg& leg,
                                               WithSession with_session) {
  return std::make_shared<MediaLine>(id, leg.hook(), std::move(with_session));
}

}  // namespace yyc3::call
