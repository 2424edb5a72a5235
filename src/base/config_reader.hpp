#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <toml++/toml.h>
#include <vector>

#include "base/result.hpp"

namespace yyc3 {

/// One key of the configuration, as it is documented and checked.
struct ConfigKey {
  const char* name;  ///< "section.key", the unit in the name: calls.ring_timeout_s
  const char* help;  ///< one sentence for docs/configuration.md
};

/// Reads `aicall.toml` and the environment into typed fields and collects every problem at once.
///
/// Order: the default already in the field, then the file, then AICALL_<SECTION>__<KEY>. A key the
/// program does not know is a problem too (a typing error must not be silent). What was asked for
/// is remembered: the documentation is generated from the same calls that read.
class ConfigReader {
 public:
  using Environment = std::map<std::string, std::string>;

  /// Errors: kInvalid with line and column when `toml_text` is not TOML.
  static Result<ConfigReader> parse(std::string_view toml_text, Environment environment);

  void read(ConfigKey key, std::string& field);
  void read(ConfigKey key, bool& field);
  void read(ConfigKey key, std::vector<std::string>& field);  ///< environment: comma-separated
  void read(ConfigKey key, std::int64_t& field, std::int64_t min, std::int64_t max);
  void read(ConfigKey key, double& field, double min, double max);
  /// One of `allowed`.
  void read(ConfigKey key, std::string& field, const std::vector<std::string>& allowed);

  /// Adds a problem found by the caller (keys that depend on each other).
  void problem(std::string_view key, std::string_view reason);
  /// After the last read(): "key: reason" for each problem, unknown keys included. Empty when
  /// valid.
  [[nodiscard]] std::vector<std::string> problems() const;

  /// Markdown table of every key asked for: name, default, range, meaning.
  [[nodiscard]] std::string documentation() const;

 private:
  struct Entry {
    std::string value;               ///< as text
    std::vector<std::string> items;  ///< of an array
    enum class Kind { kText, kNumber, kBool, kArray, kOther } kind = Kind::kOther;
    bool used = false;
  };
  struct Documented {
    std::string name, fallback, range, help;
  };

  static Entry entry_of(const toml::node& value);
  Entry* find(std::string_view name);
  void document(ConfigKey key, std::string fallback, std::string range);

  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<std::string> problems_;
  std::vector<Documented> documented_;
};

}  // namespace yyc3
