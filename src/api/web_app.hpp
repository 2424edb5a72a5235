#pragma once

#include <optional>

#include "api/guard.hpp"
#include "api/router.hpp"
#include "api/static_files.hpp"
#include "platform/net/http_server.hpp"
#include "platform/telemetry/log.hpp"
#include "platform/telemetry/metrics.hpp"

namespace yyc3::api {

/// The one handler of the web server: guard, route, console file; headers and metrics for all.
/// Threads: web loops.
class WebApp {
 public:
  WebApp(Guard& guard, const Router& router, std::optional<StaticFiles> console,
         telemetry::Registry& metrics, telemetry::Log& log, const Clock& clock);

  net::Task<net::HttpResponse> handle(net::HttpRequest request);

 private:
  net::Task<net::HttpResponse> answer(net::HttpRequest request);

  Guard& guard_;
  const Router& router_;
  std::optional<StaticFiles> console_;
  telemetry::Log& log_;
  const Clock& clock_;
  telemetry::Registry& metrics_;
  telemetry::Histogram& seconds_;
};

}  // namespace yyc3::api
