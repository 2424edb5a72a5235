// N G.711 calls both ways with energy VAD and recording on one pinned media thread, timed at the
// receiver: another process that echoes every packet and takes its arrival from the kernel
// (SO_TIMESTAMPNS). Beside it, in the same run, a bare loop that sends and receives as many packets
// and does nothing else. media_bench --calls 2000 --seconds 20 [--core 0] [--no-recording]
// [--no-realtime]. Ends with a line PASS or MISS for each target, exit 1 on a miss.
#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <poll.h>
#include <sched.h>
#include <string>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <thread>
#include <time.h>
#include <unistd.h>
#include <vector>

#include "base/clock.hpp"
#include "engine/telephony/recording/recorder.hpp"
#include "engine/telephony/rtp/media_engine.hpp"
#include "engine/telephony/rtp/packet.hpp"
#include "engine/telephony/rtp/udp.hpp"
#include "platform/security/key_provider.hpp"

using namespace yyc3;
using namespace yyc3::rtp;

namespace {

constexpr std::uint32_t kLoopback = 0x7F000001;
constexpr int kPhones = 32;  ///< sockets of the far side; calls share them

struct Options {
  int calls = 2000;
  int seconds = 20;
  int core = 0;
  bool recording = true;
  bool realtime = true;
};

struct Shared {
  std::atomic<bool> stop{false};
  std::atomic<bool> measure{false};
  std::atomic<int> ready{0};
  std::uint16_t ports[kPhones];
  std::atomic<std::uint64_t> packets{0};
  // arrival against the best line of its call (earliest packet), in 50 us steps
  std::atomic<std::uint64_t> lateness[4000];
};

void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(core), &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

std::int64_t kernel_time(const msghdr& message) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr;
       c = CMSG_NXTHDR(const_cast<msghdr*>(&message), c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      timespec at{};
      std::memcpy(&at, CMSG_DATA(c), sizeof at);
      return at.tv_sec * 1'000'000'000LL + at.tv_nsec;
    }
  return 0;
}

/// Each call's schedule is its RTP time; its offset is the earliest arrival, kept over the run and
/// re-based whenever an earlier packet comes, so what is counted is delay over the best case.
struct Line {
  bool known = false;
  std::int64_t best = 0;
};

