#pragma once

#include <string>
#include <string_view>

#include "engine/telephony/sip/sip_agent.hpp"

namespace yyc3::sip {

/// `line` of a SIP message without what could be used or attacked: the value of Authorization,
/// Proxy-Authorization and of the challenges that belong to them.
std::string_view without_credentials(std::string_view line);

/// Puts Sofia's dump of each message together again, a line at a time. One for each agent, on its
/// signalling thread. Bound: 70,000 bytes a message; the rest is cut.
class MessageLog {
 public:
  explicit MessageLog(SipAgent::MessageHook hook) : hook_(std::move(hook)) {}

  /// Text as Sofia prints it: a stamp ("send 512 bytes to udp/…"), a rule, the message, a rule.
  void take(std::string_view text);

 private:
  void take_line(std::string_view line);

  SipAgent::MessageHook hook_;
  std::string line_;
  std::string message_;
  std::string stamp_;
  bool inside_ = false;
};

/// Sends Sofia's output, which is global, to the log of the agent whose thread prints; without one
/// it is dropped (it would go to stderr). Call it on the signalling thread, nullptr at its end.
void print_to(MessageLog* log);

}  // namespace yyc3::sip
