#include "api/web_app.hpp"

#include <fmt/format.h>
#include <utility>

#include "api/problem.hpp"

namespace yyc3::api {

namespace {
bool is_api_path(std::string_view path) {
  return path.starts_with("/api/") || path == "/metrics" || path == "/healthz" ||
         path == "/readyz" || path == "/login";
}
}  // namespace

WebApp::WebApp(Guard& guard, const Router& router, std::optional<StaticFiles> console,
               telemetry::Registry& metrics, telemetry::Log& log, const Clock& clock)
    : guard_(guard),
      router_(router),
      console_(std::move(console)),
      log_(log),
      clock_(clock),
      metrics_(metrics),
      seconds_(metrics.histogram("yyc3_api_request_seconds", "HTTP requests answered",
                                 {0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1, 5})) {}

net::Task<net::HttpResponse> WebApp::handle(net::HttpRequest request) {
  const SteadyTime begun = clock_.now();
  const bool api = is_api_path(request.path);
  const std::string method = request.method;
  const bool probe = request.path == "/readyz";  // "not yet" is its answer, not its failure
  net::HttpResponse response = co_await answer(std::move(request));
  add_security_headers(response, api);
  seconds_.observe(std::chrono::duration<double>(clock_.now() - begun).count());
  metrics_
      .counter("yyc3_api_requests_total", "HTTP requests by class of status",
               {{"status", fmt::format("{}xx", response.status / 100)}})
      .add();
  if (response.status >= 500 && !probe)
    log_.error("request failed",
               {{"http.request.method", method}, {"http.response.status_code", response.status}});
  co_return response;
}

net::Task<net::HttpResponse> WebApp::answer(net::HttpRequest request) {
  auto match = router_.find(request.method, request.path);
  if (match.route != nullptr) {
    if (auto refusal = guard_.check(request, match.route->open)) co_return std::move(*refusal);
    PathParams params = std::move(match.params);
    co_return co_await match.route->handler(std::move(request), std::move(params));
  }
  // The console's files hold no secret: only Host and Origin are checked.
  const bool api = is_api_path(request.path);
  if (auto refusal = guard_.check(request, !api)) co_return std::move(*refusal);
  if (!match.allow.empty()) {
    net::HttpResponse wrong = problem(405, "this path takes " + match.allow);
    wrong.headers.set("Allow", match.allow);
    co_return wrong;
  }
  if (!api && console_ && (request.method == "GET" || request.method == "HEAD"))
    if (auto file = console_->serve(request)) co_return std::move(*file);
  co_return problem(404, "nothing is served here");
}

}  // namespace yyc3::api
