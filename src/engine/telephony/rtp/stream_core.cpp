#include "engine/telephony/rtp/stream_core.hpp"

#include <algorithm>
#include <utility>

#include "engine/telephony/codec/g711.hpp"
#include "engine/telephony/codec/level.hpp"
#include "engine/telephony/rtp/fetch_ahead.hpp"
#include "engine/telephony/rtp/packet.hpp"

namespace yyc3::rtp {
using namespace std::chrono_literals;

namespace {
constexpr std::uint8_t kPcmuType = 0;  // RFC 3551 table 4
constexpr std::uint8_t kPcmaType = 8;
constexpr std::uint8_t kComfortNoise = 13;
constexpr std::size_t kPayloadMax = 960;            // 120 ms
constexpr std::size_t kLedgerSlots = 16;            // of the event ring, kept for the ledger
constexpr std::uint64_t kPublishEvery = 25 * 160;   // samples: twice a second
constexpr std::uint64_t kNtpEpoch = 2'208'988'800;  // seconds from 1900 to 1970

bool of_ledger(MediaEventKind kind) {
  return kind == MediaEventKind::kLedgerStarted || kind == MediaEventKind::kLedgerEnded ||
         kind == MediaEventKind::kClosed;
}
}  // namespace

void MediaStreamCore::begin(SteadyTime now, UtcTime utc) {
  started_ = last_packet_ = now;
  started_utc_ = utc;
  next_rtcp_ = now + Milliseconds(1000 + random() % 3000);
  rings_.started_ns.store(now.time_since_epoch().count(), std::memory_order_release);
}

std::uint32_t MediaStreamCore::random() {  // xorshift64*: spreads reports, hides nothing
  random_ ^= random_ >> 12;
  random_ ^= random_ << 25;
  random_ ^= random_ >> 27;
  return static_cast<std::uint32_t>((random_ * 2685821657736338717ULL) >> 32);
}

std::int64_t MediaStreamCore::samples_at(SteadyTime now) const {
  return std::chrono::duration_cast<Microseconds>(now - started_).count() / 125;
}

void MediaStreamCore::set_remote(const RemoteSpec& remote, SteadyTime now) {
  if (remote.codec != remote_.codec || remote.frames_per_packet != remote_.frames_per_packet)
    payload_size_ = 0;
  const bool was_sending = remote_.port != 0 && may_send(remote_.direction);
  remote_ = remote;
  mark_ = mark_ || !was_sending;
  const bool was_latched = latch_.latched();
  latch_.expect({remote.ip, remote.port});
  if (was_latched && !latch_.latched()) has_ssrc_ = false;  // another sender may use any SSRC
  last_packet_ = now;  // silence is counted from the new agreement on
  timed_out_ = false;
}

Address MediaStreamCore::rtcp_destination() const {
  const Address rtp = latch_.destination();
  if (rtp.ip == remote_.ip && rtp.port == remote_.port) return {rtp.ip, remote_.rtcp_port};
  return {rtp.ip, static_cast<std::uint16_t>(rtp.port + 1)};
}

void MediaStreamCore::emit(const MediaEvent& event) {
  if (event.kind == MediaEventKind::kUnderrun) ++stats_.underruns;
  const std::size_t used = rings_.events.size();
  const bool room = of_ledger(event.kind) || used + kLedgerSlots < kEventSlots;
  if (!room || !rings_.events.push(event)) {
    ++stats_.events_dropped;
    return;
  }
  news_ = true;
}

void MediaStreamCore::tell(MediaEventKind kind, std::uint64_t at, SteadyTime when) {
  MediaEvent event;
  event.kind = kind;
  event.at = at;
  event.when = when;
  emit(event);
}

void MediaStreamCore::tell_key(const DtmfKey& key, SteadyTime when) {
  MediaEvent event;
  event.kind = MediaEventKind::kDtmf;
  event.digit = key.digit;
  event.samples = key.duration;
  event.at = key.at;
  event.when = when;
  emit(event);
}

bool MediaStreamCore::take_news() { return std::exchange(news_, false); }

bool MediaStreamCore::right_source(const RtpPacket& packet) {
  if (has_ssrc_ && packet.ssrc == remote_ssrc_) return true;
  if (has_ssrc_) {
    const bool follows = packet.ssrc == other_ssrc_ &&
                         packet.sequence == static_cast<std::uint16_t>(other_sequence_ + 1);
    other_ssrc_ = packet.ssrc;
    other_sequence_ = packet.sequence;
    if (!follows) return false;
    jitter_.reset();
    reception_.restart();
  }
  has_ssrc_ = true;
  remote_ssrc_ = packet.ssrc;
  last_sr_ = 0;
  return true;
}

void MediaStreamCore::on_packet(ByteView bytes, Address from, SteadyTime now) {
  if (looks_like_rtcp(bytes)) {
    if (from.ip == destination().ip) on_rtcp(bytes, now);
    return;
  }
  const std::optional<RtpPacket> packet = parse_rtp(bytes);
  const auto known = [&](std::uint8_t type) {
    return type == remote_.payload_type || type == remote_.dtmf_payload_type || type == kPcmuType ||
           type == kPcmaType || type == kComfortNoise;
  };
  if (!packet || remote_.port == 0 || !known(packet->payload_type) ||
      packet->payload.size() > kPayloadMax) {
    ++stats_.packets_invalid;
    return;
  }
  const bool before = latch_.latched();
  if (!latch_.accept(from, packet->sequence) || !right_source(*packet)) {
    ++stats_.packets_invalid;
    return;
  }
  if (!before) tell(MediaEventKind::kRemoteLatched, clock_, now);
  if (timed_out_) tell(MediaEventKind::kRtpResumed, clock_, now);
  timed_out_ = false;
  last_packet_ = now;
  ++stats_.packets_received;
  reception_.on_packet(packet->sequence, packet->timestamp,
                       static_cast<std::uint32_t>(samples_at(now)));
  if (!may_receive(remote_.direction)) return;
  if (packet->payload_type == remote_.dtmf_payload_type) {
    const std::optional<DtmfPayload> event = parse_dtmf(packet->payload);
    if (!event) return;
    const std::optional<DtmfKey> key = keys_in_.on_event(*event, packet->timestamp, clock_);
    if (key) tell_key(*key, now);
  } else if (packet->payload_type != kComfortNoise) {
    on_audio(*packet, now);
  }
}

void MediaStreamCore::on_audio(const RtpPacket& packet, SteadyTime now) {
  const bool alaw = packet.payload_type == kPcmaType ||
                    (packet.payload_type == remote_.payload_type && remote_.codec == Codec::kPcma);
  std::array<std::uint8_t, kPayloadMax> converted;
  ByteView mulaw = packet.payload;
  if (alaw) {
    for (std::size_t i = 0; i < mulaw.size(); ++i) converted[i] = codec::alaw_to_mulaw(mulaw[i]);
    mulaw = ByteView(converted).first(mulaw.size());
  }
  jitter_.insert(packet.timestamp, mulaw, samples_at(now));
}

void MediaStreamCore::on_rtcp(ByteView bytes, SteadyTime now) {
  const std::optional<RtcpReport> report = parse_rtcp(bytes);
  if (!report || (has_ssrc_ && report->ssrc != remote_ssrc_)) {
    ++stats_.packets_invalid;
    return;
  }
  if (report->sender) {
    last_sr_ = ntp_middle(report->sender->ntp);
    last_sr_at_ = now;
  }
  for (std::size_t i = 0; i < report->block_count; ++i) {
    const ReportBlock& block = report->blocks[i];
    if (block.ssrc != config_.ssrc) continue;
    stats_.remote_loss = block.fraction_lost / 256.0;
    const std::uint32_t trip = ntp_middle(ntp_at(now)) - block.last_sr - block.delay;
    if (block.last_sr != 0 && trip < 10 * 65536U) stats_.rtt_ms = trip * 1000.0 / 65536.0;
  }
  if (report->bye) tell(MediaEventKind::kRemoteBye, clock_, now);
}

void MediaStreamCore::push_input(const HeardFrame& frame) {
  if (rings_.input.push(frame)) {
    news_ = true;
  } else {
    ++stats_.input_dropped;
  }
}

/// The gate: frames of silence wait in the pre-roll, speech takes them along.
void MediaStreamCore::hand_over(const HeardFrame& frame, SteadyTime now) {
  if (frame.vad != speech_) {
    speech_ = frame.vad;
    const std::uint64_t onset = frame.at - std::min<std::uint64_t>(frame.at, codec::kFrameSamples);
    tell(speech_ ? MediaEventKind::kVadOpened : MediaEventKind::kVadClosed,
         speech_ ? onset : frame.at, now);
  }
  if (!config_.vad_gate) {
    push_input(frame);
    return;
  }
  if (!frame.vad) {
    preroll_[(preroll_first_ + preroll_count_) % kPreroll] = frame;
    if (preroll_count_ < kPreroll) {
      ++preroll_count_;
    } else {
      preroll_first_ = (preroll_first_ + 1) % kPreroll;
    }
    return;
  }
  for (; preroll_count_ > 0; --preroll_count_) {
    push_input(preroll_[preroll_first_]);
    preroll_first_ = (preroll_first_ + 1) % kPreroll;
  }
  push_input(frame);
}

void MediaStreamCore::hear(SteadyTime now, const codec::Frame* bridged) {
  codec::Frame pcm;
  JitterBuffer::Played played;
  if (bridged != nullptr) {
    pcm = *bridged;
    played.real = true;
  } else {
    played = jitter_.pop(samples_at(now), pcm);
  }
  const EnergyVad::Verdict verdict = vad_.step(pcm, played.real && !played.concealed);
  HeardFrame frame;
  frame.at = clock_;
  frame.level_dbov = verdict.level_dbov;
  frame.vad = verdict.speech;
  frame.concealed = played.concealed;
  codec::mulaw_encode(pcm, frame.mulaw);
  heard_mulaw_ = frame.mulaw;
  hand_over(frame, now);
}

void MediaStreamCore::send_audio(const codec::Frame& pcm, const codec::MuFrame& mulaw,
                                 Output& out) {
  if (payload_size_ == 0) payload_time_ = config_.timestamp + static_cast<std::uint32_t>(clock_);
  const auto codes = std::span(payload_).subspan(payload_size_, codec::kFrameSamples);
  if (remote_.codec == Codec::kPcma) {
    codec::alaw_encode(pcm, codes);
  } else {
    std::ranges::copy(mulaw, codes.begin());
  }
  payload_size_ += codec::kFrameSamples;
  if (payload_size_ < remote_.frames_per_packet * codec::kFrameSamples) return;
  RtpPacket packet;
  packet.marker = std::exchange(mark_, false);
  packet.payload_type = remote_.payload_type;
  packet.sequence = config_.sequence++;
  packet.timestamp = payload_time_;
  packet.ssrc = config_.ssrc;
  packet.payload = ByteView(payload_).first(payload_size_);
  out.rtp_size = build_rtp(packet, out.rtp);
  octets_sent_ += static_cast<std::uint32_t>(payload_size_);
  payload_size_ = 0;
}

void MediaStreamCore::send_key(Output& out) {
  payload_size_ = 0;
  const auto key = keys_out_.next(config_.timestamp + static_cast<std::uint32_t>(clock_));
  if (!key) return;
  RtpPacket packet;
  packet.marker = key->marker;
  packet.payload_type = remote_.dtmf_payload_type;
  packet.sequence = config_.sequence++;
  packet.timestamp = key->timestamp;
  packet.ssrc = config_.ssrc;
  packet.payload = key->payload;
  out.rtp_size = build_rtp(packet, out.rtp);
  octets_sent_ += 4;
}

bool MediaStreamCore::tell_tap(RecordTap& tap, const codec::MuFrame& played) const {
  RecordFrame* const slot = tap.frames.claim();
  if (slot == nullptr) {
    tap.dropped.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  slot->at = clock_;
  slot->heard = heard_mulaw_;
  slot->played = played;
  tap.frames.publish();
  return true;
}

void MediaStreamCore::speak(SteadyTime now, Output& out) {
  const bool sending = remote_.port != 0 && may_send(remote_.direction);
  const bool keys = sending && keys_out_.busy();
  playout_.next({.at = clock_, .when = now, .may_play = config_.bridged || (sending && !keys)},
                out.pcm);
  codec::MuFrame played;
  codec::mulaw_encode(out.pcm, played);
  if (tap_ != nullptr && !tell_tap(*tap_, played)) ++stats_.record_dropped;
  if (monitor_ != nullptr) news_ = tell_tap(*monitor_, played) || news_;
  if (keys) {
    send_key(out);
  } else if (sending) {
    send_audio(out.pcm, played, out);
  }
  if (out.rtp_size > 0) ++stats_.packets_sent;
}

void MediaStreamCore::on_tick(SteadyTime now, Output& out, const codec::Frame* heard) {
  out.rtp_size = out.rtcp_size = 0;
  hear(now, heard);
  speak(now, out);
  if (const auto key = keys_in_.on_tick(clock_)) tell_key(*key, now);
  watch_silence(now);
  if (now >= next_rtcp_ && remote_.port != 0) {
    send_rtcp(now, false, out);
    next_rtcp_ = now + Milliseconds(2500 + random() % 5000);  // RFC 3550 §6.2: 5 s, 0.5–1.5 times
  }
  clock_ += codec::kFrameSamples;
  rings_.clock.store(clock_, std::memory_order_release);
  if (clock_ % kPublishEvery == 0) publish_stats();
}

void MediaStreamCore::fetch_state() const {
  rings_.play.fetch_counters();
  rings_.input.fetch_counters();
  fetch_ahead(&rings_.epoch, &rings_.ducked + 1);
  fetch_ahead(&rings_.clock, &rings_.started_ns + 1);
  fetch_ahead(&config_, &playout_ + 1);
  jitter_.fetch_state();
  fetch_ahead(&vad_, &heard_mulaw_ + 1);
  fetch_ahead(&preroll_first_, &speech_ + 1);
  fetch_ahead(payload_.data(), payload_.data() + codec::kFrameSamples);
  fetch_ahead(&payload_size_, &last_sr_at_ + 1);
}

void MediaStreamCore::fetch_frames() const {
  jitter_.fetch_sound();
  rings_.play.fetch_peek();
  rings_.input.fetch_claim();
  const HeardFrame* const quiet = &preroll_[(preroll_first_ + preroll_count_) % kPreroll];
  fetch_ahead(quiet, quiet + 1);
  if (tap_ != nullptr) tap_->frames.fetch_claim();
}

void MediaStreamCore::watch_silence(SteadyTime now) {
  if (config_.rtp_timeout == 0ms || timed_out_ || remote_.port == 0 ||
      !may_receive(remote_.direction) || now - last_packet_ < config_.rtp_timeout)
    return;
  timed_out_ = true;
  tell(MediaEventKind::kRtpTimeout, clock_, now);
}

std::uint64_t MediaStreamCore::ntp_at(SteadyTime now) const {
  const auto since = std::chrono::duration_cast<Microseconds>(now - started_);
  const auto us = static_cast<std::uint64_t>(
      (std::chrono::duration_cast<Microseconds>(started_utc_.time_since_epoch()) + since).count());
  return (us / 1'000'000 + kNtpEpoch) << 32 | ((us % 1'000'000) << 32) / 1'000'000;
}

void MediaStreamCore::send_rtcp(SteadyTime now, bool bye, Output& out) {
  RtcpReport report;
  report.ssrc = config_.ssrc;
  report.bye = bye;
  if (stats_.packets_sent > 0)
    report.sender = SenderInfo{.ntp = ntp_at(now),
                               .rtp = config_.timestamp + static_cast<std::uint32_t>(clock_),
                               .packets = static_cast<std::uint32_t>(stats_.packets_sent),
                               .octets = octets_sent_};
  if (has_ssrc_ && reception_.any()) {
    ReportBlock block = reception_.report();
    block.ssrc = remote_ssrc_;
    block.last_sr = last_sr_;
    const auto since = std::chrono::duration_cast<Microseconds>(now - last_sr_at_).count();
    if (last_sr_ != 0) block.delay = static_cast<std::uint32_t>(since * 65536 / 1'000'000);
    report.blocks[report.block_count++] = block;
  }
  out.rtcp_size = build_rtcp(report, {config_.cname.data(), config_.cname_size}, out.rtcp);
}

void MediaStreamCore::publish_stats() {
  const JitterCounts& counts = jitter_.counts();
  stats_.packets_lost = reception_.lost();
  stats_.packets_late = counts.late;
  stats_.packets_duplicate = counts.duplicate;
  stats_.frames_concealed = counts.concealed;
  stats_.jitter_ms = reception_.jitter() / 8;
  stats_.delay_target_ms = jitter_.target() / 8.0;
  const double all = static_cast<double>(stats_.packets_received + stats_.packets_lost);
  const double gone = static_cast<double>(stats_.packets_lost + stats_.packets_late);
  stats_.mos = mos_of(20 + stats_.delay_target_ms + stats_.rtt_ms / 2, all > 0 ? gone / all : 0);
  rings_.stats.store(stats_);
}

void MediaStreamCore::close(SteadyTime now, Output& out) {
  out.rtp_size = out.rtcp_size = 0;
  if (const auto key = keys_in_.on_tick(clock_ + 8000)) tell_key(*key, now);
  playout_.close({.at = clock_, .when = now});
  if (remote_.port != 0) send_rtcp(now, true, out);
  publish_stats();
  for (RecordTap* const tap : {std::exchange(tap_, nullptr), std::exchange(monitor_, nullptr)})
    if (tap != nullptr) tap->closed.store(true, std::memory_order_release);
  tell(MediaEventKind::kClosed, clock_, now);
}

}  // namespace yyc3::rtp
