#include "engine/telephony/recording/recorder.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "engine/telephony/recording/recording_file.hpp"
#include "engine/telephony/recording/spool.hpp"
#include "platform/security/chunk_cipher.hpp"

namespace yyc3::recording {
using namespace std::chrono_literals;

namespace {

constexpr auto kDrainEvery = 400ms;  // a tap holds 1,280 ms: it survives a writer stuck for 880
constexpr auto kSyncEvery = 1000ms;
constexpr auto kRetryEvery = 1000ms;   // after a failed write
constexpr auto kSettleAgain = 10s;     // a recording that could not be stored is tried again
constexpr auto kTapPatience = 2000ms;  // finish() waits so long for the media thread's last frame

enum class RecordType : std::uint8_t { kBegin = 1, kSound = 2, kDone = 3 };

void put64(Bytes& out, std::uint64_t v) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(v >> shift));
}
std::uint64_t get64(ByteView b, std::size_t at) {
  return static_cast<std::uint64_t>(read_u32(b, at)) << 32 | read_u32(b, at + 4);
}

constexpr std::size_t kIdAt = 1;
constexpr std::size_t kSoundHead = 1 + 16 + 16;  // type, id, place of the piece before
constexpr std::size_t kFrameBytes = 8 + 2 * codec::kFrameSamples;

Bytes record_of(RecordType type, RecordingId id) {
  Bytes out{static_cast<std::uint8_t>(type)};
  out.insert(out.end(), id.value.bytes().begin(), id.value.bytes().end());
  return out;
}

Bytes begin_record(RecordingId id, const std::string& tenant, const Bytes& wrapped) {
  Bytes out = record_of(RecordType::kBegin, id);
  out.push_back(static_cast<std::uint8_t>(tenant.size()));
  out.insert(out.end(), tenant.begin(), tenant.end());
  out.insert(out.end(), wrapped.begin(), wrapped.end());
  return out;
}

void put_frame(Bytes& out, const rtp::RecordFrame& frame) {
  put64(out, frame.at);
  out.insert(out.end(), frame.heard.begin(), frame.heard.end());
  out.insert(out.end(), frame.played.begin(), frame.played.end());
}

rtp::RecordFrame get_frame(ByteView b) {
  rtp::RecordFrame frame;
  frame.at = get64(b, 0);
  std::memcpy(frame.heard.data(), b.data() + 8, frame.heard.size());
  std::memcpy(frame.played.data(), b.data() + 8 + frame.heard.size(), frame.played.size());
  return frame;
}

std::string blob_key_of(const std::string& tenant, RecordingId id) {
  return tenant + "/recordings/" + id.str();
}

/// One call while it is recorded.
struct Call {
  RecordingId id;
  std::string tenant;
  security::Key256 key;
  Bytes wrapped;
  std::shared_ptr<rtp::RecordTap> tap;
  std::atomic<bool> finishing{false};
  // appender only, then handed to the settler
  std::optional<SteadyTime> deadline{};
  Place last{};  ///< its newest piece
  std::uint64_t dropped = 0;
  bool told_failed = false;                     ///< settler only
  std::atomic<std::uint64_t> first_segment{0};  ///< 0: its begin record is not written yet

  /// Segments from this one on are needed.
  [[nodiscard]] std::uint64_t oldest() const {
    const std::uint64_t first = first_segment.load(std::memory_order_acquire);
    return first == 0 ? ~std::uint64_t{0} : first;
  }
};

/// What is left of a call in the spool after a crash.
struct Remains {
  std::string tenant;
  Bytes wrapped;
  std::vector<Place> pieces;
};

using Uuid16 = std::array<std::uint8_t, 16>;

