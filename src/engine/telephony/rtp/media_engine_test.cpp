#include "engine/telephony/rtp/media_engine.hpp"

#include <arpa/inet.h>
#include <cmath>
#include <doctest/doctest.h>
#include <functional>
#include <map>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "engine/telephony/codec/level.hpp"
#include "engine/telephony/rtp/packet.hpp"
#include "engine/telephony/rtp/rtcp.hpp"
#include "engine/telephony/rtp/udp.hpp"

using namespace yyc3;
using namespace yyc3::rtp;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kLoopback = 0x7F000001;

/// An engine, one call loop and what its streams said.
struct House {
  explicit House(Milliseconds timeout = 30'000ms, std::uint16_t first = 24'000) {
    MediaConfig config;
    config.port_first = first;
    config.port_last = static_cast<std::uint16_t>(first + 1999);
    config.rtp_timeout = timeout;
    engine = std::move(*MediaEngine::start(config, clock, registry));
    loop = &engine->add_loop();
  }

  std::unique_ptr<MediaStream> open(bool gate = false, StreamKind kind = StreamKind::kRtp) {
    auto stream = loop->open({.kind = kind, .vad_gate = gate});
    REQUIRE(stream);
    return std::move(*stream);
  }

  /// Runs the call loop until `done` or 10 s have passed.
  bool until(const std::function<bool()>& done) {
    const SteadyTime end = clock.now() + 10s;
    bool reached = done();
    for (; !reached && clock.now() < end; reached = done()) {
      pollfd bell{.fd = loop->wake_fd(), .events = POLLIN, .revents = 0};
      ::poll(&bell, 1, 10);
      loop->acknowledge();
      while (MediaStream* const stream = loop->next_ready()) {
        MediaEvent event;
        while (stream->next_event(event)) events[stream].push_back(event);
        InputFrame frame;
        while (stream->next_input(frame)) heard[stream].push_back(frame);
      }
    }
    return reached;
  }
  bool saw(MediaStream* stream, MediaEventKind kind) {
    for (const MediaEvent& e : events[stream])
      if (e.kind == kind) return true;
    return false;
  }

  SystemClock clock;
  telemetry::Registry registry;
  std::unique_ptr<MediaEngine> engine;
  LoopPort* loop = nullptr;
  std::map<MediaStream*, std::vector<MediaEvent>> events;
  std::map<MediaStream*, std::vector<InputFrame>> heard;
};

RemoteMedia to(std::uint16_t port, Codec codec = Codec::kPcmu) {
  RemoteMedia remote;
  remote.ip = "127.0.0.1";
  remote.port = port;
  remote.codec = codec;
  remote.payload_type = codec == Codec::kPcmu ? 0 : 8;
  remote.dtmf_payload_type = 101;
  return remote;
}

/// `frames` of a 400 Hz tone as one utterance; queued as the ring takes them.
struct Speaker {
  MediaStream& stream;
  std::uint32_t utterance;
  int frames;
  int queued = 0;
  void top_up() {
    while (queued < frames) {
      PlayFrame frame;
      frame.epoch = stream.epoch();
      frame.utterance = utterance;
      frame.offset = static_cast<std::uint32_t>(queued) * 160;
      frame.last = queued == frames - 1;
      for (std::size_t i = 0; i < 160; ++i)
        frame.pcm[i] = static_cast<std::int16_t>(
            8000 * std::sin(0.3141592653 * static_cast<double>(frame.offset + i)));
      if (!stream.queue(frame)) return;
      ++queued;
    }
  }
};

/// A phone of our own making: one socket, any port.
struct Phone {
  Phone() {
    PortPair pair =
        std::move(*bind_pair(kLoopback, 30'000, 31'999, static_cast<std::uint32_t>(::getpid())));
    fd = std::move(pair.rtp);
    port = pair.port;
  }
  void send(std::uint16_t to_port, std::uint16_t sequence, std::uint32_t ssrc = 5,
            std::uint8_t type = 0) {
    const Bytes sound(160, 0x8F);
    Bytes out(172);
    build_rtp({.payload_type = type,
               .sequence = sequence,
               .timestamp = static_cast<std::uint32_t>(sequence) * 160,
               .ssrc = ssrc,
               .payload = sound},
              out);
    const Address at{kLoopback, to_port};
    send_udp(fd.get(), out, &at);
  }
  int received() {
    Bytes buffer(2000);
    int n = 0;
    while (::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) ++n;
    return n;
  }
  Fd fd;
  std::uint16_t port = 0;
};

}  // namespace

