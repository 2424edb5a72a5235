#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/ids.hpp"
#include "engine/telephony/recording/recorder.hpp"
#include "engine/telephony/recording/recording_reader.hpp"
#include "platform/net/event_loop.hpp"
#include "platform/security/tenant_keys.hpp"
#include "platform/storage/blob_store.hpp"
#include "platform/storage/database.hpp"
#include "product/events/bus.hpp"

namespace yyc3::call {

/// One recording being played: a WAV, read in pieces. Threads: any loop, one read at a time.
class Playback {
 public:
  Playback(recording::RecordingReader reader, net::EventLoop& files)
      : reader_(std::move(reader)), files_(files) {}
  [[nodiscard]] std::uint64_t size() const { return reader_.size(); }
  net::Task<Result<std::string>> read(std::uint64_t offset, std::size_t length);

 private:
  recording::RecordingReader reader_;
  net::EventLoop& files_;
};

/// Finds and opens the recordings of calls, and keeps their rows. The disk is read on `files`, a
/// loop of its own, so that no web or call loop waits for it.
class Recordings {
 public:
  struct Parts {
    storage::Database& database;
    storage::BlobStore& blobs;
    const security::TenantKeys& keys;
    net::EventLoop& files;
    events::Bus& bus;
  };
  explicit Recordings(Parts parts) : parts_(parts) {}

  /// Errors: kNotFound no such call, no recording, or not finished yet (told apart in the text).
  net::Task<Result<std::shared_ptr<Playback>>> open(CallId call);
  /// The recorder's `finished`: brings the row up to date. Blocking; the recorder's thread.
  Result<void> finished(const recording::FinishedRecording& recording);

 private:
  Parts parts_;
};

}  // namespace yyc3::call