struct RecorderMetrics {
  explicit RecorderMetrics(telemetry::Registry& r)
      : frames(r.counter("yyc3_recording_frames_total", "20 ms stereo frames written")),
        dropped(r.counter("yyc3_recording_frames_dropped_total",
                          "Frames lost: disk full, or a writer held up for over a second")),
        finished(r.counter("yyc3_recording_finished_total", "Recordings stored")),
        failed(r.counter("yyc3_recording_failed_total", "Recordings that could not be stored")),
        active(r.gauge("yyc3_recording_active", "Calls being recorded")),
        state(r.gauge("yyc3_recording_state", "0 ok, 1 disk full, 2 failing")),
        sync(r.histogram("yyc3_recording_sync_seconds", "Time of one fdatasync",
                         {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3})) {}
  telemetry::Counter& frames;
  telemetry::Counter& dropped;
  telemetry::Counter& finished;
  telemetry::Counter& failed;
  telemetry::Gauge& active;
  telemetry::Gauge& state;
  telemetry::Histogram& sync;
};

}  // namespace

struct Recorder::Impl {
  Impl(RecorderDeps d, Finished f, std::unique_ptr<Spool> s)
      : deps(std::move(d)), finished(std::move(f)), spool(std::move(s)), metrics(deps.registry) {}

  void run_appender();
  void run_settler();
  void drain(Call& call);
  bool write_begin(Call& call);
  std::optional<Place> append(ByteView record);
  bool over(Call& call);
  void settle(const std::shared_ptr<Call>& call);
  void keep(const std::shared_ptr<Call>& call, const FinishedRecording& told, const Error& why);
  Result<RecordingWriter> copy_out(const std::string& tenant, RecordingId id,
                                   const security::Key256& key, const std::vector<Place>& pieces);
  Result<std::vector<Place>> pieces_of(const Call& call) const;
  void let_go();
  void recover();
  bool recover_one(RecordingId id, const Remains& remains);
  void set_state(RecorderState next, std::string_view why);

  RecorderDeps deps;
  Finished finished;
  std::unique_ptr<Spool> spool;
  RecorderMetrics metrics;
  std::atomic<RecorderState> state{RecorderState::kOk};

  std::mutex mutex;  ///< of the five below: control only, no sound passes it
  std::condition_variable wake_appender;
  std::condition_variable wake_settler;
  std::map<RecordingId, std::shared_ptr<Call>> calls;
  std::deque<std::shared_ptr<Call>> ended;
  bool stop = false;
  bool appender_done = false;

  SteadyTime retry_at{};                        ///< appender: no write is tried before
  std::uint64_t keep_from = ~std::uint64_t{0};  ///< segments that recovery could not empty
  std::deque<std::shared_ptr<Call>> failed;     ///< settler: to be tried again
  SteadyTime settle_again_at{};                 ///< settler
  std::thread appender;
  std::thread settler;
};

Recorder::Recorder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Recorder>> Recorder::start(RecorderConfig config, RecorderDeps deps,
                                                  Finished finished) {
  if (config.segment_bytes < (1U << 20) || config.segment_bytes > (std::uint64_t{4} << 30))
    return fail(ErrorCode::kInvalid, "recorder segment_bytes: must be 1 MiB to 4 GiB");
  Result<std::unique_ptr<Spool>> spool =
      Spool::open(config.spool, config.segment_bytes, deps.spool_key);
  if (!spool) return tl::unexpected<Error>(spool.error());
  auto impl = std::make_unique<Impl>(std::move(deps), std::move(finished), std::move(*spool));
  impl->recover();
  impl->appender = std::thread([raw = impl.get()] { raw->run_appender(); });
  impl->settler = std::thread([raw = impl.get()] { raw->run_settler(); });
  return std::unique_ptr<Recorder>(new Recorder(std::move(impl)));
}

Recorder::~Recorder() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stop = true;
    for (const auto& [id, call] : impl_->calls) call->finishing = true;
  }
  impl_->wake_appender.notify_all();
  impl_->appender.join();
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->appender_done = true;
  }
  impl_->wake_settler.notify_all();
  impl_->settler.join();
}

