#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace yyc3::telemetry {

enum class Level { kDebug, kInfo, kWarn, kError };

/// A message is a compile-time constant: what varies goes into fields, so that messages can be
/// grouped and no personal data can slip into one.
class Message {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): a literal is what callers write
  consteval Message(const char* text) : text_(text) {}
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

/// One value of a log line: text, number or bool; anything with `str()` is written as text.
class FieldValue {
 public:
  using Value = std::variant<std::int64_t, std::uint64_t, double, bool, std::string>;

  // NOLINTBEGIN(google-explicit-constructor): fields read as {"call.id", id}
  FieldValue(bool value) : value_(value) {}
  template <class T>
    requires(std::signed_integral<T> && !std::same_as<T, bool>)
  FieldValue(T value) : value_(static_cast<std::int64_t>(value)) {}
  template <class T>
    requires(std::unsigned_integral<T> && !std::same_as<T, bool>)
  FieldValue(T value) : value_(static_cast<std::uint64_t>(value)) {}
  FieldValue(double value) : value_(value) {}
  FieldValue(const char* value) : value_(std::string(value)) {}
  FieldValue(std::string_view value) : value_(std::string(value)) {}
  FieldValue(std::string value) : value_(std::move(value)) {}
  FieldValue(Milliseconds value) : value_(static_cast<std::int64_t>(value.count())) {}
  template <class T>
    requires requires(const T& t) {
      { t.str() } -> std::convertible_to<std::string>;
    }
  FieldValue(const T& value) : value_(std::string(value.str())) {}
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] const Value& value() const { return value_; }

 private:
  Value value_;
};

/// Names follow the Elastic Common Schema where it has one (`error.message`, `process.pid`), else
/// `yyc3.<room>.<noun>`; units in the name (`yyc3.sip.setup_ms`). Personal data only under `pii.*`.
struct Field {
  std::string_view name;
  FieldValue value;
};

struct SinkOptions {
  Level level = Level::kInfo;  ///< lines below it are not written to this sink
  bool allow_pii = false;      ///< false: fields named `pii.*` are left out
};

/// Writes one JSON object a line (Elastic Common Schema 8: `@timestamp`, `log.level`, `message`,
/// `ecs.version`, `service.name`, then the fields as dotted keys).
///
/// Bounds: a value is cut at 1,024 bytes, a line holds 32 fields; a name is cut at 64 bytes.
/// Malformed UTF-8 is dropped. A field may not replace one of the keys above: it is left out.
/// Threads: any; lines are written whole and in order, by the calling thread. Not for the media
/// thread: a sink may block on the disk.
/// Errors: a sink that cannot write (disk full) loses the line, counts it, and never throws.
/// Without a sink everything is dropped, which is what most tests want.
class Log {
 public:
  explicit Log(const Clock& clock, std::string service = "aicall");
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Sinks are added at start, before other threads use the log.
  void open_stderr(const SinkOptions& options = {});
  /// Appends to `path`, mode 0600; rotates at 64 MiB and keeps 4 older files.
  /// Errors: kUnavailable when the file cannot be opened.
  Result<void> open_file(const std::string& path, const SinkOptions& options = {});

  void debug(Message message, std::initializer_list<Field> fields = {}) {
    if (wants(Level::kDebug)) write(Level::kDebug, message, fields);
  }
  void info(Message message, std::initializer_list<Field> fields = {}) {
    if (wants(Level::kInfo)) write(Level::kInfo, message, fields);
  }
  void warn(Message message, std::initializer_list<Field> fields = {}) {
    if (wants(Level::kWarn)) write(Level::kWarn, message, fields);
  }
  void error(Message message, std::initializer_list<Field> fields = {}) {
    if (wants(Level::kError)) write(Level::kError, message, fields);
  }

  /// True when some sink writes lines of this level.
  [[nodiscard]] bool wants(Level level) const { return lowest_ && level >= *lowest_; }
  [[nodiscard]] std::uint64_t lost() const;  ///< lines a sink could not write
  void flush();

 private:
  void write(Level level, Message message, std::initializer_list<Field> fields);

  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::optional<Level> lowest_;
};

/// A log that drops everything.
class NullLog final : public Log {
 public:
  NullLog() : Log(clock()) {}

 private:
  static const Clock& clock();
};

}  // namespace yyc3::telemetry