void judge(Shared& shared, Line& line, std::int64_t arrival, std::uint32_t timestamp,
           std::uint32_t base) {
  const std::int64_t offset = arrival - static_cast<std::int64_t>(timestamp - base) * 125'000;
  if (!line.known || offset < line.best) {
    line.best = offset;
    line.known = true;
  }
  if (!shared.measure.load(std::memory_order_relaxed)) return;
  const auto step =
      static_cast<std::size_t>(std::min<std::int64_t>((offset - line.best) / 50'000, 3999));
  shared.lateness[step].fetch_add(1, std::memory_order_relaxed);
}

/// The far side: echoes, and judges arrivals.
void far_side(Shared& shared, int core, std::uint32_t start) {
  pin(core);
  std::vector<PortPair> phones;
  const int epoll = ::epoll_create1(0);
  for (int i = 0; i < kPhones; ++i) {
    PortPair pair =
        std::move(*bind_pair(kLoopback, 40'000, 44'999, start + static_cast<std::uint32_t>(i)));
    const int on = 1;
    const int buffer = 8 << 20;
    ::setsockopt(pair.rtp.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    ::setsockopt(pair.rtp.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    epoll_event event{.events = EPOLLIN, .data = {.u32 = static_cast<std::uint32_t>(i)}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, pair.rtp.get(), &event);
    shared.ports[i] = pair.port;
    phones.push_back(std::move(pair));
  }
  shared.ready = 1;
  std::vector<Line> lines(65536);
  std::vector<std::uint32_t> bases(65536);
  std::vector<std::uint8_t> packet(2000);
  char control[256];
  while (!shared.stop) {
    epoll_event events[kPhones];
    const int n = ::epoll_wait(epoll, events, kPhones, 50);
    for (int i = 0; i < n; ++i) {
      const int fd = phones[events[i].data.u32].rtp.get();
      for (int k = 0; k < 64; ++k) {
        sockaddr_in from{};
        iovec vector{packet.data(), packet.size()};
        msghdr message{.msg_name = &from,
                       .msg_namelen = sizeof from,
                       .msg_iov = &vector,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control,
                       .msg_flags = 0};
        const ssize_t size = ::recvmsg(fd, &message, MSG_DONTWAIT);
        if (size < 12) break;
        shared.packets.fetch_add(1, std::memory_order_relaxed);
        const ByteView bytes(packet.data(), static_cast<std::size_t>(size));
        const std::uint16_t port = ntohs(from.sin_port);
        const std::uint32_t timestamp = read_u32(bytes, 4);
        if (!lines[port].known) bases[port] = timestamp;
        judge(shared, lines[port], kernel_time(message), timestamp, bases[port]);
        ::sendto(fd, packet.data(), static_cast<std::size_t>(size), MSG_DONTWAIT,
                 reinterpret_cast<sockaddr*>(&from), sizeof from);
      }
    }
  }
}

double cpu_seconds(int who) {
  rusage use{};
  ::getrusage(who, &use);
  return static_cast<double>(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
         static_cast<double>(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

long rss_kb() {
  std::ifstream file("/proc/self/statm");
  long size = 0;
  long resident = 0;
  file >> size >> resident;
  return resident * 4;
}

double load_average() {
  double value = 0;
  return ::getloadavg(&value, 1) == 1 ? value : -1;
}

struct Figures {
  double cpu = 0;                              ///< of one core, all threads of this process
  double p50 = 0, p99 = 0, p999 = 0, max = 0;  ///< ms
  std::uint64_t packets = 0;
};

Figures figures_of(Shared& shared, double cpu) {
  Figures f;
  f.cpu = cpu;
  for (const auto& count : shared.lateness) f.packets += count.load();
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < 4000; ++i) {
    const std::uint64_t here = shared.lateness[i].load();
    if (here == 0) continue;
    seen += here;
    const double ms = static_cast<double>(i + 1) * 0.05;
    const auto part = static_cast<double>(seen) / static_cast<double>(f.packets);
    if (f.p50 == 0 && part >= 0.5) f.p50 = ms;
    if (f.p99 == 0 && part >= 0.99) f.p99 = ms;
    if (f.p999 == 0 && part >= 0.999) f.p999 = ms;
    f.max = ms;
  }
  return f;
}

void clear(Shared& shared) {
  for (auto& count : shared.lateness) count = 0;
}

void print(const char* name, const Figures& f, const Options& o) {
  const double ideal = static_cast<double>(o.calls) * 50 * o.seconds;
  std::printf(
      "%-8s %6d calls  cpu %5.1f %%  %5.2f us/packet  arrival - schedule p50 %.2f p99 %.2f "
      "p99.9 %.2f max %.2f ms  packets %.2f %%\n",
      name, o.calls, f.cpu * 100 / o.seconds, f.cpu * 1e6 / (2 * ideal), f.p50, f.p99, f.p999,
      f.max, 100 * static_cast<double>(f.packets) / ideal);
}

/// The bare loop: as many sockets, the same wheel, nothing but send and recv.
Figures bare(Shared& shared, const Options& o, int prio_core) {
  Figures result;
  std::thread loop([&] {
    pin(prio_core);
    sched_param param{.sched_priority = 10};
    ::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &param);
    std::vector<PortPair> sockets;
    const int epoll = ::epoll_create1(0);
    for (int i = 0; i < o.calls; ++i) {
      sockets.push_back(
          std::move(*bind_pair(kLoopback, 50'000, 59'999, static_cast<std::uint32_t>(i))));
      const Address to{kLoopback, shared.ports[i % kPhones]};
      connect_udp(sockets.back().rtp.get(), &to);
      epoll_event event{.events = EPOLLIN, .data = {.fd = sockets.back().rtp.get()}};
      ::epoll_ctl(epoll, EPOLL_CTL_ADD, sockets.back().rtp.get(), &event);
    }
    SystemClock clock;
    Bytes packet(172, 0xFF);
    Bytes buffer(2000);
    const int ticks = (o.seconds + 2) * 200;
    SteadyTime due = clock.now();
    double began = 0;
    for (int tick = 0; tick < ticks; ++tick, due += Milliseconds(5)) {
      if (tick == 400) {
        began = cpu_seconds(RUSAGE_THREAD);
        shared.measure = true;
      }
      for (std::size_t i = static_cast<std::size_t>(tick % 4); i < sockets.size(); i += 4) {
        write_u16(packet, 0, 0x8000);
        write_u32(packet, 4, static_cast<std::uint32_t>(tick / 4) * 160);
        send_udp(sockets[i].rtp.get(), packet, nullptr);
      }
      while (true) {
        const auto left =
            std::chrono::duration_cast<Milliseconds>(due + Milliseconds(5) - clock.now());
        epoll_event events[64];
        const int n =
            ::epoll_wait(epoll, events, 64, std::max<int>(static_cast<int>(left.count()), 0));
        for (int i = 0; i < n; ++i)
          while (::recv(events[i].data.fd, buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) {
          }
        if (clock.now() >= due + Milliseconds(5)) break;
      }
    }
    shared.measure = false;
    result.cpu = cpu_seconds(RUSAGE_THREAD) - began;
    ::close(epoll);
  });
  loop.join();
  return figures_of(shared, result.cpu);
}

PlayFrame tone(std::uint32_t utterance, std::uint32_t n) {
  PlayFrame frame;
  frame.utterance = utterance;
  frame.offset = n * 160;
  for (std::size_t i = 0; i < 160; ++i)
    frame.pcm[i] = static_cast<std::int16_t>((i * 37 + n * 11) % 8000);
  return frame;
}

struct Plane {
  std::unique_ptr<MediaEngine> engine;
  LoopPort* loop = nullptr;
  std::vector<std::unique_ptr<MediaStream>> streams;
  std::vector<std::uint32_t> queued;
  std::uint64_t heard = 0;
};

/// What a call loop does: fetches what is heard, keeps a second of sound queued.
void serve(Plane& plane, const Clock& clock, SteadyTime until) {
  InputFrame frame;
  MediaEvent event;
  SteadyTime fill = clock.now();
  while (clock.now() < until) {
    pollfd bell{.fd = plane.loop->wake_fd(), .events = POLLIN, .revents = 0};
    ::poll(&bell, 1, 20);
    plane.loop->acknowledge();
    while (MediaStream* const stream = plane.loop->next_ready()) {
      while (stream->next_input(frame)) ++plane.heard;
      while (stream->next_event(event)) {
      }
    }
    if (clock.now() < fill) continue;
    fill += Milliseconds(200);
    for (std::size_t i = 0; i < plane.streams.size(); ++i)
      while (plane.streams[i]->queued() < 40) {
        plane.streams[i]->queue(tone(1, plane.queued[i]));
        ++plane.queued[i];
      }
  }
}

bool open_calls(Plane& plane, const Shared& shared, const Options& o, recording::Recorder& recorder,
                std::vector<RecordingId>& ids) {
  SystemClock clock;
  for (int i = 0; i < o.calls; ++i) {
    auto stream = plane.loop->open({});
    if (!stream) {
      std::fprintf(stderr, "call %d: %s\n", i, stream.error().detail.c_str());
      return false;
    }
    RemoteMedia remote;
    remote.ip = "127.0.0.1";
    remote.port = shared.ports[i % kPhones];
    if (!(*stream)->set_remote(remote)) return false;
    if (o.recording) {
      const auto begun = recorder.begin(RecordingId::make(clock), "bench");
      if (!begun || !(*stream)->record(begun->tap)) return false;
      ids.push_back(begun->id);
    }
    plane.streams.push_back(std::move(*stream));
    plane.queued.push_back(0);
  }
  return true;
}

/// What a run is judged by.
struct Verdict {
  double p99_ms = 0;  ///< bucket that holds it: departure - schedule is at most this; -1: beyond
  std::uint64_t lost = 0;  ///< packets, ticks, frames and recordings that did not come through
};

double report_departures(const telemetry::Histogram& departure,
                         const std::vector<std::uint64_t>& at_start) {
  std::uint64_t all = 0;
  for (std::size_t i = 0; i <= departure.bounds().size(); ++i)
    all += departure.bucket(i) - at_start[i];
  std::uint64_t seen = 0;
  double p99 = -1;
  std::printf("departure - schedule in the engine:");
  for (std::size_t i = 0; i < departure.bounds().size(); ++i) {
    seen += departure.bucket(i) - at_start[i];
    const double ms = departure.bounds()[i] * 1000;
    if (p99 < 0 && all > 0 && seen * 100 >= all * 99) p99 = ms;
    std::printf(" <=%gms %.3f%%", ms, 100 * static_cast<double>(seen) / static_cast<double>(all));
    if (seen == all) break;
  }
  return p99;
}

Verdict report_engine(Plane& plane, telemetry::Registry& registry,
                      const telemetry::Histogram& departure,
                      const std::vector<std::uint64_t>& at_start) {
  Verdict verdict;
  verdict.p99_ms = report_departures(departure, at_start);
  const std::uint64_t skipped = registry
                                    .counter("yyc3_rtp_skipped_ticks_total",
                                             "20 ms ticks left out because a media thread was "
                                             "held up")
                                    .value();
  std::printf("\nticks left out since the start: %lu", skipped);
  StreamStats sum;
  for (const auto& stream : plane.streams) {
    const StreamStats s = stream->stats();
    sum.packets_lost += s.packets_lost;
    sum.packets_received += s.packets_received;
    sum.packets_sent += s.packets_sent;
    sum.record_dropped += s.record_dropped;
    sum.input_dropped += s.input_dropped;
    sum.underruns += s.underruns;
  }
  std::printf(
      "\nsent %lu; echo back: received %lu, lost %lu; recorder dropped %lu, input dropped %lu, "
      "underruns %lu; heard frames %lu\n",
      sum.packets_sent, sum.packets_received, sum.packets_lost, sum.record_dropped,
      sum.input_dropped, sum.underruns, plane.heard);
  std::printf("media thread: core %d, %s; load average after: %.2f\n",
              plane.engine->threads()[0].core, plane.engine->threads()[0].priority.c_str(),
              load_average());
  verdict.lost =
      skipped + sum.packets_lost + sum.record_dropped + sum.input_dropped + sum.underruns;
  return verdict;
}

/// The two targets, each on a line; true when both hold.
bool judge_run(const Verdict& verdict) {
  constexpr double kP99MaxMs = 3;
  const bool punctual = verdict.p99_ms >= 0 && verdict.p99_ms <= kP99MaxMs;
  const std::string p99 =
      verdict.p99_ms < 0 ? "beyond all buckets" : fmt::format("at most {} ms", verdict.p99_ms);
  std::printf("%s  p99 of (departure - schedule): %s, target <= %g ms\n",
              punctual ? "PASS" : "MISS", p99.c_str(), kP99MaxMs);
  std::printf("%s  nothing lost: %lu packets, ticks, frames or recordings, target 0\n",
              verdict.lost == 0 ? "PASS" : "MISS", verdict.lost);
  return punctual && verdict.lost == 0;
}

void raise_file_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

std::unique_ptr<MediaEngine> start_engine(const Options& o, const Clock& clock,
                                          telemetry::Registry& registry) {
  MediaConfig config;
  config.cores = {o.core};
  config.realtime = o.realtime;
  config.port_first = 20'000;
  config.port_last = 39'999;
  auto engine = MediaEngine::start(config, clock, registry);
  if (engine) return std::move(*engine);
  std::fprintf(stderr, "%s\n", engine.error().detail.c_str());
  return nullptr;
}

int run(const Options& o) {
  raise_file_limit();
  auto* const shared = new (::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                                   MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Shared;
  const pid_t child = ::fork();
  const int other = o.core == 0 ? 1 : 0;
  if (child == 0) {
    far_side(*shared, other, static_cast<std::uint32_t>(::getpid()));
    ::_exit(0);
  }
  while (shared->ready == 0) ::usleep(1000);
  std::printf("load average before: %.2f on %ld cores\n", load_average(),
              ::sysconf(_SC_NPROCESSORS_ONLN));
  const Figures floor = bare(*shared, o, o.core);
  print("bare", floor, o);
  clear(*shared);

  pin(other);  // this thread (the call loop) and the recorder stay off the media core
  char name[] = "/tmp/yyc3-media-bench-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name);
  SystemClock clock;
  telemetry::Registry registry;
  telemetry::NullLog log;
  security::KeyText master = *security::KeyText::parse(std::string(64, '5'));
  security::TenantKeys keys(master);
  if (!keys.load(keys.wrap_new("bench"))) return 1;
  auto blobs = std::move(*storage::FolderBlobs::open(folder / "blobs"));
  std::atomic<std::uint64_t> stored{0};
  auto recorder = std::move(*recording::Recorder::start(
      {.spool = folder / "spool"},
      {master.master().derive("spool"), keys, *blobs, clock, registry, log},
      [&](const recording::FinishedRecording& f) {
        stored += f.error.empty() ? 1 : 0;
        return Result<void>();
      }));
  Plane plane;
  plane.engine = start_engine(o, clock, registry);
  if (!plane.engine) return 1;
  plane.loop = &plane.engine->add_loop();
  const long before = rss_kb();
  std::vector<RecordingId> ids;
  if (!open_calls(plane, *shared, o, *recorder, ids)) return 1;
  serve(plane, clock, clock.now() + std::chrono::seconds(4));
  telemetry::Histogram& departure = registry.histogram(
      "yyc3_rtp_departure_lateness_seconds", "Departure of a packet after its scheduled time",
      {0.00025, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5});
  std::vector<std::uint64_t> at_start;
  for (std::size_t i = 0; i <= departure.bounds().size(); ++i)
    at_start.push_back(departure.bucket(i));
  clear(*shared);
  shared->measure = true;
  const double cpu = cpu_seconds(RUSAGE_SELF);
  serve(plane, clock, clock.now() + std::chrono::seconds(o.seconds));
  shared->measure = false;
  const Figures full = figures_of(*shared, cpu_seconds(RUSAGE_SELF) - cpu);
  print("engine", full, o);
  std::printf("         (engine cpu: media thread + call loop + recorder; ratio to bare %.2f)\n",
              full.cpu / floor.cpu);
  Verdict verdict = report_engine(plane, registry, departure, at_start);
  std::printf("memory: %zu B a stream (with its tap) by sizeof; RSS grew %ld KB = %.1f KB a call\n",
              MediaEngine::bytes_per_stream(), rss_kb() - before,
              static_cast<double>(rss_kb() - before) / o.calls);
  plane.streams.clear();
  for (const RecordingId& id : ids) recorder->finish(id);
  plane.engine.reset();
  recorder.reset();
  std::printf("recordings stored: %lu of %zu\n", stored.load(), ids.size());
  shared->stop = true;
  ::waitpid(child, nullptr, 0);
  std::filesystem::remove_all(folder);
  verdict.lost += ids.size() - stored.load();
  return judge_run(verdict) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--no-recording") {
      options.recording = false;
    } else if (name == "--no-realtime") {
      options.realtime = false;
    } else if (i + 1 < argc && name == "--calls") {
      options.calls = std::atoi(argv[++i]);
    } else if (i + 1 < argc && name == "--seconds") {
      options.seconds = std::atoi(argv[++i]);
    } else if (i + 1 < argc && name == "--core") {
      options.core = std::atoi(argv[++i]);
    } else {
      std::fprintf(stderr,
                   "media_bench --calls N(1-4096) --seconds N --core N [--no-recording] "
                   "[--no-realtime]\n");
      return 2;
    }
  }
  if (options.calls < 1 || options.calls > 4096 || options.seconds < 1 || options.seconds > 3600) {
    std::fprintf(stderr, "--calls must be 1 to 4096, --seconds 1 to 3600\n");
    return 2;
  }
  return run(options);
}
