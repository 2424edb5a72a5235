#include "base/json.hpp"

#include <fmt/format.h>

namespace yyc3 {

Result<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = 32;
  json::stream_parser parser({}, options);
  boost::system::error_code error;
  const std::size_t used = parser.write_some(text.data(), text.size(), error);
  if (!error && used < text.size())
    return fail(ErrorCode::kInvalid, fmt::format("text behind the JSON at byte {}", used));
  if (!error) parser.finish(error);
  if (error)
    return fail(ErrorCode::kInvalid, fmt::format("not JSON at byte {}: {}", used, error.message()));
  return parser.release();
}

const json::value* find_field(const json::value& object, std::string_view key) {
  const json::object* fields = object.if_object();
  return fields == nullptr ? nullptr : fields->if_contains(key);
}

std::optional<std::string> string_field(const json::value& object, std::string_view key) {
  const json::value* field = find_field(object, key);
  if (field == nullptr || !field->is_string()) return std::nullopt;
  return std::string(field->get_string());
}

std::optional<std::int64_t> int_field(const json::value& object, std::string_view key) {
  const json::value* field = find_field(object, key);
  if (field == nullptr) return std::nullopt;
  boost::system::error_code error;
  const auto number = field->to_number<std::int64_t>(error);
  return error ? std::nullopt : std::optional(number);
}

std::optional<double> number_field(const json::value& object, std::string_view key) {
  const json::value* field = find_field(object, key);
  if (field == nullptr || !field->is_number()) return std::nullopt;
  return field->to_number<double>();
}

std::optional<bool> bool_field(const json::value& object, std::string_view key) {
  const json::value* field = find_field(object, key);
  if (field == nullptr || !field->is_bool()) return std::nullopt;
  return field->get_bool();
}

}  // namespace yyc3
