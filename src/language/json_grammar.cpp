#include "language/json_grammar.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>
#include <string_view>

namespace yyc3::language {

namespace {

constexpr int kDepthMax = 8;
constexpr int kPartsMax = 256;
constexpr std::int64_t kItemsMax = 64;
constexpr std::int64_t kLengthMax = 512;
constexpr std::size_t kChoicesMax = 64;

/// `text` as a terminal of GBNF.
std::string literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string json_literal(const json::value& value) { return literal(json::serialize(value)); }

class Writer {
 public:
  Result<std::string> value(const json::value& schema, int depth);

 private:
  Result<std::string> one_of(const json::array& values);
  Result<std::string> any_of(const json::array& schemas, int depth);
  Result<std::string> object(const json::object& schema, int depth);
  Result<std::string> array(const json::object& schema, int depth);
  Result<std::string> text(const json::object& schema);
  static Result<void> known(const json::object& schema);
  int parts_ = 0;
};

Result<void> Writer::known(const json::object& schema) {
  constexpr std::array<std::string_view, 17> kKnown{"type",
                                                    "properties",
                                                    "required",
                                                    "items",
                                                    "minItems",
                                                    "maxItems",
                                                    "enum",
                                                    "const",
                                                    "anyOf",
                                                    "oneOf",
                                                    "title",
                                                    "description",
                                                    "$schema",
                                                    "default",
                                                    "minLength",
                                                    "maxLength",
                                                    "additionalProperties"};
  for (const auto& field : schema)
    if (std::ranges::find(kKnown, std::string_view(field.key())) == kKnown.end())
      return fail(ErrorCode::kInvalid, fmt::format("schema: \"{}\" is not understood here",
                                                   std::string_view(field.key()).substr(0, 40)));
  const json::value* more = schema.if_contains("additionalProperties");
  if (more != nullptr && *more != json::value(false))
    return fail(ErrorCode::kInvalid, "schema: additionalProperties: only false is understood");
  return {};
}

Result<std::string> Writer::one_of(const json::array& values) {
  if (values.empty() || values.size() > kChoicesMax)
    return fail(ErrorCode::kInvalid, "schema: enum: 1 to 64 values");
  std::string out;
  for (const json::value& each : values) {
    if (each.is_object() || each.is_array())
      return fail(ErrorCode::kInvalid, "schema: enum: only texts, numbers, true, false and null");
    out += (out.empty() ? "(" : " | ") + json_literal(each);
  }
  return out + ")";
}

Result<std::string> Writer::any_of(const json::array& schemas, int depth) {
  if (schemas.empty()) return fail(ErrorCode::kInvalid, "schema: anyOf: none is given");
  std::string out;
  for (const json::value& each : schemas) {
    auto part = value(each, depth + 1);
    if (!part) return part;
    out += (out.empty() ? "(" : " | ") + *part;
  }
  return out + ")";
}

/// A field that may be missing takes the comma before it along; the first that is there has none.
Result<std::string> Writer::object(const json::object& schema, int depth) {
  const json::value* properties = schema.if_contains("properties");
  if (properties == nullptr || !properties->is_object() || properties->get_object().empty())
    return fail(ErrorCode::kInvalid, "schema: properties: an object needs at least one");
  std::set<std::string, std::less<>> required;
  if (const json::value* list = schema.if_contains("required"); list != nullptr && list->is_array())
    for (const json::value& each : list->get_array())
      if (each.is_string()) required.emplace(each.get_string());
  // No comma is due before the first field; which is first is known once a required one was there.
  std::string out;
  bool sure = false;  ///< a field surely stands before
  for (const auto& [name, inner] : properties->get_object()) {
    auto part = value(inner, depth + 1);
    if (!part) return part;
    const std::string field = json_literal(json::value(name)) + " \":\" " + *part;
    const bool needed = required.contains(std::string_view(name));
    if (!needed && !sure)
      return fail(ErrorCode::kInvalid, "schema: required: name the first property there");
    const std::string with_comma = sure ? "\",\" " + field : field;
    out += needed ? " " + with_comma : " (" + with_comma + ")?";
    sure = true;
  }
  return "\"{\"" + out + " \"}\"";
}

Result<std::string> Writer::array(const json::object& schema, int depth) {
  const json::value* items = schema.if_contains("items");
  if (items == nullptr) return fail(ErrorCode::kInvalid, "schema: items: an array needs them");
  auto part = value(*items, depth + 1);
  if (!part) return part;
  const std::int64_t least = int_field(schema, "minItems").value_or(0);
  const std::int64_t most = int_field(schema, "maxItems").value_or(kItemsMax);
  if (least < 0 || most < std::max<std::int64_t>(least, 1) || most > kItemsMax)
    return fail(ErrorCode::kInvalid, "schema: minItems, maxItems: 0 to 64, maxItems at least 1");
  const std::string more = most == 1 ? ""
                                     : fmt::format(" (\",\" {}){{{},{}}}", *part,
                                                   std::max<std::int64_t>(least - 1, 0), most - 1);
  const std::string full = *part + more;
  return least > 0 ? "\"[\" " + full + " \"]\"" : "\"[\" (" + full + ")? \"]\"";
}

Result<std::string> Writer::text(const json::object& schema) {
  const std::int64_t least = int_field(schema, "minLength").value_or(0);
  const std::int64_t most = int_field(schema, "maxLength").value_or(kLengthMax);
  if (least < 0 || most < least || most > kLengthMax)
    return fail(ErrorCode::kInvalid, "schema: minLength, maxLength: 0 to 512");
  return fmt::format("\"\\\"\" char{{{},{}}} \"\\\"\"", least, most);
}

Result<std::string> Writer::value(const json::value& schema, int depth) {
  if (++parts_ > kPartsMax || depth > kDepthMax)
    return fail(ErrorCode::kInvalid, "schema: deeper than 8, or more than 256 parts");
  const json::object* at = schema.if_object();
  if (at == nullptr) return fail(ErrorCode::kInvalid, "schema: an object is needed");
  if (const auto fine = known(*at); !fine) return tl::unexpected<Error>(fine.error());
  if (const json::value* values = at->if_contains("enum"); values != nullptr) {
    if (!values->is_array()) return fail(ErrorCode::kInvalid, "schema: enum: a list is needed");
    return one_of(values->get_array());
  }
  if (const json::value* only = at->if_contains("const")) return one_of({*only});
  for (const char* name : {"anyOf", "oneOf"})
    if (const json::value* list = at->if_contains(name); list != nullptr && list->is_array())
      return any_of(list->get_array(), depth);
  std::string type = string_field(schema, "type").value_or("");
  if (type == "object") return object(*at, depth);
  if (type == "array") return array(*at, depth);
  if (type == "string") return text(*at);
  if (type == "integer" || type == "number" || type == "boolean" || type == "null") return type;
  return fail(ErrorCode::kInvalid,
              "schema: type: object, array, string, integer, number, boolean or null");
}

constexpr std::string_view kTerminals =
    "char ::= [^\"\\\\\\x00-\\x1f\\x7f] | \"\\\\\" ([\"\\\\bfnrt] | \"u\" [0-9a-fA-F]{4})\n"
    "integer ::= \"-\"? (\"0\" | [1-9] [0-9]{0,15})\n"
    "number ::= integer (\".\" [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?\n"
    "boolean ::= \"true\" | \"false\"\n"
    "null ::= \"null\"\n";

}  // namespace

Result<std::string> grammar_of(const json::value& schema) {
  auto root = Writer().value(schema, 0);
  if (!root) return root;
  return "root ::= " + *root + "\n" + std::string(kTerminals);
}

std::string grammar_of_any_object() {
  std::string out(kTerminals);
  out += "string ::= \"\\\"\" char{0,512} \"\\\"\"\n";
  std::string deeper = "string | number | boolean | null";
  for (const char* level : {"d", "c", "b", "a"}) {
    out += fmt::format("value-{} ::= {}\n", level, deeper);
    out += fmt::format(
        "object-{0} ::= \"{{\" (string \":\" value-{0} (\",\" string \":\" value-{0}){{0,63}})? "
        "\"}}\"\n",
        level);
    out += fmt::format("array-{0} ::= \"[\" (value-{0} (\",\" value-{0}){{0,63}})? \"]\"\n", level);
    deeper = fmt::format("string | number | boolean | null | object-{0} | array-{0}", level);
  }
  return "root ::= object-a\n" + out;
}

std::optional<ChoiceSchema> choice_schema(const json::value& schema) {
  const json::value* properties = find_field(schema, "properties");
  if (string_field(schema, "type") != "object" || properties == nullptr ||
      !properties->is_object() || properties->get_object().size() != 1)
    return std::nullopt;
  const auto& [name, inner] = *properties->get_object().begin();
  const json::value* values = find_field(inner, "enum");
  if (values == nullptr || !values->is_array()) return std::nullopt;
  ChoiceSchema out{std::string(name), {}};
  for (const json::value& each : values->get_array()) {
    if (!each.is_string()) return std::nullopt;
    std::string text(each.get_string());
    if (std::ranges::find(out.choices, text) == out.choices.end())
      out.choices.push_back(std::move(text));
  }
  if (out.choices.empty() || out.choices.size() > kChoicesMax) return std::nullopt;
  return out;
}

}  // namespace yyc3::language
