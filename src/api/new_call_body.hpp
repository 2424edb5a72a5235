#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/problem.hpp"
#include "product/call/call_record.hpp"

namespace yyc3::api {

/// So many wrong fields are told of one body: a small body must not make a huge answer.
inline constexpr std::size_t kFieldErrorsMax = 64;

struct NewCallBody {
  call::NewCall call;
  /// Every wrong field at once (kFieldErrorsMax), in UTF-8; empty when it may be used.
  std::vector<FieldError> errors;
};

/// Reads the body of POST /api/v1/calls (schema NewCall of openapi.yaml). `flows` are the known
/// ones. Errors: kInvalid when it is not a JSON object.
Result<NewCallBody> read_new_call(std::string_view body, const std::set<std::string>& flows);

}  // namespace yyc3::api