TEST_CASE("two legs speak to each other over UDP; the ledger is exact; both hear") {
  for (const Codec codec : {Codec::kPcmu, Codec::kPcma}) {
    House house;
    auto a = house.open();
    auto b = house.open();
    CHECK(a->local_port() % 2 == 0);
    REQUIRE(a->set_remote(to(b->local_port(), codec)));
    REQUIRE(b->set_remote(to(a->local_port(), codec)));
    Speaker bot{*a, 77, 100};
    REQUIRE(house.until([&] {
      bot.top_up();
      return house.saw(a.get(), MediaEventKind::kLedgerEnded) && house.heard[b.get()].size() > 130;
    }));
    CHECK(house.saw(a.get(), MediaEventKind::kRemoteLatched));
    CHECK(house.saw(b.get(), MediaEventKind::kRemoteLatched));
    std::uint64_t began = 0;
    for (const MediaEvent& e : house.events[a.get()]) {
      if (e.kind == MediaEventKind::kLedgerStarted) began = e.at;
      if (e.kind != MediaEventKind::kLedgerEnded) continue;
      CHECK(e.utterance == 77);
      CHECK_FALSE(e.cut);
      CHECK(e.samples == 100 * 160);
      CHECK(e.at - began >= 99 * 160);
    }
    CHECK(a->progress().samples == 100 * 160);
    int loud = 0;
    std::uint64_t last = 0;
    for (const InputFrame& f : house.heard[b.get()]) {
      loud += f.level_dbov > -20 ? 1 : 0;
      if (last != 0) CHECK(f.at > last);
      last = f.at;
    }
    CHECK(loud >= 90);
    CHECK(loud <= 104);
    CHECK(house.saw(b.get(), MediaEventKind::kVadOpened));
  }
}

TEST_CASE("raising the epoch stops the bot and says what was heard") {
  House house;
  auto a = house.open();
  auto b = house.open();
  REQUIRE(a->set_remote(to(b->local_port())));
  REQUIRE(b->set_remote(to(a->local_port())));
  Speaker bot{*a, 5, 40};
  bot.top_up();
  REQUIRE(house.until([&] { return a->progress().samples >= 10 * 160; }));
  CHECK(a->raise_epoch() == 1);
  REQUIRE(house.until([&] { return house.saw(a.get(), MediaEventKind::kLedgerEnded); }));
  const MediaEvent end = house.events[a.get()].back();
  CHECK(end.cut);
  CHECK(end.epoch == 0);
  CHECK(end.samples < 40 * 160);
  CHECK(end.samples == a->progress().samples);
  CHECK(a->queued() == 0);
  Speaker next{*a, 6, 5};
  next.top_up();
  REQUIRE(house.until([&] {
    return house.events[a.get()].back().utterance == 6 &&
           house.events[a.get()].back().kind == MediaEventKind::kLedgerEnded;
  }));
  CHECK_FALSE(house.events[a.get()].back().cut);
}

TEST_CASE("keys go from end to end") {
  House house;
  auto a = house.open();
  auto b = house.open();
  CHECK_FALSE(a->send_dtmf("1"));  // nothing agreed yet
  REQUIRE(a->set_remote(to(b->local_port())));
  REQUIRE(b->set_remote(to(a->local_port())));
  CHECK_FALSE(a->send_dtmf("1x"));
  CHECK_FALSE(a->send_dtmf(""));
  REQUIRE(a->send_dtmf("42#"));
  std::string keys;
  REQUIRE(house.until([&] {
    keys.clear();
    for (const MediaEvent& e : house.events[b.get()])
      if (e.kind == MediaEventKind::kDtmf) keys += e.digit;
    return keys.size() == 3;
  }));
  CHECK(keys == "42#");
}

