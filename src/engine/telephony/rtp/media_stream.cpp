#include "engine/telephony/rtp/media_stream.hpp"

#include <algorithm>
#include <string>

#include "engine/telephony/codec/g711.hpp"
#include "engine/telephony/rtp/stream_shared.hpp"

namespace yyc3::rtp {

namespace {

Result<RemoteSpec> spec_of(const RemoteMedia& remote) {
  RemoteSpec spec;
  const Result<std::uint32_t> ip = parse_ipv4(remote.ip);
  if (!ip) return fail(ErrorCode::kInvalid, "remote ip: " + ip.error().detail);
  if (remote.payload_type > 127 || remote.dtmf_payload_type.value_or(0) > 127)
    return fail(ErrorCode::kInvalid, "remote payload type: must be 0 to 127");
  if (remote.ptime_ms != 20 && remote.ptime_ms != 40 && remote.ptime_ms != 60)
    return fail(ErrorCode::kInvalid, "remote ptime: must be 20, 40 or 60 ms");
  spec.ip = *ip;
  spec.port = remote.port;
  spec.rtcp_port =
      remote.rtcp_port != 0 ? remote.rtcp_port : static_cast<std::uint16_t>(remote.port + 1);
  spec.payload_type = remote.payload_type;
  spec.dtmf_payload_type = remote.dtmf_payload_type.value_or(255);
  spec.codec = remote.codec;
  spec.frames_per_packet = static_cast<std::uint8_t>(remote.ptime_ms / 20);
  spec.direction = remote.direction;
  return spec;
}

}  // namespace

MediaStream::~MediaStream() {
  shared_->handle = nullptr;
  close();
}

std::uint16_t MediaStream::local_port() const { return shared_->ports.port; }
std::uint64_t MediaStream::tag() const { return shared_->tag; }

Result<void> MediaStream::set_remote(const RemoteMedia& remote) {
  const Result<RemoteSpec> spec = spec_of(remote);
  if (!spec) return tl::unexpected<Error>(spec.error());
  MediaCommand command;
  command.kind = MediaCommand::Kind::kRemote;
  command.remote = *spec;
  if (!shared_->rings.commands.push(command))
    return fail(ErrorCode::kBusy, "media thread does not answer");
  shared_->dtmf_agreed = remote.dtmf_payload_type.has_value();
  return {};
}

Result<void> MediaStream::record(std::shared_ptr<RecordTap> tap) {
  return this->tap(std::move(tap), false);
}

Result<void> MediaStream::monitor(std::shared_ptr<RecordTap> tap) {
  return this->tap(std::move(tap), true);
}

Result<void> MediaStream::tap(std::shared_ptr<RecordTap> tap, bool monitor) {
  std::shared_ptr<RecordTap>& kept = monitor ? shared_->monitor : shared_->tap;
  if (kept || !tap)
    return fail(ErrorCode::kConflict,
                monitor ? "the stream is monitored already" : "the stream is recorded already");
  MediaCommand command;
  command.kind = monitor ? MediaCommand::Kind::kMonitor : MediaCommand::Kind::kRecord;
  command.tap = tap.get();
  kept = std::move(tap);
  if (shared_->rings.commands.push(command)) return {};
  kept.reset();
  return fail(ErrorCode::kBusy, "media thread does not answer");
}

bool MediaStream::queue(const PlayFrame& frame) { return shared_->rings.play.push(frame); }
std::size_t MediaStream::queued() const { return shared_->rings.play.size(); }
std::uint32_t MediaStream::raise_epoch() {
  return shared_->rings.epoch.fetch_add(1, std::memory_order_acq_rel) + 1;
}
std::uint32_t MediaStream::epoch() const {
  return shared_->rings.epoch.load(std::memory_order_acquire);
}
void MediaStream::pause() { shared_->rings.paused.store(true, std::memory_order_release); }
void MediaStream::resume() { shared_->rings.paused.store(false, std::memory_order_release); }
bool MediaStream::paused() const { return shared_->rings.paused.load(std::memory_order_acquire); }
void MediaStream::duck(bool on) { shared_->rings.ducked.store(on, std::memory_order_relaxed); }

PlayProgress MediaStream::progress() const {
  const std::uint64_t packed = shared_->rings.progress.load(std::memory_order_acquire);
  return {static_cast<std::uint32_t>(packed >> 32), static_cast<std::uint32_t>(packed)};
}

bool MediaStream::next_input(InputFrame& out) {
  const HeardFrame* const heard = shared_->rings.input.peek();
  if (heard == nullptr) return false;
  out.at = heard->at;
  out.level_dbov = heard->level_dbov;
  out.vad = heard->vad;
  out.concealed = heard->concealed;
  codec::mulaw_decode(heard->mulaw, out.pcm);
  shared_->rings.input.drop();
  return true;
}

bool MediaStream::next_event(MediaEvent& out) { return shared_->rings.events.pop(out); }
std::uint64_t MediaStream::sample_clock() const {
  return shared_->rings.clock.load(std::memory_order_acquire);
}
SteadyTime MediaStream::started_at() const {
  return SteadyTime(
      SteadyTime::duration(shared_->rings.started_ns.load(std::memory_order_acquire)));
}
StreamStats MediaStream::stats() const { return shared_->rings.stats.load(); }

Result<void> MediaStream::send_dtmf(std::string_view digits) {
  MediaCommand command;
  command.kind = MediaCommand::Kind::kDtmf;
  const bool keys =
      std::all_of(digits.begin(), digits.end(), [](char c) { return event_of(c).has_value(); });
  if (digits.empty() || digits.size() > command.digits.size() || !keys)
    return fail(ErrorCode::kInvalid, "dtmf: must be 1 to 16 of 0-9 * # A-D");
  if (!shared_->dtmf_agreed)
    return fail(ErrorCode::kUnavailable, "dtmf: the far side takes no telephone-event");
  std::copy(digits.begin(), digits.end(), command.digits.begin());
  command.digit_count = static_cast<std::uint8_t>(digits.size());
  if (!shared_->rings.commands.push(command))
    return fail(ErrorCode::kBusy, "media thread does not answer");
  return {};
}

void MediaStream::close() { shared_->closing.store(true, std::memory_order_release); }
bool MediaStream::closed() const { return shared_->detached.load(std::memory_order_acquire); }

bool MediaStream::push_inbound(const codec::Frame& frame) {
  if (!shared_->bridge) return false;
  if (shared_->bridge->inbound.push(frame)) return true;
  shared_->bridge->dropped.fetch_add(1, std::memory_order_relaxed);
  return false;
}
bool MediaStream::pop_outbound(codec::Frame& out) {
  return shared_->bridge && shared_->bridge->outbound.pop(out);
}
int MediaStream::outbound_fd() const {
  return shared_->bridge ? shared_->bridge->outbound_bell.get() : -1;
}

}  // namespace yyc3::rtp
