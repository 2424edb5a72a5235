#include "product/call/recordings.hpp"

#include <functional>
#include <optional>
#include <utility>

#include "product/call/call_record.hpp"
#include "product/events/events.hpp"

namespace yyc3::call {

namespace {

using storage::Connection;
using storage::Lane;

/// Runs `work` on `loop`; the coroutine goes on where it was.
template <class T>
net::Task<T> run_on(net::EventLoop& loop, std::function<T()> work) {
  const std::function<void(std::function<void(T)>)> start =
      [&loop, work = std::move(work)](std::function<void(T)> done) {
        const bool posted = loop.post([work, done] { done(work()); });
        if (!posted) done(fail(ErrorCode::kBusy, "too many recordings are being read"));
      };
  co_return co_await net::await_callback<T>(start);
}

struct Row {
  std::string id, blob_key, state;
  Bytes wrapped_key;
};

}  // namespace

net::Task<Result<std::string>> Playback::read(std::uint64_t offset, std::size_t length) {
  const std::function<Result<std::string>()> work = [this, offset,
                                                     length]() -> Result<std::string> {
    auto bytes = reader_.read(offset, length);
    if (!bytes) return tl::unexpected<Error>(bytes.error());
    return std::string(as_text(*bytes));
  };
  co_return co_await run_on<Result<std::string>>(files_, work);
}

net::Task<Result<std::shared_ptr<Playback>>> Recordings::open(CallId call) {
  const auto job = [call](Connection& db) -> Result<std::optional<Row>> {
    auto rows = db.query(
        "SELECT id, blob_key, state, wrapped_key FROM recordings WHERE call_id = ?", {call.str()});
    if (!rows) return tl::unexpected<Error>(rows.error());
    if (rows->empty()) return std::optional<Row>();
    const auto& row = rows->front();
    return std::optional(
        Row{row.text("id"), row.text("blob_key"), row.text("state"), row.bytes("wrapped_key")});
  };
  const auto row = co_await parts_.database.read(Lane::kApi, job);
  if (!row) co_return tl::unexpected<Error>(row.error());
  if (!*row) co_return fail(ErrorCode::kNotFound, "this call has no recording");
  const Row found = **row;
  if (found.state == "erased") co_return fail(ErrorCode::kNotFound, "the recording was erased");
  if (found.state != "ready")
    co_return fail(ErrorCode::kNotFound, "the recording is not finished yet; try again shortly");
  const auto key = security::open_recording_key(parts_.keys, kTenant, found.id, found.wrapped_key);
  if (!key) co_return tl::unexpected<Error>(key.error());
  using Opened = Result<std::shared_ptr<Playback>>;
  const std::function<Opened()> work = [this, found, key = *key]() -> Opened {
    auto reader = recording::RecordingReader::open(parts_.blobs, found.blob_key, key, found.id);
    if (!reader) return tl::unexpected<Error>(reader.error());
    return std::make_shared<Playback>(std::move(*reader), parts_.files);
  };
  co_return co_await run_on<Opened>(parts_.files, work);
}

Result<void> Recordings::finished(const recording::FinishedRecording& r) {
  const auto duration = static_cast<std::int64_t>(r.samples / 8);
  const bool good = r.error.empty();
  auto stored = parts_.database.write_blocking(
      Lane::kBatch, [&](Connection& db) -> Result<std::optional<CallId>> {
        auto done = db.exec(
            "UPDATE recordings SET state = ?, duration_ms = ?, lost_frames = ? WHERE id = ?",
            {good ? "ready" : "failed", duration, static_cast<std::int64_t>(r.dropped_frames),
             r.id.str()});
        if (!done) return tl::unexpected<Error>(done.error());
        auto rows = db.query("SELECT call_id FROM recordings WHERE id = ?", {r.id.str()});
        if (!rows) return tl::unexpected<Error>(rows.error());
        if (rows->empty()) return std::optional<CallId>();
        auto touched = db.exec("UPDATE calls SET revision = revision + 1 WHERE id = ?",
                               {rows->front().text("call_id")});
        if (!touched) return tl::unexpected<Error>(touched.error());
        auto id = CallId::parse(rows->front().text("call_id"));
        if (!id) return tl::unexpected<Error>(id.error());
        return std::optional(*id);
      });
  if (!stored) return tl::unexpected<Error>(stored.error());
  if (*stored && good)
    parts_.bus.publish(events::RecordingReady{**stored, kTenant, r.id, Milliseconds{duration}});
  return {};
}

}  // namespace yyc3::call
