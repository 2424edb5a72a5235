#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "engine/telephony/rtp/record_tap.hpp"
#include "platform/security/key.hpp"
#include "platform/security/tenant_keys.hpp"
#include "platform/storage/blob_store.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace yyc3::recording {

struct RecorderConfig {
  std::filesystem::path spool;              ///< folder of the segments, made 0700
  std::uint64_t segment_bytes = 256 << 20;  ///< a new segment begins beyond; 1 MiB – 4 GiB
};

/// What the recorder works with; all of it outlives the recorder.
struct RecorderDeps {
  security::Key256 spool_key;  ///< seals the segments; derive it from the master key
  const security::TenantKeys& keys;
  storage::BlobStore& blobs;
  const Clock& clock;
  telemetry::Registry& registry;
  telemetry::Log& log;
};

/// A recording that has begun. Store `wrapped_key` with the row before sound flows: without it the
/// recording cannot be read, and deleting it is erasing the recording.
struct RecordingStart {
  RecordingId id;
  Bytes wrapped_key;
  std::string blob_key;                 ///< "<tenant>/recordings/<id>"
  std::shared_ptr<rtp::RecordTap> tap;  ///< for MediaStream::record
};

/// A call's own recording is on the disk (or could not be written: `error`).
struct FinishedRecording {
  RecordingId id;
  std::string tenant;
  std::string blob_key;
  std::uint64_t first_sample = 0;  ///< of the stream's clock: sample 0 of the recording
  std::uint64_t samples = 0;       ///< length at 8 kHz, gaps included
  std::uint64_t dropped_frames = 0;
  bool recovered = false;  ///< after a crash; a second may be missing at its end
  std::string error{};     ///< empty when stored; the sound then stays in the spool
};

enum class RecorderState { kOk, kDiskFull, kFailing };

/// Records calls: stereo, customer left, bot right, encrypted from the first byte on the disk.
///
/// One thread empties all taps twice a second and appends what they held to one encrypted segment
/// file; a second one syncs it once a second and, when a call has ended, copies its pieces out of
/// the segment into the call's own recording (a blob, see recording_file.hpp). After a crash
/// start() does that for every call the segments still hold.
/// Disk full: sound is dropped and counted, calls go on, writing is tried again each second.
/// Threads: any for begin, finish, state; `finished` is called on the second thread.
class Recorder {
 public:
  /// An error (the row could not be stored) keeps the sound in the spool: told again, every 10 s
  /// and at the next start.
  using Finished = std::function<Result<void>(const FinishedRecording&)>;
  /// Recovers what a crash left (told through `finished` before this returns), then starts.
  /// Errors: kUnavailable the spool cannot be made or written, with what to do.
  static Result<std::unique_ptr<Recorder>> start(RecorderConfig config, RecorderDeps deps,
                                                 Finished finished);
  /// Finishes every recording that was begun, then stops.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Errors: kNotFound the tenant has no data key; kInvalid the id is in use or nil.
  Result<RecordingStart> begin(RecordingId id, const std::string& tenant);
  /// The call is over: when its tap is closed (or 2 s later) the recording is written and
  /// `finished` is called. Unknown ids are ignored.
  void finish(RecordingId id);

  [[nodiscard]] RecorderState state() const;

 private:
  struct Impl;
  explicit Recorder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace yyc3::recording
