#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace yyc3::storage {

struct NumberedSql {
  std::string text;
  std::size_t arguments = 0;
};

/// `?` → `$1`, `$2`, … for PostgreSQL, leaving alone '…' strings (E'…' with its backslashes too),
/// "…" names, $tag$…$tag$ strings and both kinds of comment (nested, as PostgreSQL does).
/// Errors: kInvalid when a string, name or comment is not closed, or over 65,535 arguments.
Result<NumberedSql> number_placeholders(std::string_view sql);

}  // namespace yyc3::storage
