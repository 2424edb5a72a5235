#include "engine/telephony/recording/recorder.hpp"

#include <atomic>
#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "engine/telephony/codec/g711.hpp"
#include "engine/telephony/codec/wav.hpp"
#include "engine/telephony/recording/recording_reader.hpp"
#include "engine/telephony/recording/spool.hpp"
#include "platform/security/key_provider.hpp"

using namespace yyc3;
using namespace yyc3::recording;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

struct Studio {
  Studio() {
    char name[] = "/tmp/yyc3-recording-XXXXXX";
    folder = ::mkdtemp(name);
    blobs = std::move(*storage::FolderBlobs::open(folder / "blobs"));
    REQUIRE(keys.load(keys.wrap_new("default")));
    config.spool = folder / "spool";
    config.segment_bytes = 1 << 20;
  }
  ~Studio() {
    recorder.reset();
    fs::remove_all(folder);
  }
  void start() {
    auto made = Recorder::start(
        config, {provider.master().derive("spool"), keys, *blobs, clock, registry, log},
        [this](const FinishedRecording& f) -> Result<void> {
          const std::lock_guard lock(mutex);
          finished.push_back(f);
          if (!rows_can_be_stored) return fail(ErrorCode::kUnavailable, "the database is full");
          return {};
        });
    REQUIRE(made);
    recorder = std::move(*made);
  }
  std::vector<FinishedRecording> told() {
    const std::lock_guard lock(mutex);
    return finished;
  }
  bool until_told(std::size_t count) {
    for (int i = 0; i < 1000 && told().size() < count; ++i) std::this_thread::sleep_for(10ms);
    return told().size() >= count;
  }
  codec::Wav play(const RecordingStart& r) {
    const auto key = security::open_recording_key(keys, "default", r.id.str(), r.wrapped_key);
    REQUIRE(key);
    auto reader = RecordingReader::open(*blobs, r.blob_key, *key, r.id.str());
    REQUIRE(reader);
    auto bytes = reader->read(0, reader->size());
    REQUIRE(bytes);
    CHECK(bytes->size() == reader->size());
    const auto wav = codec::parse_wav(*bytes);
    REQUIRE(wav);
    return *wav;
  }

  fs::path folder;
  SystemClock clock;
  security::KeyText provider = *security::KeyText::parse(std::string(64, '7'));
  security::TenantKeys keys{provider};
  std::unique_ptr<storage::FolderBlobs> blobs;
  telemetry::Registry registry;
  telemetry::NullLog log;
  RecorderConfig config;
  std::mutex mutex;
  std::vector<FinishedRecording> finished;
  bool rows_can_be_stored = true;
  std::unique_ptr<Recorder> recorder;
};

/// Frame n: the customer says n, the bot says -n (as far as mu-law can tell).
void push(rtp::RecordTap& tap, std::uint64_t n) {
  rtp::RecordFrame frame;
  frame.at = n * 160;
  frame.heard.fill(codec::mulaw_encode(static_cast<std::int16_t>(100 + n * 16)));
  frame.played.fill(
      codec::mulaw_encode(static_cast<std::int16_t>(-100 - static_cast<int>(n) * 16)));
  while (!tap.frames.push(frame)) std::this_thread::sleep_for(5ms);
}
std::int16_t said(std::uint64_t n) {
  return codec::mulaw_decode(codec::mulaw_encode(static_cast<std::int16_t>(100 + n * 16)));
}

}  // namespace

