#include "platform/telemetry/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <stdexcept>

namespace yyc3::telemetry {

namespace {

constexpr std::size_t kSeriesMax = 10'000;

enum class Type { kCounter, kGauge, kHistogram };

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// [a-zA-Z_][a-zA-Z0-9_]*, with ':' too in metric names (OpenMetrics 1.0, ABNF).
bool is_name(std::string_view name, bool colon) {
  if (name.empty() || is_digit(name.front())) return false;
  return std::all_of(name.begin(), name.end(), [colon](char c) {
    return is_letter(c) || is_digit(c) || (colon && c == ':');
  });
}

[[noreturn]] void refuse(std::string_view name, std::string_view why) {
  throw std::invalid_argument(fmt::format("metric {}: {}", name, why));
}

/// The three escapes that label values and help texts know.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"') {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";  // canonical float
  return text;
}

std::string label_text(std::string_view metric, Labels labels) {
  std::sort(labels.begin(), labels.end());
  std::string text;
  std::string_view last;
  for (const auto& [name, value] : labels) {
    if (!is_name(name, false) || name.starts_with("__") || name == "le" || name == "quantile")
      refuse(metric, "bad label name");
    if (name == last) refuse(metric, "label given twice");
    last = name;
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, escaped(value));
  }
  return text;
}

bool ends_in_reserved(std::string_view name) {
  for (const std::string_view suffix :
       {"_total", "_created", "_count", "_sum", "_bucket", "_info", "_gcount", "_gsum"}) {
    if (name.ends_with(suffix)) return true;
  }
  return false;
}

struct Series {
  // exactly one is set, by the family's type
  std::unique_ptr<Counter> counter;
  std::unique_ptr<Gauge> gauge;
  std::unique_ptr<Histogram> histogram;
};

struct Family {
  Type type = Type::kCounter;
  std::string help;
  std::vector<double> bounds;
  std::map<std::string, Series> series;  // by label text
};

std::string sample(std::string_view name, std::string_view labels, std::string_view value) {
  if (labels.empty()) return fmt::format("{} {}\n", name, value);
  return fmt::format("{}{{{}}} {}\n", name, labels, value);
}

std::string render_histogram(const std::string& name, const std::string& labels,
                             const Histogram& histogram) {
  std::string text;
  std::uint64_t total = 0;
  const std::string comma = labels.empty() ? "" : ",";
  for (std::size_t i = 0; i <= histogram.bounds().size(); ++i) {
    total += histogram.bucket(i);
    const std::string edge = i < histogram.bounds().size() ? number(histogram.bounds()[i]) : "+Inf";
    text += sample(name + "_bucket", fmt::format("{}{}le=\"{}\"", labels, comma, edge),
                   std::to_string(total));
  }
  // the count is the sum of the buckets just read, so that one page never contradicts itself
  text += sample(name + "_count", labels, std::to_string(total));
  text += sample(name + "_sum", labels, number(histogram.sum()));
  return text;
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)) {
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    if (!std::isfinite(bounds_[i])) refuse("histogram", "bounds must be finite");
    if (i > 0 && !(bounds_[i - 1] < bounds_[i])) refuse("histogram", "bounds must rise");
  }
  buckets_ = std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1);
}

void Histogram::observe(double value) {
  if (std::isnan(value)) return;
  const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  buckets_[static_cast<std::size_t>(at - bounds_.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i <= bounds_.size(); ++i) total += bucket(i);
  return total;
}

std::uint64_t Histogram::bucket(std::size_t index) const {
  return buckets_[index].load(std::memory_order_relaxed);
}

struct Registry::Impl {
  /// The series to fill in; creates family and series. Call with `mutex` held.
  Series& at(std::string_view name, Type type, std::string_view help, Labels labels) {
    if (!is_name(name, true)) refuse(name, "bad name");
    const std::string key = label_text(name, std::move(labels));
    const auto [entry, fresh] = families.try_emplace(std::string(name));
    Family& family = entry->second;
    if (fresh) {
      family.type = type;
      family.help = help;
    }
    if (family.type != type) refuse(name, "registered before with another type");
    if (family.help != help) refuse(name, "registered before with another help text");
    const auto found = family.series.find(key);
    if (found != family.series.end()) return found->second;
    if (series_count >= kSeriesMax) throw std::length_error("more than 10000 metric series");
    ++series_count;
    return family.series[key];
  }

  mutable std::mutex mutex;  // registering and scraping are rare; metrics themselves never lock
  std::map<std::string, Family> families;  // by family name: a counter's without `_total`
  std::size_t series_count = 0;
};

Registry::Registry() : impl_(std::make_unique<Impl>()) {}
Registry::~Registry() = default;

Counter& Registry::counter(std::string_view name, std::string_view help, Labels labels) {
  if (!name.ends_with("_total")) refuse(name, "a counter must end in _total");
  name.remove_suffix(std::string_view("_total").size());
  const std::lock_guard lock(impl_->mutex);
  Series& series = impl_->at(name, Type::kCounter, help, std::move(labels));
  if (!series.counter) series.counter = std::make_unique<Counter>();
  return *series.counter;
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
  if (ends_in_reserved(name)) refuse(name, "a gauge may not end like another type's sample");
  const std::lock_guard lock(impl_->mutex);
  Series& series = impl_->at(name, Type::kGauge, help, std::move(labels));
  if (!series.gauge) series.gauge = std::make_unique<Gauge>();
  return *series.gauge;
}

Histogram& Registry::histogram(std::string_view name, std::string_view help,
                               std::vector<double> bounds, Labels labels) {
  if (ends_in_reserved(name)) refuse(name, "a histogram may not end like another type's sample");
  auto made = std::make_unique<Histogram>(std::move(bounds));  // throws before anything is stored
  const std::lock_guard lock(impl_->mutex);
  const auto known = impl_->families.find(std::string(name));
  if (known != impl_->families.end() && known->second.type == Type::kHistogram &&
      known->second.bounds != made->bounds())
    refuse(name, "registered before with other buckets");
  Series& series = impl_->at(name, Type::kHistogram, help, std::move(labels));
  impl_->families.find(std::string(name))->second.bounds = made->bounds();
  if (!series.histogram) series.histogram = std::move(made);
  return *series.histogram;
}

std::string Registry::render() const {
  const std::lock_guard lock(impl_->mutex);
  std::string page;
  for (const auto& [name, family] : impl_->families) {
    const char* const type = family.type == Type::kCounter ? "counter"
                             : family.type == Type::kGauge ? "gauge"
                                                           : "histogram";
    page += fmt::format("# TYPE {} {}\n# HELP {} {}\n", name, type, name, escaped(family.help));
    for (const auto& [labels, series] : family.series) {
      if (series.counter)
        page += sample(name + "_total", labels, std::to_string(series.counter->value()));
      if (series.gauge) page += sample(name, labels, number(series.gauge->value()));
      if (series.histogram) page += render_histogram(name, labels, *series.histogram);
    }
  }
  return page + "# EOF\n";
}

}  // namespace yyc3::telemetry