Result<RecordingStart> Recorder::begin(RecordingId id, const std::string& tenant) {
  if (id.value.is_nil() || tenant.empty() || tenant.size() > 128)
    return fail(ErrorCode::kInvalid, "recording: id and tenant (1 to 128 bytes) must be given");
  Result<security::RecordingKey> key =
      security::make_recording_key(impl_->deps.keys, tenant, id.str());
  if (!key) return tl::unexpected<Error>(key.error());
  auto call = std::shared_ptr<Call>(new Call{.id = id,
                                             .tenant = tenant,
                                             .key = key->key,
                                             .wrapped = key->wrapped,
                                             .tap = std::make_shared<rtp::RecordTap>()});
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->calls.emplace(id, call).second)
      return fail(ErrorCode::kInvalid, "recording: the id is in use");
  }
  impl_->metrics.active.add();
  return RecordingStart{.id = id,
                        .wrapped_key = call->wrapped,
                        .blob_key = blob_key_of(tenant, id),
                        .tap = call->tap};
}

void Recorder::finish(RecordingId id) {
  const std::lock_guard lock(impl_->mutex);
  const auto it = impl_->calls.find(id);
  if (it != impl_->calls.end()) it->second->finishing = true;
}

RecorderState Recorder::state() const { return impl_->state.load(); }

void Recorder::Impl::set_state(RecorderState next, std::string_view why) {
  if (state.exchange(next) == next) return;
  metrics.state.set(static_cast<double>(next));
  if (next == RecorderState::kOk) {
    deps.log.info("recorder writes again");
  } else {
    deps.log.error("recorder cannot write: calls go on unrecorded; free disk space",
                   {{"error.message", why}});
  }
}

// ---- appender: taps → spool ----

void Recorder::Impl::run_appender() {
  while (true) {
    std::vector<std::shared_ptr<Call>> now;
    bool last_round = false;
    {
      std::unique_lock lock(mutex);
      if (stop && calls.empty()) return;
      wake_appender.wait_for(lock, stop ? 20ms : kDrainEvery, [this] { return stop; });
      last_round = stop;
      for (const auto& [id, call] : calls) now.push_back(call);
    }
    for (const auto& call : now) {
      drain(*call);
      if (!over(*call) && !(last_round && call->tap->frames.empty())) continue;
      const std::lock_guard lock(mutex);
      calls.erase(call->id);
      ended.push_back(call);
      wake_settler.notify_one();
    }
  }
}

/// Its last frame has been written, or will not come.
bool Recorder::Impl::over(Call& call) {
  if (!call.finishing) return false;
  const SteadyTime now = deps.clock.now();
  if (!call.deadline) call.deadline = now + kTapPatience;
  return (call.tap->closed.load(std::memory_order_acquire) && call.tap->frames.empty()) ||
         now >= *call.deadline;
}

std::optional<Place> Recorder::Impl::append(ByteView record) {
  const SteadyTime now = deps.clock.now();
  if (now < retry_at) return std::nullopt;
  const Result<Place> place = spool->append(record);
  if (place) {
    set_state(RecorderState::kOk, "");
    return *place;
  }
  retry_at = now + kRetryEvery;
  set_state(
      place.error().code == ErrorCode::kBusy ? RecorderState::kDiskFull : RecorderState::kFailing,
      place.error().detail);
  return std::nullopt;
}

bool Recorder::Impl::write_begin(Call& call) {
  if (call.first_segment != 0) return true;
  const std::optional<Place> place = append(begin_record(call.id, call.tenant, call.wrapped));
  if (place) call.first_segment = place->segment;
  return place.has_value();
}