TEST_CASE("a call is recorded in stereo; gaps keep the time; ranges read as the whole") {
  Studio studio;
  studio.start();
  const auto begun = studio.recorder->begin(RecordingId::make(studio.clock), "default");
  REQUIRE(begun);
  for (std::uint64_t n = 10; n < 170; ++n)
    if (n < 50 || n >= 80) push(*begun->tap, n);  // 600 ms are missing
  begun->tap->closed = true;
  studio.recorder->finish(begun->id);
  REQUIRE(studio.until_told(1));
  const FinishedRecording told = studio.told()[0];
  CHECK(told.error == "");
  CHECK(told.first_sample == 1600);
  CHECK(told.samples == 160 * 160);
  CHECK_FALSE(told.recovered);

  const codec::Wav wav = studio.play(*begun);
  REQUIRE(wav.channels == 2);
  REQUIRE(wav.samples.size() == 2 * 160 * 160);
  for (std::uint64_t n = 0; n < 160; ++n) {
    const std::uint64_t frame = n + 10;
    const bool gap = frame >= 50 && frame < 80;
    CHECK(wav.samples[n * 320] == (gap ? 0 : said(frame)));
    CHECK(wav.samples[n * 320 + 1] == (gap ? 0 : -said(frame)));
  }

  const auto key =
      security::open_recording_key(studio.keys, "default", begun->id.str(), begun->wrapped_key);
  auto reader = RecordingReader::open(*studio.blobs, begun->blob_key, *key, begun->id.str());
  REQUIRE(reader);
  const Bytes whole = *reader->read(0, 1 << 22);
  std::uint32_t random = 5;
  for (int i = 0; i < 300; ++i) {
    random = random * 1664525 + 1013904223;
    const std::size_t from = (random >> 8) % (whole.size() + 100);
    const std::size_t length = (random >> 4) % 40'000;
    const auto part = reader->read(from, length);
    REQUIRE(part);
    const std::size_t a = std::min(from, whole.size());
    const std::size_t b = std::min(whole.size(), a + length);
    CHECK(*part ==
          Bytes(whole.begin() + static_cast<long>(a), whole.begin() + static_cast<long>(b)));
  }
  CHECK_FALSE(RecordingReader::open(*studio.blobs, begun->blob_key, security::Key256::make(),
                                    begun->id.str()));
  for (const auto& entry : fs::recursive_directory_iterator(studio.folder))
    if (entry.is_regular_file())
      CHECK((entry.status().permissions() & fs::perms::others_read) == fs::perms::none);
}

TEST_CASE("many calls share segments, which go when nobody needs them") {
  Studio studio;
  studio.start();
  std::vector<RecordingStart> calls;
  for (int i = 0; i < 12; ++i)
    calls.push_back(*studio.recorder->begin(RecordingId::make(studio.clock), "default"));
  for (std::uint64_t n = 0; n < 400; ++n)
    for (const auto& call : calls) push(*call.tap, n);
  for (const auto& call : calls) {
    call.tap->closed = true;
    studio.recorder->finish(call.id);
  }
  REQUIRE(studio.until_told(12));
  for (const auto& call : calls) {
    const codec::Wav wav = studio.play(call);
    REQUIRE(wav.samples.size() == 2 * 160 * 400);
    for (std::uint64_t n = 0; n < 400; n += 13) CHECK(wav.samples[n * 320] == said(n));
  }
  std::size_t left = 0;
  for (int i = 0; i < 200; ++i) {
    left = 0;
    for ([[maybe_unused]] const auto& e : fs::directory_iterator(studio.config.spool)) ++left;
    if (left == 1) break;
    std::this_thread::sleep_for(10ms);
  }
  CHECK(left == 1);
  CHECK_FALSE(studio.recorder->begin(RecordingId{}, "default"));
  CHECK_FALSE(studio.recorder->begin(RecordingId::make(studio.clock), "nobody"));
}

TEST_CASE("kill -9 in mid-call: the next start stores what was said") {
  Studio studio;
  struct Shared {
    std::array<std::uint8_t, 16> id;
    std::size_t wrapped_size;
    std::array<std::uint8_t, 256> wrapped;
    std::atomic<std::uint64_t> pushed;
  };
  auto* const shared = static_cast<Shared*>(
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  REQUIRE(shared != MAP_FAILED);
  const RecordingId id = RecordingId::make(studio.clock);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto recorder =
        std::move(*Recorder::start(studio.config,
                                   {studio.provider.master().derive("spool"), studio.keys,
                                    *studio.blobs, studio.clock, studio.registry, studio.log},
                                   [](const FinishedRecording&) { return Result<void>(); }));
    const RecordingStart begun = *recorder->begin(id, "default");
    shared->wrapped_size = begun.wrapped_key.size();
    std::copy(begun.wrapped_key.begin(), begun.wrapped_key.end(), shared->wrapped.begin());
    for (std::uint64_t n = 0;; ++n) {
      push(*begun.tap, n % 1000);
      shared->pushed.store(n + 1);
      std::this_thread::sleep_for(20ms);
    }
  }
  for (int i = 0; i < 2000 && shared->pushed.load() < 150; ++i) std::this_thread::sleep_for(10ms);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const std::uint64_t pushed = shared->pushed.load();
  REQUIRE(pushed >= 150);
  // A torn record at the end, as a power cut leaves it.
  std::ofstream(studio.config.spool / "segment-1", std::ios::app | std::ios::binary)
      << std::string("\0\0\x20\x10half a record", 17);

  studio.start();
  REQUIRE(studio.told().size() == 1);
  const FinishedRecording told = studio.told()[0];
  CHECK(told.recovered);
  CHECK(told.error == "");
  CHECK(told.id == id);
  CHECK(told.tenant == "default");
  CHECK(told.samples / 160 + 50 >= pushed);  // to within a second
  RecordingStart begun{.id = id, .wrapped_key = {}, .blob_key = told.blob_key, .tap = nullptr};
  begun.wrapped_key.assign(shared->wrapped.begin(),
                           shared->wrapped.begin() + static_cast<long>(shared->wrapped_size));
  const codec::Wav wav = studio.play(begun);
  for (std::uint64_t n = 0; n < told.samples / 160; ++n) CHECK(wav.samples[n * 320] == said(n));

  studio.recorder.reset();
  studio.finished.clear();
  studio.start();  // nothing is left to recover
  CHECK(studio.told().empty());
  ::munmap(shared, sizeof(Shared));
}

