#include "engine/telephony/rtp/media_thread.hpp"

#include <algorithm>
#include <array>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace yyc3::rtp {
using namespace std::chrono_literals;

namespace {

constexpr auto kWheel = 2500us;
constexpr auto kRest = 250us;  // of each bucket's time: a tenth, see MediaThread
constexpr auto kRound = 20ms;
constexpr auto kBehindMax = 60ms;  // later than this: ticks are left out instead of sent in a burst
constexpr std::size_t kDatagram = 1500;
constexpr std::uint64_t kRtcpBit = 1;    // streams are aligned, so their address's low bit is free
constexpr std::size_t kBridgeStart = 2;  // frames that wait before a browser's sound starts …
constexpr std::size_t kBridgeMost = 8;   // … and beyond which the oldest are let go, down to 3
constexpr std::size_t kBridgeKeep = 3;

bool watch(int epoll, int fd, std::uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

std::uint64_t tag_of(const StreamShared& stream) {
  return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&stream));
}

}  // namespace

Result<std::unique_ptr<MediaThread>> MediaThread::start(int core, bool realtime,
                                                        std::size_t streams, const Clock& clock,
                                                        RtpMetrics& metrics) {
  std::unique_ptr<MediaThread> self(new MediaThread(core, clock, metrics));
  const Result<void> ready = self->prepare(streams);
  if (!ready) return tl::unexpected<Error>(ready.error());
  self->thread_ = std::thread([raw = self.get(), realtime] { raw->run(realtime); });
  self->running_.wait(false);
  return self;
}

Result<void> MediaThread::prepare(std::size_t streams) {
  epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  if (epoll_.get() < 0)
    return fail(ErrorCode::kUnavailable, "media thread: no descriptor; raise ulimit -n");
  for (auto& bucket : buckets_) bucket.reserve(streams);
  return {};
}

MediaThread::~MediaThread() {
  stop_.store(true, std::memory_order_release);
  if (thread_.joinable()) thread_.join();
}

LoopLink* MediaThread::add_link(int bell) {
  const std::size_t index = link_count_.load(std::memory_order_relaxed);
  links_[index] = std::make_unique<LoopLink>();
  links_[index]->bell = bell;
  link_count_.store(index + 1, std::memory_order_release);
  return links_[index].get();
}

std::size_t MediaThread::load() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < link_count_.load(std::memory_order_acquire); ++i)
    sum += links_[i]->load.load(std::memory_order_relaxed);
  return sum;
}

void MediaThread::take_priority(bool realtime) {
  ::pthread_setname_np(::pthread_self(), "media");
  ::prctl(PR_SET_TIMERSLACK, 1UL);
  if (info_.core >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(info_.core), &set);
    if (::pthread_setaffinity_np(::pthread_self(), sizeof set, &set) != 0) info_.core = -1;
  }
  info_.priority = "normal";
  if (!realtime) return;
  sched_param param{};
  param.sched_priority = 10;
  if (::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &param) == 0) {
    info_.priority = "SCHED_FIFO 10";
  } else if (::pthread_setschedparam(::pthread_self(), SCHED_RR, &param) == 0) {
    info_.priority = "SCHED_RR 10";
  } else if (::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), -10) == 0) {
    info_.priority = "nice -10";
  }
}

void MediaThread::run(bool realtime) {
  take_priority(realtime);
  due_ = clock_.now() + kWheel;
  running_.store(true);
  running_.notify_all();
  while (!stop_.load(std::memory_order_acquire)) {
    wait_for_wheel();
    run_wheel();
    receive_all();
    ring_bells();
  }
}

