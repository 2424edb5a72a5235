#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "platform/net/http.hpp"

namespace yyc3::api {

/// What stood in the braces of a route's pattern: {"id", "0190…"}.
using PathParams = std::map<std::string, std::string, std::less<>>;
using RouteHandler = std::function<net::Task<net::HttpResponse>(net::HttpRequest, PathParams)>;

/// Finds the handler of a request. Patterns are those of openapi.yaml ("/api/v1/calls/{id}"); a
/// test compares both lists both ways. Threads: filled at start, then read by any.
class Router {
 public:
  struct Route {
    std::string method;
    std::string pattern;
    bool open = false;  ///< needs no token
    RouteHandler handler;
  };
  struct Match {
    const Route* route = nullptr;  ///< nullptr: none
    PathParams params;
    std::string allow;  ///< the methods of that path, when only the method is wrong
  };

  void add(Route route);
  [[nodiscard]] Match find(std::string_view method, std::string_view path) const;
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace yyc3::api
