#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace yyc3::telemetry {

/// Constant labels of one series, given when it is registered. Few and bounded: never a phone
/// number, a call id or a raw path.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Only ever grows. Threads: any, wait-free; the media thread may use it.
class Counter {
 public:
  Counter() = default;
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Goes up and down. Threads: any, lock-free.
class Gauge {
 public:
  Gauge() = default;
  Gauge(const Gauge&) = delete;
  Gauge& operator=(const Gauge&) = delete;
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double step = 1) { value_.fetch_add(step, std::memory_order_relaxed); }
  void sub(double step = 1) { value_.fetch_sub(step, std::memory_order_relaxed); }
  [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// Counts observations in fixed buckets. Threads: any, lock-free; never allocates after
/// construction. A NaN is not counted: it would poison the sum for ever.
class Histogram {
 public:
  /// @param bounds upper edges (inclusive), strictly rising, finite; +Inf is added.
  ///   Throws std::invalid_argument otherwise (start-up only).
  explicit Histogram(std::vector<double> bounds);
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  void observe(double value);
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] double sum() const { return sum_.load(std::memory_order_relaxed); }
  [[nodiscard]] const std::vector<double>& bounds() const { return bounds_; }
  /// Observations in bucket `index` alone (not cumulative); `bounds().size()` is the +Inf bucket.
  [[nodiscard]] std::uint64_t bucket(std::size_t index) const;

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> buckets_;
  std::atomic<double> sum_{0};
};

/// Every metric of one process. Each room registers its own once, at start, in a `…Metrics` struct.
///
/// References stay valid as long as the registry lives. Registering a name with the same labels
/// again returns the same object. Throws std::invalid_argument for a bad name (a counter must end
/// in `_total`), a bad label, one name with two types, helps or bucket sets: programming errors.
/// Bound: 10,000 series, then std::length_error: labels are running wild.
/// Threads: any; registering and rendering lock, the metrics themselves do not.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter& counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                       Labels labels = {});

  /// OpenMetrics 1.0 text of all series, `# EOF` included; serve it with `kContentType`.
  [[nodiscard]] std::string render() const;
  static constexpr const char* kContentType =
      "application/openmetrics-text; version=1.0.0; charset=utf-8";

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yyc3::telemetry