/// The steady clock is CLOCK_MONOTONIC. A signal may wake it early: run_wheel() then does nothing.
void MediaThread::wait_for_wheel() const {
  const auto due = std::chrono::duration_cast<std::chrono::nanoseconds>(due_.time_since_epoch());
  const timespec at{.tv_sec = due.count() / 1'000'000'000, .tv_nsec = due.count() % 1'000'000'000};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

/// Until no socket is ready or it is time to rest; something is read in any case.
void MediaThread::receive_all() {
  std::size_t ready = 0;
  SteadyTime now = clock_.now();
  do {
    const int n = ::epoll_wait(epoll_.get(), events_.data(), kEvents, 0);
    ready = static_cast<std::size_t>(std::max(n, 0));
    for (std::size_t i = 0; i < ready; ++i) {
      const std::uint64_t tag = events_[i].data.u64;
      // NOLINTNEXTLINE(performance-no-int-to-ptr): what epoll hands back is what was given to it
      auto* const stream = reinterpret_cast<StreamShared*>(tag & ~kRtcpBit);
      receive(*stream, (tag & kRtcpBit) != 0, now);
    }
    now = clock_.now();
  } while (ready > 0 && now < due_ - kRest);
}

/// One datagram; epoll is level-triggered and names the socket again while there are more. A second
/// read that only learns there is none would cost a system call a packet.
void MediaThread::receive(StreamShared& stream, bool rtcp, SteadyTime now) {
  std::array<std::uint8_t, kDatagram> buffer;
  const int fd = rtcp ? stream.ports.rtcp.get() : stream.ports.rtp.get();
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const ssize_t n = ::recvfrom(fd, buffer.data(), buffer.size(), MSG_DONTWAIT,
                               reinterpret_cast<sockaddr*>(&from), &size);
  if (n < 0) return;  // also "refused": the far side's port is closed; the RTP time-out tells
  metrics_.received.add();
  const Address address{ntohl(from.sin_addr.s_addr), ntohs(from.sin_port)};
  const ByteView bytes = ByteView(buffer).first(static_cast<std::size_t>(n));
  if (!rtcp) {
    stream.core.on_packet(bytes, address, now);
  } else if (address.ip == stream.core.destination().ip) {
    stream.core.on_rtcp(bytes, now);
  }
  if (!rtcp) follow_remote(stream);
  if (stream.core.take_news()) notify(stream);
}

void MediaThread::run_wheel() {
  SteadyTime now = clock_.now();
  // One round at most: a core that cannot even send in time still reads, and stops when told to.
  for (std::size_t n = 0; due_ <= now && n < kBuckets; ++n) {
    catch_up(now);
    attach_new();
    tick_bucket(due_);
    bucket_ = (bucket_ + 1) % kBuckets;
    due_ += kWheel;
    now = clock_.now();
  }
}

/// Held up for long (a stopped process, a stolen core): whole rounds are left out, so the far side
/// gets no burst and every clock stays on the wall.
void MediaThread::catch_up(SteadyTime now) {
  if (now - due_ < kBehindMax) return;
  const auto rounds = (now - due_) / kRound;
  due_ += rounds * kRound;
  for (const auto& bucket : buckets_)
    for (StreamShared* const stream : bucket) {
      stream->core.skip_ticks(static_cast<std::uint32_t>(rounds));
      metrics_.skipped_ticks.add(static_cast<std::uint64_t>(rounds));
    }
}

void MediaThread::tick_bucket(SteadyTime due) {
  auto& bucket = buckets_[bucket_];
  for (std::size_t i = 0; i < bucket.size();) {
    StreamShared& stream = *bucket[i];
    if (i + 2 < bucket.size()) bucket[i + 2]->fetch_ahead();
    if (i + 1 < bucket.size()) bucket[i + 1]->core.fetch_frames();
    const SteadyTime now = clock_.now();
    if (stream.closing.load(std::memory_order_acquire)) {
      bucket[i] = bucket.back();
      bucket.pop_back();
      detach(stream, now);
      continue;
    }
    obey(stream, now);
    tick(stream, now);
    if (output_.rtp_size > 0)
      metrics_.lateness.observe(std::chrono::duration<double>(clock_.now() - due).count());
    ++i;
  }
}

void MediaThread::attach_new() {
  for (std::size_t i = 0; i < link_count_.load(std::memory_order_acquire); ++i) {
    StreamShared* stream = nullptr;
    while (links_[i]->adds.pop(stream)) attach(*stream, *links_[i]);
  }
}

void MediaThread::attach(StreamShared& stream, LoopLink& link) {
  const auto least =
      std::min_element(buckets_.begin(), buckets_.end(),
                       [](const auto& a, const auto& b) { return a.size() < b.size(); });
  least->push_back(&stream);  // within what was reserved
  stream.core.begin(due_, clock_.utc());
  link.load.fetch_add(1, std::memory_order_relaxed);
  metrics_.streams.add();
  if (stream.bridge) return;
  watch(epoll_.get(), stream.ports.rtp.get(), tag_of(stream));
  watch(epoll_.get(), stream.ports.rtcp.get(), tag_of(stream) | kRtcpBit);
}

void MediaThread::detach(StreamShared& stream, SteadyTime now) {
  obey(stream, now);
  stream.core.close(now, output_);
  transmit(stream);
  count(stream);
  if (!stream.bridge) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, stream.ports.rtp.get(), nullptr);
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, stream.ports.rtcp.get(), nullptr);
  }
  stream.link->load.fetch_sub(1, std::memory_order_relaxed);
  metrics_.streams.sub();
  notify(stream);
  stream.detached.store(true, std::memory_order_release);  // from here on it is the call loop's
}

