#pragma once

#include <optional>
#include <string>

#include "engine/telephony/sip/sip_agent.hpp"
#include "engine/telephony/sip/sofia_stack.hpp"

/// What is read out of, and written for, Sofia's messages. Pure; the signalling thread.
namespace yyc3::sip {

struct Addresses {
  std::string request_uri;
  std::string to;
  std::string from;
  std::string route;  ///< of the first request; empty: straight to the URI
};
Addresses addresses_of(const DialRequest& request, const SipConfig& config);

std::string reason_header(const HangUpReason& reason);  ///< RFC 3326
std::string body_of(sip_t const* sip);                  ///< empty: none, or longer than SDP may be
std::string target_of(sip_t const* sip);                ///< URI of Contact; empty: none
std::string text_of(char const* phrase);                ///< printable UTF-8, ≤ 256 bytes
std::string reason_text_of(sip_t const* sip);
std::optional<int> q850_of(sip_t const* sip);
std::optional<Milliseconds> retry_after_of(sip_t const* sip);
/// `Digest:"realm":user:password` for the first MD5 challenge; empty without one or without a user.
std::string credentials_for(msg_auth_t const* challenge, const Trunk& trunk);
/// From a 200 to our INVITE (RFC 3261 §12.1.2).
std::optional<DialogState> dialog_of(sip_t const* sip, const std::optional<Trunk>& trunk);

}  // namespace yyc3::sip
