#include "engine/telephony/rtp/jitter_buffer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <doctest/doctest.h>
#include <map>
#include <random>
#include <vector>

#include "engine/telephony/codec/g711.hpp"
#include "engine/telephony/rtp/energy_vad.hpp"

using namespace yyc3;
using namespace yyc3::rtp;

namespace {

/// Sound whose every packet can be told from the others: a constant per packet.
std::array<std::uint8_t, 160> packet(int number) {
  std::array<std::uint8_t, 160> codes;
  codes.fill(codec::mulaw_encode(static_cast<std::int16_t>(1000 + 64 * (number % 200))));
  return codes;
}

struct Run {
  int played = 0;
  int concealed = 0;
  std::vector<int> heard;  ///< first sample of each frame, as the packet number it came from
};

/// Sends `count` packets 20 ms apart, each arriving `delay(n)` samples after, and pops 20 ms each
/// 20 ms. delay < 0: lost.
template <class Delay>
Run run(JitterBuffer& buffer, int count, Delay delay, std::uint32_t first = 5000,
        double clock_ratio = 1.0) {
  std::multimap<std::int64_t, int> arrivals;
  for (int n = 0; n < count; ++n)
    if (delay(n) >= 0)
      arrivals.emplace(static_cast<std::int64_t>(n * 160 * clock_ratio) + delay(n), n);
  Run result;
  codec::Frame frame;
  for (std::int64_t now = 0; now < static_cast<std::int64_t>(count * 160 * clock_ratio);
       now += 160) {
    while (!arrivals.empty() && arrivals.begin()->first <= now) {
      const int n = arrivals.begin()->second;
      buffer.insert(first + static_cast<std::uint32_t>(n) * 160, packet(n),
                    arrivals.begin()->first);
      arrivals.erase(arrivals.begin());
    }
    const auto played = buffer.pop(now, frame);
    result.played += played.real ? 1 : 0;
    result.concealed += played.concealed ? 1 : 0;
    if (played.real) result.heard.push_back((frame[159] - 1000 + 32) / 64);
  }
  return result;
}

}  // namespace

TEST_CASE("a perfect network plays every packet in order, across the wrap") {
  JitterBuffer buffer;
  const Run r = run(buffer, 190, [](int) { return 0; }, 0xFFFFF000);
  CHECK(r.concealed == 0);
  CHECK(r.played >= 186);
  CHECK(buffer.counts().late == 0);
  CHECK(std::is_sorted(r.heard.begin(), r.heard.end()));
  CHECK(buffer.target() <= 25 * 8);
}

TEST_CASE("jitter raises the target until it is absorbed") {
  JitterBuffer buffer;
  std::mt19937 random(1);
  const Run r =
      run(buffer, 1500, [&](int) { return static_cast<int>(random() % 640); });  // ≤ 80 ms
  CHECK(buffer.target() >= 80 * 8);
  CHECK(buffer.target() <= 120 * 8);
  CHECK(r.concealed < 60);
  CHECK(r.played > 1420);
  JitterBuffer calm;
  run(calm, 400, [&](int n) { return n < 100 ? static_cast<int>(random() % 640) : 0; });
  const int high = calm.target();
  run(calm, 1000, [](int) { return 0; }, 5000 + 400 * 160);
  CHECK(calm.target() < high);
}

TEST_CASE("loss is concealed and fades to silence") {
  JitterBuffer buffer;
  const Run r = run(buffer, 500, [](int n) { return n % 5 == 4 ? -1 : 0; });
  CHECK(r.concealed >= 95);
  CHECK(r.concealed <= 205);  // a packet may lie across two frames
  CHECK(buffer.counts().late == 0);

  JitterBuffer ends;
  codec::Frame frame;
  std::int64_t now = 0;
  for (int n = 0; n < 50; ++n, now += 160) {
    ends.insert(static_cast<std::uint32_t>(n) * 160, packet(0), now);
    ends.pop(now, frame);
  }
  int sounding = 0;
  for (int n = 0; n < 20; ++n, now += 160) {
    ends.pop(now, frame);
    if (std::any_of(frame.begin(), frame.end(), [](auto x) { return x != 0; })) ++sounding;
  }
  CHECK(sounding >= 3);  // what was buffered, then 60 ms
  CHECK(sounding <= 7);
}