void MediaThread::obey(StreamShared& stream, SteadyTime now) {
  MediaCommand command;
  while (stream.rings.commands.pop(command)) {
    switch (command.kind) {
      case MediaCommand::Kind::kRemote:
        stream.core.set_remote(command.remote, now);
        follow_remote(stream);
        break;
      case MediaCommand::Kind::kRecord:
        stream.core.record(command.tap);
        break;
      case MediaCommand::Kind::kMonitor:
        stream.core.monitor(command.tap);
        break;
      case MediaCommand::Kind::kDtmf:
        stream.core.send_dtmf({command.digits.data(), command.digit_count});
        break;
    }
  }
}

/// The socket is connected to the far side exactly while that is known.
void MediaThread::follow_remote(StreamShared& stream) {
  const bool latched = stream.core.latched();
  if (!latched && !stream.connected) return;
  const Address to = stream.core.destination();
  if (latched && stream.connected && to == stream.sent_to) return;
  if (stream.connected) connect_udp(stream.ports.rtp.get(), nullptr);
  stream.connected = latched && connect_udp(stream.ports.rtp.get(), &to);
  stream.sent_to = to;
}

void MediaThread::transmit(StreamShared& stream) {
  if (stream.bridge) return;
  if (output_.rtp_size > 0) {
    const Address to = stream.core.destination();
    const bool sent =
        send_udp(stream.ports.rtp.get(), ByteView(output_.rtp).first(output_.rtp_size),
                 stream.connected ? nullptr : &to);
    (sent ? metrics_.sent : metrics_.send_errors).add();
  }
  if (output_.rtcp_size > 0) {
    const Address to = stream.core.rtcp_destination();
    send_udp(stream.ports.rtcp.get(), ByteView(output_.rtcp).first(output_.rtcp_size), &to);
  }
}

void MediaThread::tick(StreamShared& stream, SteadyTime now) {
  if (stream.bridge) {
    tick_bridge(stream, now);
  } else {
    stream.core.on_tick(now, output_);
    transmit(stream);
  }
  if (stream.core.clock() % (50 * codec::kFrameSamples) == 0) count(stream);
  if (stream.core.take_news()) notify(stream);
}

void MediaThread::tick_bridge(StreamShared& stream, SteadyTime now) {
  BridgeRings& bridge = *stream.bridge;
  const std::size_t waiting = bridge.inbound.size();
  if (waiting > kBridgeMost)
    for (std::size_t i = kBridgeKeep; i < waiting; ++i) bridge.inbound.drop();
  stream.primed = stream.primed ? waiting > 0 : waiting >= kBridgeStart;
  stream.core.on_tick(now, output_, stream.primed ? bridge.inbound.peek() : nullptr);
  if (stream.primed) bridge.inbound.drop();
  if (!bridge.outbound.push(output_.pcm)) return;  // nobody takes it: the browser is away
  ring_bell(bridge.outbound_bell.get());
}

void MediaThread::count(StreamShared& stream) {
  const StreamStats& now = stream.core.stats();
  metrics_.input_dropped.add(now.input_dropped - stream.counted.input_dropped);
  metrics_.record_dropped.add(now.record_dropped - stream.counted.record_dropped);
  metrics_.events_dropped.add(now.events_dropped - stream.counted.events_dropped);
  metrics_.underruns.add(now.underruns - stream.counted.underruns);
  stream.counted = now;
}

void MediaThread::notify(StreamShared& stream) {
  stream.link->news = true;
  if (!stream.ready.exchange(true, std::memory_order_acq_rel)) stream.link->ready.push(&stream);
}

void MediaThread::ring_bells() {
  for (std::size_t i = 0; i < link_count_.load(std::memory_order_acquire); ++i) {
    if (!links_[i]->news) continue;
    links_[i]->news = false;
    ring_bell(links_[i]->bell);
  }
}

}  // namespace yyc3::rtp
