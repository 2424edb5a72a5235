#pragma once

#include <memory>
#include <set>
#include <string>

#include "api/router.hpp"
#include "product/call/call_service.hpp"
#include "product/call/call_store.hpp"
#include "product/call/recordings.hpp"

namespace yyc3::api {

/// /api/v1/calls and what hangs below it. Threads: web loops.
class CallRoutes {
 public:
  CallRoutes(call::CallService& calls, call::CallStore& store, call::Recordings& recordings,
             std::set<std::string> flows)
      : calls_(calls), store_(store), recordings_(recordings), flows_(std::move(flows)) {}

  void add_to(Router& router);

 private:
  net::Task<net::HttpResponse> create(net::HttpRequest request);
  net::Task<net::HttpResponse> list(net::HttpRequest request);
  net::Task<net::HttpResponse> get(net::HttpRequest request, PathParams params);
  net::Task<net::HttpResponse> hang_up(PathParams params);
  net::Task<net::HttpResponse> recording(net::HttpRequest request, PathParams params);

  call::CallService& calls_;
  call::CallStore& store_;
  call::Recordings& recordings_;
  std::set<std::string> flows_;
};

}  // namespace yyc3::api
