#pragma once

#include <set>
#include <string>

#include "api/router.hpp"
#include "platform/telemetry/log.hpp"
#include "product/call/call_service.hpp"

namespace yyc3::api {

/// WebSocket /api/v1/talk: the visitor's microphone is a leg of a call. Frames of 320 bytes (20 ms
/// of s16le at 8 kHz) both ways. A browser that falls behind loses audio, never the call.
/// Threads: web loops.
class TalkSocket {
 public:
  TalkSocket(call::CallService& calls, std::set<std::string> flows, telemetry::Log& log)
      : calls_(calls), flows_(std::move(flows)), log_(log) {}
  void add_to(Router& router);

 private:
  net::Task<net::HttpResponse> open(net::HttpRequest request);

  call::CallService& calls_;
  std::set<std::string> flows_;
  telemetry::Log& log_;
};

}  // namespace yyc3::api
