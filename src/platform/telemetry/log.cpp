#include "platform/telemetry/log.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>
#include <vector>

#include "base/bytes.hpp"
#include "base/json.hpp"

namespace yyc3::telemetry {

namespace {

constexpr std::size_t kValueBytesMax = 1024;
constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kFieldsMax = 32;
constexpr std::size_t kFileBytesMax = 64u << 20;
constexpr std::size_t kOldFiles = 4;
constexpr const char* kEcsVersion = "8.11.0";

constexpr std::array<std::string_view, 5> kReserved = {"@timestamp", "log.level", "message",
                                                       "ecs.version", "service.name"};

const char* level_name(Level level) {
  constexpr std::array kNames = {"debug", "info", "warn", "error"};
  return kNames[static_cast<std::size_t>(level)];
}

std::string bounded(std::string_view text, std::size_t bytes) {
  return sanitize_utf8(text.substr(0, bytes));  // drops the character that the cut halved
}

json::value to_json(const FieldValue& field) {
  return std::visit(
      [](const auto& value) -> json::value {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::string>) {
          return json::value(bounded(value, kValueBytesMax));
        } else if constexpr (std::is_same_v<T, double>) {
          // JSON has no NaN and no infinity
          if (!std::isfinite(value)) return json::value(std::to_string(value));
          return json::value(value);
        } else {
          return json::value(value);
        }
      },
      field.value());
}

bool is_pii(std::string_view name) { return name == "pii" || name.starts_with("pii."); }

struct Sink {
  SinkOptions options;
  std::shared_ptr<spdlog::sinks::sink> out;
};

}  // namespace

struct Log::Impl {
  Impl(const Clock& time, std::string name) : clock(time), service(std::move(name)) {}

  std::string line(Level level, Message message, std::initializer_list<Field> fields,
                   bool with_pii) const {
    json::object object;
    object["@timestamp"] = to_rfc3339(clock.utc());
    object["log.level"] = level_name(level);
    object["message"] = message.text();
    object["ecs.version"] = kEcsVersion;
    object["service.name"] = service;
    std::size_t room = kFieldsMax;
    for (const Field& field : fields) {
      if (room == 0) break;
      if (!with_pii && is_pii(field.name)) continue;
      if (std::find(kReserved.begin(), kReserved.end(), field.name) != kReserved.end()) continue;
      object[bounded(field.name, kNameBytesMax)] = to_json(field.value);
      --room;
    }
    return json::serialize(object);
  }

  void add(const SinkOptions& options, std::shared_ptr<spdlog::sinks::sink> out) {
    // the line is complete: spdlog adds its end and nothing else
    out->set_formatter(
        std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc, "\n"));
    sinks.push_back({options, std::move(out)});
  }

  const Clock& clock;
  std::string service;
  std::vector<Sink> sinks;
  std::atomic<std::uint64_t> lost{0};
};

Log::Log(const Clock& clock, std::string service)
    : impl_(std::make_unique<Impl>(clock, std::move(service))) {}

Log::~Log() = default;

void Log::open_stderr(const SinkOptions& options) {
  impl_->add(options, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  lowest_ = lowest_ ? std::min(*lowest_, options.level) : options.level;
}

Result<void> Log::open_file(const std::string& path, const SinkOptions& options) {
  spdlog::file_event_handlers handlers;
  handlers.after_open = [](const spdlog::filename_t&, std::FILE* file) {
    struct stat info{};
    if (::fstat(::fileno(file), &info) == 0 && S_ISREG(info.st_mode))
      (void)::fchmod(::fileno(file), S_IRUSR | S_IWUSR);  // a log names customers' calls
  };
  try {
    impl_->add(options, std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
                            path, kFileBytesMax, kOldFiles, false, handlers));
  } catch (const std::exception& error) {
    return fail(ErrorCode::kUnavailable, std::string("log file: ") + error.what());
  }
  lowest_ = lowest_ ? std::min(*lowest_, options.level) : options.level;
  return {};
}

void Log::write(Level level, Message message, std::initializer_list<Field> fields) {
  constexpr std::array kLevels = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                  spdlog::level::err};
  for (const Sink& sink : impl_->sinks) {
    if (level < sink.options.level) continue;
    try {
      const std::string line = impl_->line(level, message, fields, sink.options.allow_pii);
      const spdlog::details::log_msg entry(spdlog::log_clock::time_point{}, spdlog::source_loc{},
                                           {}, kLevels[static_cast<std::size_t>(level)], line);
      sink.out->log(entry);
      if (level >= Level::kInfo) sink.out->flush();  // a crash must not eat the last lines
    } catch (const std::exception&) {
      impl_->lost.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

std::uint64_t Log::lost() const { return impl_->lost.load(std::memory_order_relaxed); }

void Log::flush() {
  for (const Sink& sink : impl_->sinks) {
    try {
      sink.out->flush();
    } catch (const std::exception&) {
      impl_->lost.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

const Clock& NullLog::clock() {
  static const SystemClock system;
  return system;
}

}  // namespace yyc3::telemetry
