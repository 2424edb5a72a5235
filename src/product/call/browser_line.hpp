#pragma once

#include <functional>
#include <memory>

#include "product/call/call_service.hpp"
#include "product/call/call_session.hpp"
#include "product/call/leg.hpp"

namespace yyc3::call {

/// Runs a function with the call on its loop, if it still lives. Threads: any.
using WithSession = std::function<void(std::function<void(CallSession&)>)>;

/// The browser's end of a bridged leg. The leg's media is unhooked under a lock before it goes, so
/// that the web loop never touches a stream that was closed.
std::shared_ptr<BrowserLine> make_browser_line(CallId id, BrowserLeg& leg,
                                               WithSession with_session);

}  // namespace yyc3::call