void Recorder::Impl::drain(Call& call) {
  const std::uint64_t lost = call.tap->dropped.exchange(0, std::memory_order_relaxed);
  call.dropped += lost;
  metrics.dropped.add(lost);
  Bytes record = record_of(RecordType::kSound, call.id);
  put64(record, call.last.segment);
  put64(record, call.last.offset);
  std::uint64_t frames = 0;
  for (const rtp::RecordFrame* f = call.tap->frames.peek(); f != nullptr && frames < 128;
       f = call.tap->frames.peek()) {
    put_frame(record, *f);
    call.tap->frames.drop();
    ++frames;
  }
  if (frames == 0) return;
  const std::optional<Place> place = write_begin(call) ? append(record) : std::nullopt;
  if (place) {
    call.last = *place;
    metrics.frames.add(frames);
  } else {
    call.dropped += frames;
    metrics.dropped.add(frames);
  }
}

// ---- settler: sync, and spool → the calls' own recordings ----

void Recorder::Impl::run_settler() {
  SteadyTime sync_at = deps.clock.now() + kSyncEvery;
  while (true) {
    std::shared_ptr<Call> call;
    {
      std::unique_lock lock(mutex);
      wake_settler.wait_for(lock, 200ms, [this] { return !ended.empty() || appender_done; });
      if (!ended.empty()) {
        call = ended.front();
        ended.pop_front();
      } else if (appender_done) {
        break;  // what failed is in the spool: the next start stores it
      }
    }
    const SteadyTime now = deps.clock.now();
    if (!call && !failed.empty() && now >= settle_again_at) {
      call = failed.front();
      failed.pop_front();
      settle_again_at = now + kSettleAgain;
    }
    if (now >= sync_at) {
      const Result<void> synced = spool->sync();
      if (!synced) set_state(RecorderState::kFailing, synced.error().detail);
      sync_at = deps.clock.now() + kSyncEvery;
      metrics.sync.observe(std::chrono::duration<double>(deps.clock.now() - now).count());
    }
    if (!call) continue;
    settle(call);
    let_go();
  }
}

