#pragma once

#include <memory>

#include "engine/telephony/rtp/stream_shared.hpp"

namespace yyc3::rtp {

/// A leg on a clock of the test's own: the product's stream, ledger and voice activity, without
/// sockets and threads. Whoever has it ticks it every 20 ms.
class VirtualLine {
 public:
  VirtualLine(SteadyTime now, UtcTime utc)
      : shared_(std::make_unique<StreamShared>(config())), stream_(new MediaStream(*shared_)) {
    shared_->handle = stream_.get();
    shared_->core.begin(now, utc);
  }

  [[nodiscard]] MediaStream& stream() { return *stream_; }
  /// 20 ms pass in which the far side says `said`. Returns what it hears.
  const codec::Frame& tick(const codec::Frame& said, SteadyTime now) {
    MediaCommand command;
    while (shared_->rings.commands.pop(command))
      if (command.kind == MediaCommand::Kind::kMonitor) shared_->core.monitor(command.tap);
    shared_->core.on_tick(now, out_, &said);
    return out_.pcm;
  }

 private:
  static MediaStreamCore::Config config() {
    MediaStreamCore::Config config;
    config.bridged = true;
    return config;
  }
  std::unique_ptr<StreamShared> shared_;
  std::unique_ptr<MediaStream> stream_;
  MediaStreamCore::Output out_;
};

}  // namespace yyc3::rtp
