#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/guard.hpp"
#include "api/router.hpp"
#include "platform/telemetry/metrics.hpp"
#include "product/call/call_service.hpp"

namespace yyc3::api {

struct FlowInfo {
  std::string id;
  std::string title;
  std::vector<std::string> languages;
  std::vector<std::string> variables;
};

/// Health, metrics, login, flows and the state of the system. Threads: web loops.
class SystemRoutes {
 public:
  /// `missing` names what keeps the system from taking calls; empty when ready.
  using Missing = std::function<std::vector<std::string>()>;

  SystemRoutes(Guard& guard, telemetry::Registry& metrics, call::CallService& calls,
               std::vector<FlowInfo> flows, Missing missing)
      : guard_(guard),
        metrics_(metrics),
        calls_(calls),
        flows_(std::move(flows)),
        missing_(std::move(missing)) {}
  void add_to(Router& router);

 private:
  net::HttpResponse ready() const;
  net::HttpResponse login(const net::HttpRequest& request);
  net::HttpResponse flows() const;
  net::HttpResponse system() const;

  Guard& guard_;
  telemetry::Registry& metrics_;
  call::CallService& calls_;
  std::vector<FlowInfo> flows_;
  Missing missing_;
};

}  // namespace yyc3::api