/// Places of a call's pieces, oldest first: each names the one before.
Result<std::vector<Place>> Recorder::Impl::pieces_of(const Call& call) const {
  std::vector<Place> pieces;
  for (Place at = call.last; at.segment != 0;) {
    const Result<Bytes> record = spool->read(at);
    if (!record) return tl::unexpected<Error>(record.error());
    pieces.push_back(at);
    at = {get64(*record, 17), get64(*record, 25)};
  }
  std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

Result<RecordingWriter> Recorder::Impl::copy_out(const std::string& tenant, RecordingId id,
                                                 const security::Key256& key,
                                                 const std::vector<Place>& pieces) {
  Result<RecordingWriter> writer =
      RecordingWriter::create(deps.blobs, blob_key_of(tenant, id), key, id.str());
  if (!writer) return writer;
  for (const Place place : pieces) {
    const Result<Bytes> record = spool->read(place);
    if (!record) return tl::unexpected<Error>(record.error());
    for (std::size_t at = kSoundHead; at + kFrameBytes <= record->size(); at += kFrameBytes) {
      const Result<void> added = writer->add(get_frame(ByteView(*record).subspan(at, kFrameBytes)));
      if (!added) return tl::unexpected<Error>(added.error());
    }
  }
  const Result<void> stored = writer->commit();
  if (!stored) return tl::unexpected<Error>(stored.error());
  return writer;
}

void Recorder::Impl::settle(const std::shared_ptr<Call>& call) {
  FinishedRecording told{
      .id = call->id, .tenant = call->tenant, .blob_key = blob_key_of(call->tenant, call->id)};
  told.dropped_frames = call->dropped;
  const Result<std::vector<Place>> pieces = pieces_of(*call);
  Result<RecordingWriter> written =
      pieces ? copy_out(call->tenant, call->id, call->key, *pieces)
             : Result<RecordingWriter>(tl::unexpected<Error>(pieces.error()));
  Result<void> stored;
  if (written) {
    told.first_sample = written->first_sample();
    told.samples = written->samples();
    stored = finished(told);
  } else {
    told.error = written.error().detail;
    stored = tl::unexpected<Error>(written.error());
  }
  if (!stored) return keep(call, told, stored.error());
  metrics.finished.add();
  metrics.active.sub(1);
  // After the row: a crash in between tells it again.
  const Result<Place> done = spool->append(record_of(RecordType::kDone, call->id));
  if (!done) deps.log.warn("recorder: end mark not written; a crash now stores it again");
}

/// What could not be stored is tried again.
void Recorder::Impl::keep(const std::shared_ptr<Call>& call, const FinishedRecording& told,
                          const Error& why) {
  failed.push_back(call);
  if (std::exchange(call->told_failed, true)) return;
  metrics.failed.add();
  deps.log.error("recording could not be stored; it stays in the spool and is tried again",
                 {{"yyc3.recording.id", call->id}, {"error.message", why.detail}});
  if (told.error.empty()) return;
  if (const auto stored = finished(told); !stored)
    deps.log.warn("nor could its row", {{"error.message", stored.error().detail}});
}

/// Segments that no call and no failed recording needs any more.
void Recorder::Impl::let_go() {
  std::uint64_t oldest = std::min(keep_from, spool->current());
  const std::lock_guard lock(mutex);
  for (const auto& [id, call] : calls) oldest = std::min(oldest, call->oldest());
  for (const auto& call : failed) oldest = std::min(oldest, call->oldest());
  for (const auto& call : ended) oldest = std::min(oldest, call->oldest());
  spool->drop_below(oldest);
}

// ---- after a crash ----

void Recorder::Impl::recover() {
  std::map<Uuid16, Remains> found;
  spool->scan([&](Place place, ByteView record) {
    if (record.size() < kIdAt + 16) return;
    Uuid16 id{};
    std::copy_n(record.begin() + kIdAt, id.size(), id.begin());
    const auto type = static_cast<RecordType>(record[0]);
    const ByteView rest = record.subspan(kIdAt + 16);
    if (type == RecordType::kBegin && !rest.empty() && rest.size() > rest[0]) {
      Remains& call = found[id];
      call.tenant = as_text(rest.subspan(1, rest[0]));
      call.wrapped.assign(rest.begin() + 1 + rest[0], rest.end());
    } else if (type == RecordType::kSound && found.contains(id)) {
      found[id].pieces.push_back(place);
    } else if (type == RecordType::kDone) {
      found.erase(id);
    }
  });
  bool all = true;
  for (const auto& [bytes, remains] : found) {
    const std::string hex = to_hex(bytes);
    const Result<RecordingId> id =
        RecordingId::parse(hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) +
                           "-" + hex.substr(16, 4) + "-" + hex.substr(20));
    all = id && recover_one(*id, remains) && all;
  }
  // A key that is gone means an erased recording; anything else may work at the next start.
  if (all) {
    spool->drop_below(~std::uint64_t{0});
  } else {
    keep_from = 0;
  }
}

bool Recorder::Impl::recover_one(RecordingId id, const Remains& remains) {
  FinishedRecording told{
      .id = id, .tenant = remains.tenant, .blob_key = blob_key_of(remains.tenant, id)};
  told.recovered = true;
  const Result<security::Key256> key =
      security::open_recording_key(deps.keys, remains.tenant, id.str(), remains.wrapped);
  Result<RecordingWriter> written =
      key ? copy_out(remains.tenant, id, *key, remains.pieces)
          : Result<RecordingWriter>(tl::unexpected<Error>(key.error()));
  if (written) {
    told.first_sample = written->first_sample();
    told.samples = written->samples();
    metrics.finished.add();
  } else {
    told.error = written.error().detail;
    metrics.failed.add();
    deps.log.error("recording could not be recovered; it stays in the spool",
                   {{"yyc3.recording.id", id}, {"error.message", told.error}});
  }
  const Result<void> stored = finished(told);
  if (!stored)
    deps.log.error("a recovered recording's row could not be stored; it stays in the spool",
                   {{"yyc3.recording.id", id}, {"error.message", stored.error().detail}});
  return (written.has_value() || !key) && stored;
}

}  // namespace yyc3::recording
