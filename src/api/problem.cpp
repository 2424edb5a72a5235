#include "api/problem.hpp"

#include <utility>

#include "base/json.hpp"

namespace yyc3::api {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return 422;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kConflict:
      return 409;
    case ErrorCode::kDenied:
      return 403;
    case ErrorCode::kBusy:
      return 429;
    case ErrorCode::kTimeout:
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled:
      return 503;
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

net::HttpResponse problem(int status, std::string_view detail, std::vector<FieldError> errors) {
  json::object body{
      {"type", "about:blank"}, {"title", net::reason_phrase(status)}, {"status", status}};
  if (!detail.empty()) body["detail"] = detail;
  if (!errors.empty()) {
    json::array list;
    for (auto& error : errors)
      list.push_back(json::object{{"field", error.field}, {"reason", error.reason}});
    body["errors"] = std::move(list);
  }
  net::HttpResponse response(status, json::serialize(body), "application/problem+json");
  if (status == 429 || status == 503) response.headers.set("Retry-After", "5");
  return response;
}

net::HttpResponse problem(const Error& error) {
  return problem(status_of(error.code), error.detail);
}

}  // namespace yyc3::api
