#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/problem.hpp"
#include "product/call/call_record.hpp"

namespace yyc3::api {

struct NewCallBody {
  call::NewCall call;
  std::vector<FieldError> errors;  ///< every wrong field at once; empty when it may be used
};

/// Reads the body of POST /api/v1/calls (schema NewCall of openapi.yaml). `flows` are the known
/// ones. Errors: kInvalid when it is not a JSON object.
Result<NewCallBody> read_new_call(std::string_view body, const std::set<std::string>& flows);

}  // namespace yyc3::api
