#include "api/system_routes.hpp"

#include <utility>

#include "api/problem.hpp"
#include "base/json.hpp"

namespace yyc3::api {

namespace {

net::Task<net::HttpResponse> at_once(net::HttpResponse response) { co_return response; }

/// A route that answers at once.
template <class F>
RouteHandler plain(F answer) {
  return [answer = std::move(answer)](net::HttpRequest request, PathParams) {
    return at_once(answer(request));
  };
}

json::array texts(const std::vector<std::string>& list) {
  return json::array(list.begin(), list.end());
}

}  // namespace

void SystemRoutes::add_to(Router& router) {
  router.add({"GET", "/healthz", true, plain([](const net::HttpRequest&) {
                return net::HttpResponse(200, R"({"status":"ok"})");
              })});
  router.add({"GET", "/readyz", true, plain([this](const net::HttpRequest&) { return ready(); })});
  router.add({"GET", "/metrics", false, plain([this](const net::HttpRequest&) {
                return net::HttpResponse(200, metrics_.render(), telemetry::Registry::kContentType);
              })});
  router.add(
      {"GET", "/login", true, plain([this](const net::HttpRequest& r) { return login(r); })});
  router.add({"POST", "/api/v1/login-codes", false, plain([this](const net::HttpRequest&) {
                const json::object body{{"path", "/login?code=" + guard_.make_login_code()}};
                return net::HttpResponse(201, json::serialize(body));
              })});
  router.add(
      {"GET", "/api/v1/flows", false, plain([this](const net::HttpRequest&) { return flows(); })});
  router.add({"GET", "/api/v1/system", false,
              plain([this](const net::HttpRequest&) { return system(); })});
}

net::HttpResponse SystemRoutes::ready() const {
  const auto missing = missing_();
  const json::object body{{"status", missing.empty() ? "ok" : "unavailable"},
                          {"missing", texts(missing)}};
  return {missing.empty() ? 200 : 503, json::serialize(body)};
}

net::HttpResponse SystemRoutes::login(const net::HttpRequest& request) {
  const auto cookie = guard_.trade(request.param("code").value_or(""), request.is_tls);
  if (!cookie)
    return problem(403,
                   "this link was used already or is too old; `aicall console` prints a new one");
  net::HttpResponse response(303);
  response.headers.set("Set-Cookie", *cookie);
  response.headers.set("Location", "/");
  return response;
}

net::HttpResponse SystemRoutes::flows() const {
  json::array list;
  for (const auto& flow : flows_)
    list.push_back(json::object{{"id", flow.id},
                                {"title", flow.title},
                                {"languages", texts(flow.languages)},
                                {"variables", texts(flow.variables)}});
  return {200, json::serialize(json::object{{"flows", std::move(list)}})};
}

net::HttpResponse SystemRoutes::system() const {
  const call::ServiceStatus status = calls_.status();
  json::array engines;
  for (const auto& engine : status.engines)
    engines.push_back(json::object{{"name", engine.name}, {"state", engine.state}});
  std::size_t prompts_left = 0;
  json::array prompts;
  for (const auto& left : status.prompts) {
    prompts_left += left.sentences + left.fragments;
    prompts.push_back(json::object{{"flow", left.flow},
                                   {"language", speech::code_of(left.language)},
                                   {"sentences_left", left.sentences},
                                   {"fragments_left", left.fragments}});
  }
  const json::object body{{"version", YYC3_VERSION},         {"active_calls", status.active},
                          {"waiting_calls", status.waiting}, {"calls_max", status.max_active},
                          {"prompts_left", prompts_left},    {"prompts", std::move(prompts)},
                          {"engines", std::move(engines)}};
  return {200, json::serialize(body)};
}

}  // namespace yyc3::api
