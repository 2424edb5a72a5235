#include "engine/telephony/rtp/media_engine.hpp"

#include <algorithm>
#include <atomic>
#include <sys/random.h>
#include <unordered_map>

#include "engine/telephony/rtp/media_thread.hpp"
#include "engine/telephony/rtp/rtp_metrics.hpp"
#include "engine/telephony/rtp/stream_shared.hpp"

namespace yyc3::rtp {

namespace {

Result<void> check(const MediaConfig& c) {
  if (c.cores.empty() || c.cores.size() > 64)
    return fail(ErrorCode::kInvalid, "media cores: 1 to 64 must be given");
  if (c.port_first % 2 != 0 || c.port_last % 2 != 1 || c.port_first < 1024 ||
      c.port_last < c.port_first)
    return fail(ErrorCode::kInvalid,
                "rtp ports: the first must be even and ≥ 1024, the last odd and above it");
  if (c.streams_max < 1 || c.streams_max > LoopLink::kStreams)
    return fail(ErrorCode::kInvalid, "media streams_max: must be 1 to 4096");
  return {};
}

template <class T>
T random_value() {
  T value{};
  // The pool never runs dry once seeded, and a short read of 8 bytes does not exist.
  while (::getrandom(&value, sizeof value, 0) != static_cast<ssize_t>(sizeof value)) {
  }
  return value;
}

}  // namespace

struct LoopPort::Impl {
  const MediaConfig* config = nullptr;
  std::uint32_t bind_ip = 0;
  std::atomic<std::uint32_t>* next_pair = nullptr;  ///< of the engine: ports are used in turn
  Fd bell;
  std::vector<LoopLink*> links;  ///< one a media thread
  std::vector<const MediaThread*> threads;
  std::size_t next_link = 0;  ///< where next_ready looks first
  std::unordered_map<StreamShared*, std::unique_ptr<StreamShared>> streams;

