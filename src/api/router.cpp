#include "api/router.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace yyc3::api {

namespace {

std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

std::optional<PathParams> match(std::string_view pattern, std::string_view path) {
  PathParams params;
  while (pattern.starts_with('/') && path.starts_with('/')) {
    const std::string_view want = take_segment(pattern);
    const std::string_view have = take_segment(path);
    if (want.starts_with('{') && want.ends_with('}') && !have.empty())
      params.emplace(want.substr(1, want.size() - 2), have);
    else if (want != have)
      return std::nullopt;
  }
  return pattern.empty() && path.empty() ? std::optional(std::move(params)) : std::nullopt;
}

}  // namespace

void Router::add(Route route) { routes_.push_back(std::move(route)); }

Router::Match Router::find(std::string_view method, std::string_view path) const {
  Match found;
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (const Route& route : routes_) {
    auto params = match(route.pattern, path);
    if (!params) continue;
    if (route.method == wanted) return {&route, std::move(*params), {}};
    found.allow += (found.allow.empty() ? "" : ", ") + route.method;
  }
  return found;
}

}  // namespace yyc3::api
