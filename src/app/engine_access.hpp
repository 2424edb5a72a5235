#pragma once

#include <string>

#include "base/result.hpp"
#include "platform/net/http_client.hpp"

namespace yyc3::app {

/// The API key in `file`, empty when none is named. @param name of the configuration key, for the
/// error. Errors: kNotFound, kDenied (others may read it), kInvalid; with the mend.
Result<std::string> read_engine_key(const char* name, const std::string& file);

/// An engine at `url`, without the /v1 that our targets begin with. @param name of the
/// configuration key, for the error. Errors: kInvalid.
Result<net::Endpoint> engine_endpoint(const std::string& name, const std::string& url);

}  // namespace yyc3::app