  [[nodiscard]] LoopLink* least_loaded() const {
    std::size_t best = 0;
    for (std::size_t i = 1; i < threads.size(); ++i)
      if (threads[i]->load() < threads[best]->load()) best = i;
    return links[best];
  }
};

LoopPort::LoopPort(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LoopPort::~LoopPort() = default;
int LoopPort::wake_fd() const { return impl_->bell.get(); }
std::size_t LoopPort::streams() const { return impl_->streams.size(); }

Result<std::unique_ptr<MediaStream>> LoopPort::open(const StreamConfig& config) {
  if (impl_->streams.size() >= impl_->config->streams_max)
    return fail(ErrorCode::kBusy, "media: streams_max is reached");
  MediaStreamCore::Config core;
  core.ssrc = random_value<std::uint32_t>();
  core.sequence = random_value<std::uint16_t>() & 0x7FFF;  // RFC 3550 §5.1: away from the wrap
  core.timestamp = random_value<std::uint32_t>();
  core.rtp_timeout = impl_->config->rtp_timeout;
  core.vad_gate = config.vad_gate;
  core.bridged = config.kind == StreamKind::kBridged;
  core.cname_size = std::min(config.cname.size(), core.cname.size());
  std::copy_n(config.cname.begin(), core.cname_size, core.cname.begin());
  auto shared = std::make_unique<StreamShared>(core);
  if (core.bridged) {
    shared->bridge = std::make_unique<BridgeRings>();
    Result<Fd> bell = make_eventfd();
    if (!bell) return tl::unexpected<Error>(bell.error());
    shared->bridge->outbound_bell = std::move(*bell);
  } else {
    Result<PortPair> ports = bind_pair(impl_->bind_ip, impl_->config->port_first,
                                       impl_->config->port_last, impl_->next_pair->fetch_add(1));
    if (!ports) return tl::unexpected<Error>(ports.error());
    shared->ports = std::move(*ports);
  }
  shared->tag = config.tag;
  shared->link = impl_->least_loaded();
  std::unique_ptr<MediaStream> handle(new MediaStream(*shared));
  shared->handle = handle.get();
  StreamShared* const raw = shared.get();
  impl_->streams.emplace(raw, std::move(shared));
  raw->link->adds.push(raw);  // never full: streams_max ≤ its slots
  return handle;
}

void LoopPort::acknowledge() {
  hush_bell(impl_->bell.get());
  std::erase_if(impl_->streams, [](const auto& entry) {
    const StreamShared& s = *entry.first;
    return s.handle == nullptr && s.detached.load(std::memory_order_acquire) &&
           !s.ready.load(std::memory_order_acquire);
  });
}

MediaStream* LoopPort::next_ready() {
  for (std::size_t i = 0; i < impl_->links.size(); ++i) {
    LoopLink& link = *impl_->links[(impl_->next_link + i) % impl_->links.size()];
    StreamShared* stream = nullptr;
    while (link.ready.pop(stream)) {
      // Exchanged on both sides: either we see what was pushed before the flag was raised again,
      // or the media thread sees it lowered and names the stream once more.
      stream->ready.exchange(false, std::memory_order_acq_rel);
      if (stream->handle != nullptr) return stream->handle;
    }
  }
  return nullptr;
}

struct MediaEngine::Impl {
  Impl(MediaConfig c, telemetry::Registry& registry) : config(std::move(c)), metrics(registry) {}

  MediaConfig config;
  RtpMetrics metrics;
  std::uint32_t bind_ip = 0;
  std::atomic<std::uint32_t> next_pair{0};
  std::vector<std::unique_ptr<LoopPort>> ports;  // outlive the threads: they hold the streams
  std::vector<std::unique_ptr<MediaThread>> threads;
};

MediaEngine::MediaEngine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MediaEngine::~MediaEngine() = default;

Result<std::unique_ptr<MediaEngine>> MediaEngine::start(MediaConfig config, const Clock& clock,
                                                        telemetry::Registry& registry) {
  const Result<void> valid = check(config);
  if (!valid) return tl::unexpected<Error>(valid.error());
  const Result<std::uint32_t> ip = parse_ipv4(config.bind_ip);
  if (!ip) return fail(ErrorCode::kInvalid, "media bind_ip: " + ip.error().detail);
  auto impl = std::make_unique<Impl>(std::move(config), registry);
  impl->bind_ip = *ip;
  impl->next_pair = random_value<std::uint16_t>();
  for (const int core : impl->config.cores) {
    auto thread = MediaThread::start(core, impl->config.realtime,
                                     MediaThread::kLinks * impl->config.streams_max / 16, clock,
                                     impl->metrics);
    if (!thread) return tl::unexpected<Error>(thread.error());
    impl->threads.push_back(std::move(*thread));
  }
  return std::unique_ptr<MediaEngine>(new MediaEngine(std::move(impl)));
}

LoopPort& MediaEngine::add_loop() {
  auto port = std::make_unique<LoopPort::Impl>();
  port->config = &impl_->config;
  port->bind_ip = impl_->bind_ip;
  port->next_pair = &impl_->next_pair;
  Result<Fd> bell = make_eventfd();
  if (!bell || impl_->ports.size() >= MediaThread::kLinks)
    throw std::runtime_error("media: no more call loops can be served");  // start-up only
  port->bell = std::move(*bell);
  for (const auto& thread : impl_->threads) {
    port->links.push_back(thread->add_link(port->bell.get()));
    port->threads.push_back(thread.get());
  }
  impl_->ports.push_back(std::unique_ptr<LoopPort>(new LoopPort(std::move(port))));
  return *impl_->ports.back();
}

std::vector<MediaThreadInfo> MediaEngine::threads() const {
  std::vector<MediaThreadInfo> out;
  for (const auto& thread : impl_->threads) out.push_back(thread->info());
  return out;
}

std::size_t MediaEngine::bytes_per_stream() { return sizeof(StreamShared) + sizeof(RecordTap); }

}  // namespace yyc3::rtp