TEST_CASE("reordering and repetition change nothing") {
  JitterBuffer buffer;
  const Run r = run(buffer, 300, [](int n) { return n % 7 == 3 ? 200 : 0; });
  CHECK(r.concealed <= 2);
  CHECK(std::is_sorted(r.heard.begin(), r.heard.begin() + 150));
  codec::Frame frame;
  JitterBuffer twice;
  for (int n = 0; n < 100; ++n) {
    CHECK(twice.insert(static_cast<std::uint32_t>(n) * 160, packet(n), n * 160) ==
          JitterBuffer::Insert::kStored);
    CHECK(twice.insert(static_cast<std::uint32_t>(n) * 160, packet(n), n * 160) ==
          JitterBuffer::Insert::kDuplicate);
    twice.pop(n * 160, frame);
  }
  CHECK(twice.counts().duplicate == 100);
}

TEST_CASE("a burst at the start does not stay as delay") {
  JitterBuffer buffer;  // 171 packets in the first 3 s, as baresip does; then on time
  codec::Frame frame;
  int sent = 0;
  int concealed = 0;
  std::int64_t now = 0;
  for (; now < 8000LL * 20; now += 160) {
    const double due = now < 24'000 ? static_cast<double>(now) / 24'000 * 171
                                    : 171 + static_cast<double>(now - 24'000) / 160;
    while (sent <= due) {
      buffer.insert(static_cast<std::uint32_t>(sent) * 160, packet(sent), now);
      ++sent;
    }
    if (buffer.pop(now, frame).concealed && now > 1600) ++concealed;
  }
  CHECK(concealed <= 3);
  const int last = (frame[159] - 1000 + 32) / 64;
  const int behind = ((sent - 1) % 200 - last + 200) % 200;
  CHECK(behind <= 6);  // ≤ 120 ms, not the 420 ms of the burst
}

TEST_CASE("clock drift of 300 ppm either way is followed") {
  for (const double ratio : {0.9997, 1.0003}) {
    INFO(ratio);
    JitterBuffer buffer;
    const Run r = run(buffer, 15'000, [](int) { return 16; }, 1, ratio);  // 5 min: 90 ms of drift
    CHECK(buffer.counts().late <= 3);
    CHECK(r.concealed <= 24);
    CHECK(buffer.counts().skipped + buffer.counts().inserted >= 400);
  }
}

TEST_CASE("timestamps that begin anew are followed after two packets") {
  JitterBuffer buffer;
  run(buffer, 50, [](int) { return 0; });
  const std::int64_t now = 50 * 160;
  CHECK(buffer.insert(0x90000000, packet(1), now) == JitterBuffer::Insert::kHeldBack);
  CHECK(buffer.insert(0x90000000 + 160, packet(2), now + 160) == JitterBuffer::Insert::kStored);
  CHECK(buffer.counts().resyncs == 1);
  CHECK(buffer.insert(5000 + 52 * 160, packet(3), now + 320) == JitterBuffer::Insert::kHeldBack);
}

TEST_CASE("packets of any length are taken") {
  for (const std::size_t length : {80U, 240U, 320U, 480U}) {
    INFO(length);
    JitterBuffer buffer;
    std::vector<std::uint8_t> codes(length, codec::mulaw_encode(3000));
    codec::Frame frame;
    int concealed = 0;
    std::size_t sent = 0;
    for (std::int64_t now = 0; now < 8000 * 6; now += 160) {
      for (; sent * length <= static_cast<std::size_t>(now); ++sent)
        buffer.insert(static_cast<std::uint32_t>(sent * length), codes, now);
      if (buffer.pop(now, frame).concealed && now > 8000) ++concealed;
    }
    CHECK(concealed <= 4);
  }
}

TEST_CASE("the VAD opens for speech over noise, not for noise") {
  std::mt19937 random(7);
  std::normal_distribution<double> noise(0, 1);
  EnergyVad vad;
  const auto frame = [&](double rms) {
    codec::Frame f;
    for (auto& x : f)
      x = static_cast<std::int16_t>(std::clamp(noise(random) * rms, -32000.0, 32000.0));
    return f;
  };
  int open = 0;
  for (int i = 0; i < 250; ++i) open += vad.step(frame(60)).speech ? 1 : 0;  // -55 dBov of hiss
  CHECK(open == 0);
  CHECK_FALSE(vad.step(frame(1500)).speech);  // one frame is a click
  CHECK(vad.step(frame(1500)).speech);
  for (int i = 0; i < 10; ++i) CHECK(vad.step(frame(1500)).speech);
  int after = 0;
  while (vad.step(frame(60)).speech && after < 100) ++after;
  CHECK(after == 14);                                   // 300 ms
  for (int i = 0; i < 1000; ++i) vad.step(frame(400));  // the line became noisy: -38 dBov
  CHECK_FALSE(vad.step(frame(400)).speech);
  vad.step(frame(3000));
  CHECK(vad.step(frame(3000)).speech);
}