TEST_CASE("a phone behind NAT is followed, a stranger later is not") {
  House house;
  auto a = house.open();
  Phone named;
  Phone nat;
  Phone stranger;
  REQUIRE(a->set_remote(to(named.port)));
  REQUIRE(house.until([&] { return named.received() > 0; }));
  std::uint16_t sequence = 0;
  REQUIRE(house.until([&] {
    nat.send(a->local_port(), ++sequence);
    return house.saw(a.get(), MediaEventKind::kRemoteLatched);
  }));
  REQUIRE(house.until([&] { return nat.received() > 0; }));
  named.received();
  int n = 0;
  house.until([&] {
    stranger.send(a->local_port(), static_cast<std::uint16_t>(100 + n), 99);
    return ++n > 20;
  });
  CHECK(stranger.received() == 0);
  CHECK(named.received() == 0);

  REQUIRE(a->set_remote(to(stranger.port)));  // re-INVITE: another address
  house.events.clear();
  REQUIRE(house.until([&] {
    stranger.send(a->local_port(), static_cast<std::uint16_t>(100 + ++n), 99);
    return house.saw(a.get(), MediaEventKind::kRemoteLatched) && stranger.received() > 0;
  }));
}

TEST_CASE("silence of the far side is told once, and its return; on hold it is not") {
  House house(200ms);
  auto a = house.open();
  Phone phone;
  RemoteMedia hold = to(phone.port);
  hold.direction = Direction::kSendOnly;
  REQUIRE(a->set_remote(hold));
  int ticks = 0;
  house.until([&] { return ++ticks > 60; });
  CHECK_FALSE(house.saw(a.get(), MediaEventKind::kRtpTimeout));
  REQUIRE(a->set_remote(to(phone.port)));
  REQUIRE(house.until([&] { return house.saw(a.get(), MediaEventKind::kRtpTimeout); }));
  std::uint16_t sequence = 1;
  REQUIRE(house.until([&] {
    phone.send(a->local_port(), ++sequence);
    return house.saw(a.get(), MediaEventKind::kRtpResumed);
  }));
  phone.received();
  RemoteMedia inactive = to(phone.port);
  inactive.direction = Direction::kInactive;
  REQUIRE(a->set_remote(inactive));
  ticks = 0;
  house.until([&] { return ++ticks > 5; });
  phone.received();
  ticks = 0;
  house.until([&] { return ++ticks > 10; });
  CHECK(phone.received() == 0);
}

TEST_CASE("20 % loss, reordering and jitter still give a full clock of audio") {
  House house;
  auto a = house.open();
  Phone phone;
  REQUIRE(a->set_remote(to(phone.port)));
  std::uint16_t sequence = 0;
  std::uint32_t random = 1;
  const SteadyTime began = house.clock.now();
  std::vector<std::pair<SteadyTime, std::uint16_t>> flight;
  REQUIRE(house.until([&] {
    const SteadyTime now = house.clock.now();
    for (; began + sequence * 20ms <= now; ++sequence) {
      random = random * 1664525 + 1013904223;
      if (random >> 24 < 51) continue;  // 20 %
      flight.emplace_back(now + Milliseconds((random >> 16) % 60), sequence);
    }
    std::erase_if(flight, [&](const auto& p) {
      if (p.first > now) return false;
      phone.send(a->local_port(), p.second);
      return true;
    });
    return house.heard[a.get()].size() > 200;
  }));
  const StreamStats stats = a->stats();
  CHECK(stats.packets_received > 100);
  CHECK(stats.packets_lost > 10);
  CHECK(stats.frames_concealed > 10);
  CHECK(stats.mos < 4.0);
  CHECK(stats.jitter_ms > 1);
  for (std::size_t i = 1; i < house.heard[a.get()].size(); ++i)
    CHECK(house.heard[a.get()][i].at >= house.heard[a.get()][i - 1].at + 160);
}

TEST_CASE("garbage is counted and harms nothing") {
  House house;
  auto a = house.open();
  Phone phone;
  REQUIRE(a->set_remote(to(phone.port)));
  const Address at{kLoopback, a->local_port()};
  const Address rtcp{kLoopback, static_cast<std::uint16_t>(a->local_port() + 1)};
  Bytes junk(200);
  std::uint32_t random = 7;
  int n = 0;
  REQUIRE(house.until([&] {
    for (auto& byte : junk) byte = static_cast<std::uint8_t>((random = random * 1664525 + 1) >> 24);
    send_udp(phone.fd.get(), ByteView(junk).first(random % 200), &at);
    send_udp(phone.fd.get(), ByteView(junk).first(random % 200), &rtcp);
    return ++n > 300;
  }));
  REQUIRE(house.until([&] { return a->stats().packets_invalid > 100; }));
  CHECK(phone.received() > 0);  // still sending
}

