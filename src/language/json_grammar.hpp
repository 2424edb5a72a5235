#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

/// JSON schemas as grammars. Pure functions; a schema is an API user's and hostile.
namespace yyc3::language {

/// The GBNF (llama.cpp's grammar notation) of JSON texts that `schema` allows, on one line, without
/// blanks between tokens; rule `root`. Understood: type object (properties in the order given,
/// those not required may be missing), array (items, minItems, maxItems ≤ 64), string (minLength,
/// maxLength ≤ 512), integer, number, boolean, null; enum, const, anyOf, oneOf. `title`,
/// `description`, `default`, `$schema` and `additionalProperties: false` are accepted.
/// Errors: kInvalid naming what is not understood; deeper than 8 or more than 256 parts.
Result<std::string> grammar_of(const json::value& schema);
/// Any JSON object, nested up to 4.
std::string grammar_of_any_object();

/// An object with one field that is one of several strings.
struct ChoiceSchema {
  std::string field;
  std::vector<std::string> choices;  ///< 1 to 64, no two alike
};
/// nullopt: `schema` is something else.
std::optional<ChoiceSchema> choice_schema(const json::value& schema);

}  // namespace yyc3::language
