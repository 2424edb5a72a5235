#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "base/result.hpp"

namespace yyc3 {

namespace json = boost::json;

/// Parses one JSON text from the outside world. Errors: kInvalid with the position when it is not
/// JSON (RFC 8259), nests deeper than 32, is not UTF-8, or has bytes behind it.
Result<json::value> parse_json(std::string_view text);

/// A field of an object, or nullopt when absent, null or of another type. Never throws.
std::optional<std::string> string_field(const json::value& object, std::string_view key);
std::optional<std::int64_t> int_field(const json::value& object, std::string_view key);
std::optional<double> number_field(const json::value& object, std::string_view key);
std::optional<bool> bool_field(const json::value& object, std::string_view key);
/// Pointer into `object`, or nullptr.
const json::value* find_field(const json::value& object, std::string_view key);

}  // namespace yyc3