TEST_CASE("a bridged leg passes sound both ways without a socket") {
  House house;
  auto leg = house.open(true, StreamKind::kBridged);
  CHECK(leg->local_port() == 0);
  REQUIRE(leg->outbound_fd() >= 0);
  Speaker bot{*leg, 3, 30};
  bot.top_up();
  codec::Frame in;
  for (std::size_t i = 0; i < 160; ++i) in[i] = i % 8 < 4 ? 5000 : -5000;
  int got = 0;
  int pushed = 0;
  SteadyTime next = house.clock.now();
  REQUIRE(house.until([&] {
    if (house.clock.now() >= next) {
      pushed += leg->push_inbound(in) ? 1 : 0;
      next += 20ms;
    }
    codec::Frame out;
    while (leg->pop_outbound(out)) got += codec::level_dbov(out) > -30 ? 1 : 0;
    return got >= 30 && house.heard[leg.get()].size() > 20;
  }));
  CHECK(got == 30);
  CHECK(house.saw(leg.get(), MediaEventKind::kVadOpened));
  CHECK(house.saw(leg.get(), MediaEventKind::kLedgerEnded));
}

TEST_CASE("closing sends BYE, ends the ledger, closes the tap, frees ports and memory") {
  House house;
  auto tap = std::make_shared<RecordTap>();
  {
    auto a = house.open();
    auto b = house.open();
    REQUIRE(a->set_remote(to(b->local_port())));
    REQUIRE(b->set_remote(to(a->local_port())));
    REQUIRE(a->record(tap));
    CHECK_FALSE(a->record(tap));
    Speaker bot{*a, 5, 40};
    bot.top_up();
    REQUIRE(house.until([&] {
      return a->progress().samples >= 5 * 160 && tap->frames.size() >= 5 &&
             house.saw(b.get(), MediaEventKind::kRemoteLatched);
    }));
    a->close();
    REQUIRE(house.until([&] {
      return house.saw(a.get(), MediaEventKind::kClosed) &&
             house.saw(b.get(), MediaEventKind::kRemoteBye);
    }));
    CHECK(house.events[a.get()].back().kind == MediaEventKind::kClosed);
    CHECK(house.saw(a.get(), MediaEventKind::kLedgerEnded));
    CHECK(tap->closed);
    house.events.clear();
    house.heard.clear();
  }
  CHECK(house.until([&] { return house.loop->streams() == 0; }));
  CHECK(tap.use_count() == 1);
}

TEST_CASE("streams come and go from several call loops at once") {
  House house;
  LoopPort& other = house.engine->add_loop();
  for (int round = 0; round < 10; ++round) {
    std::vector<std::unique_ptr<MediaStream>> streams;
    for (int i = 0; i < 20; ++i) {
      auto s = (i % 2 == 0 ? house.loop : &other)->open({});
      REQUIRE(s);
      streams.push_back(std::move(*s));
    }
    for (std::size_t i = 0; i < streams.size(); ++i)
      REQUIRE(streams[i]->set_remote(to(streams[i ^ 1U]->local_port())));
    int n = 0;
    house.until([&] { return ++n > 3; });
  }
  CHECK(house.until([&] {
    other.acknowledge();
    while (other.next_ready() != nullptr) {
    }
    return house.loop->streams() + other.streams() == 0;
  }));
}

TEST_CASE("bad settings are named") {
  SystemClock clock;
  telemetry::Registry registry;
  MediaConfig config;
  config.port_first = 20'001;
  CHECK(MediaEngine::start(config, clock, registry).error().detail.find("even") !=
        std::string::npos);
  config.port_first = 20'000;
  config.bind_ip = "localhost";
  CHECK(MediaEngine::start(config, clock, registry).error().detail.find("IPv4") !=
        std::string::npos);
  config.bind_ip = "127.0.0.1";
  config.port_first = 33'000;
  config.port_last = 33'003;
  auto engine = MediaEngine::start(config, clock, registry);
  REQUIRE(engine);
  LoopPort& loop = (*engine)->add_loop();
  auto one = loop.open({});
  auto two = loop.open({});
  REQUIRE(two);
  auto three = loop.open({});
  REQUIRE_FALSE(three);
  CHECK(three.error().code == ErrorCode::kBusy);
  RemoteMedia remote = to(5);
  remote.ptime_ms = 30;
  CHECK_FALSE((*one)->set_remote(remote));
  remote.ptime_ms = 20;
  remote.ip = "host";
  CHECK_FALSE((*one)->set_remote(remote));
  CHECK((*engine)->threads().size() == 1);
  CHECK(MediaEngine::bytes_per_stream() <= 56 * 1024);
}
