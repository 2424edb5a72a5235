#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "platform/net/http.hpp"

namespace yyc3::api {

/// One wrong field of a request and how to mend it.
struct FieldError {
  std::string field;
  std::string reason;
};

/// application/problem+json (RFC 9457) with our `errors` member.
net::HttpResponse problem(int status, std::string_view detail, std::vector<FieldError> errors = {});
/// The status that fits `error.code`, its detail as the text.
net::HttpResponse problem(const Error& error);
int status_of(ErrorCode code);

}  // namespace yyc3::api
