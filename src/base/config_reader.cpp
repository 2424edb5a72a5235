#include "base/config_reader.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <toml++/toml.h>

namespace yyc3 {

namespace {

constexpr std::string_view kPrefix = "AICALL_";

template <class T>
std::optional<T> number_of(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

/// AICALL_CALLS__RING_TIMEOUT_S → calls.ring_timeout_s; nullopt when it is not of that form.
std::optional<std::string> key_of_variable(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::size_t cut = name.find("__");
  if (cut == std::string_view::npos) return std::nullopt;
  std::string key =
      fmt::format("{}.{}", name.substr(kPrefix.size(), cut - kPrefix.size()), name.substr(cut + 2));
  std::transform(key.begin(), key.end(), key.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return key;
}

}  // namespace

ConfigReader::Entry ConfigReader::entry_of(const toml::node& value) {
  if (const auto text = value.value_exact<std::string>()) return {*text, {}, Entry::Kind::kText};
  if (const auto whole = value.value_exact<std::int64_t>())
    return {std::to_string(*whole), {}, Entry::Kind::kNumber};
  if (const auto real = value.value_exact<double>())
    return {fmt::format("{}", *real), {}, Entry::Kind::kNumber};
  if (const auto flag = value.value_exact<bool>())
    return {*flag ? "true" : "false", {}, Entry::Kind::kBool};
  Entry entry;
  if (const toml::array* array = value.as_array()) {
    for (const auto& item : *array)
      if (const auto text = item.value_exact<std::string>()) entry.items.push_back(*text);
    if (entry.items.size() == array->size()) entry.kind = Entry::Kind::kArray;
  }
  return entry;
}

Result<ConfigReader> ConfigReader::parse(std::string_view toml_text, Environment environment) {
  ConfigReader reader;
  toml::table root;
  try {
    root = toml::parse(toml_text);
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::kInvalid,
                fmt::format("line {}, column {}: {}", error.source().begin.line,
                            error.source().begin.column, error.description()));
  }
  for (const auto& [section, node] : root) {
    if (const toml::table* table = node.as_table()) {
      for (const auto& [key, value] : *table)
        reader.entries_[fmt::format("{}.{}", section.str(), key.str())] = entry_of(value);
    } else {
      reader.problem(section.str(), "stands outside a [section]");
    }
  }
  for (const auto& [name, value] : environment)
    if (const auto key = key_of_variable(name))
      reader.entries_[*key] = {value, {}, Entry::Kind::kText};
  return reader;
}

ConfigReader::Entry* ConfigReader::find(std::string_view name) {
  const auto at = entries_.find(name);
  if (at == entries_.end()) return nullptr;
  at->second.used = true;
  return &at->second;
}

void ConfigReader::document(ConfigKey key, std::string fallback, std::string range) {
  documented_.push_back({key.name, std::move(fallback), std::move(range), key.help});
}

void ConfigReader::read(ConfigKey key, std::string& field) {
  document(key, fmt::format("\"{}\"", field), "text");
  const Entry* entry = find(key.name);
  if (entry == nullptr) return;
  if (entry->kind != Entry::Kind::kText) return problem(key.name, "must be text in quotes");
  field = entry->value;
}

void ConfigReader::read(ConfigKey key, bool& field) {
  document(key, field ? "true" : "false", "true or false");
  const Entry* entry = find(key.name);
  if (entry == nullptr) return;
  if (entry->value != "true" && entry->value != "false")
    return problem(key.name, "must be true or false");
  field = entry->value == "true";
}

void ConfigReader::read(ConfigKey key, std::vector<std::string>& field) {
  document(key, fmt::format("[{}]", fmt::join(field, ", ")), "list of texts");
  const Entry* entry = find(key.name);
  if (entry == nullptr) return;
  if (entry->kind != Entry::Kind::kArray && entry->kind != Entry::Kind::kText)
    return problem(key.name, "must be a list of texts");
  field = entry->kind == Entry::Kind::kArray ? entry->items : split(entry->value);
}

void ConfigReader::read(ConfigKey key, std::int64_t& field, std::int64_t min, std::int64_t max) {
  document(key, std::to_string(field), fmt::format("{} … {}", min, max));
  const Entry* entry = find(key.name);
  if (entry == nullptr) return;
  const auto value = number_of<std::int64_t>(entry->value);
  if (!value || *value < min || *value > max)
    return problem(key.name, fmt::format("must be a whole number from {} to {}", min, max));
  field = *value;
}

void ConfigReader::read(ConfigKey key, double& field, double min, double max) {
  document(key, fmt::format("{}", field), fmt::format("{} … {}", min, max));
  const Entry* entry = find(key.name);
  if (entry == nullptr) return;
  const auto value = number_of<double>(entry->value);
  if (!value || !(*value >= min && *value <= max))
    return problem(key.name, fmt::format("must be a number from {} to {}", min, max));
  field = *value;
}

void ConfigReader::read(ConfigKey key, std::string& field,
                        const std::vector<std::string>& allowed) {
  document(key, fmt::format("\"{}\"", field), fmt::format("{}", fmt::join(allowed, ", ")));
  const Entry* entry = find(key.name);
  if (entry == nullptr) return;
  if (std::find(allowed.begin(), allowed.end(), entry->value) == allowed.end())
    return problem(key.name, fmt::format("must be one of {}", fmt::join(allowed, ", ")));
  field = entry->value;
}

void ConfigReader::problem(std::string_view key, std::string_view reason) {
  problems_.push_back(fmt::format("{}: {}", key, reason));
}

std::vector<std::string> ConfigReader::problems() const {
  std::vector<std::string> all = problems_;
  for (const auto& [name, entry] : entries_)
    if (!entry.used) all.push_back(fmt::format("{}: no such key", name));
  return all;
}

std::string ConfigReader::documentation() const {
  std::string out = "| key | default | range | meaning |\n|---|---|---|---|\n";
  for (const auto& row : documented_)
    out += fmt::format("| `{}` | `{}` | {} | {} |\n", row.name, row.fallback, row.range, row.help);
  return out;
}

}  // namespace yyc3