TEST_CASE("a recording whose row could not be stored is told again at the next start") {
  Studio studio;
  studio.rows_can_be_stored = false;
  studio.start();
  const auto begun = studio.recorder->begin(RecordingId::make(studio.clock), "default");
  REQUIRE(begun);
  for (std::uint64_t n = 0; n < 20; ++n) push(*begun->tap, n);
  begun->tap->closed.store(true);
  studio.recorder->finish(begun->id);
  REQUIRE(studio.until_told(1));
  studio.recorder.reset();
  studio.finished.clear();
  studio.rows_can_be_stored = true;
  studio.start();
  REQUIRE(studio.told().size() == 1);
  CHECK(studio.told()[0].id == begun->id);
  CHECK(studio.told()[0].error == "");
  CHECK(studio.play(*begun).samples.size() == 2 * 20 * 160);
  studio.recorder.reset();
  studio.finished.clear();
  studio.start();  // now it is stored: nothing is left to tell
  CHECK(studio.told().empty());
}

TEST_CASE("a full disk loses sound, not calls, and is over when there is room") {
  Studio studio;
  studio.config.segment_bytes = 64 << 20;
  studio.start();
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit tight{.rlim_cur = 60'000, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &tight);  // writes beyond fail with EFBIG, as a full disk does
  const auto begun = studio.recorder->begin(RecordingId::make(studio.clock), "default");
  REQUIRE(begun);
  std::uint64_t n = 0;
  for (int i = 0; i < 1000 && studio.recorder->state() == RecorderState::kOk; ++i)
    push(*begun->tap, n++);
  CHECK(studio.recorder->state() == RecorderState::kDiskFull);
  ::setrlimit(RLIMIT_FSIZE, &before);
  for (int i = 0; i < 1000 && studio.recorder->state() != RecorderState::kOk; ++i) {
    push(*begun->tap, n++);
    std::this_thread::sleep_for(5ms);
  }
  CHECK(studio.recorder->state() == RecorderState::kOk);
  begun->tap->closed = true;
  studio.recorder->finish(begun->id);
  REQUIRE(studio.until_told(1));
  CHECK(studio.told()[0].error == "");
  CHECK(studio.told()[0].dropped_frames > 0);
  CHECK(studio.told()[0].samples <= n * 160);
  const codec::Wav wav = studio.play(*begun);
  CHECK(wav.samples[0] == said(0));
}

TEST_CASE("the spool tells a moved, changed or foreign record") {
  Studio studio;
  const security::Key256 key = security::Key256::make();
  {
    auto spool = std::move(*Spool::open(studio.config.spool, 1 << 20, key));
    const Bytes record(100, 1);
    for (int i = 0; i < 5; ++i) REQUIRE(spool->append(record));
    REQUIRE(spool->sync());
    CHECK_FALSE(spool->append(Bytes(Spool::kRecordMax + 1)));
  }
  const auto count = [&](const security::Key256& with) {
    int n = 0;
    (*Spool::open(studio.config.spool, 1 << 20, with))->scan([&](Place, ByteView) { ++n; });
    return n;
  };
  CHECK(count(key) == 5);
  CHECK(count(security::Key256::make()) == 0);
  std::fstream file(studio.config.spool / "segment-1",
                    std::ios::in | std::ios::out | std::ios::binary);
  constexpr std::streamoff kChanged = 2 * 132 + 50;
  file.seekg(kChanged);
  const int was = file.get();
  file.seekp(kChanged);
  file.put(static_cast<char>(was ^ 1));  // another byte, whatever the key made of it
  file.close();
  CHECK(count(key) == 2);
}
