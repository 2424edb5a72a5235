#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace yyc3::compliance {

/// Whom a call goes to, in one spelling.
struct Target {
  /// "+8613800138000", or "sip:user@host" with ":port" unless 5060. What is encrypted and indexed.
  std::string canonical;
  std::string number;      ///< E.164; empty for a SIP address that is no telephone number
  std::string host;        ///< SIP host, lower-case; empty for a bare number (goes to the trunk)
  std::uint16_t port = 0;  ///< of the host; 5060 (5061 for sips) when not named
};

/// Reads a telephone number ("+86 138-0013-8000", "0086…", "010 1234 5678", "tel:…") or a SIP URI
/// (RFC 3261 §19.1; parameters and headers are dropped; host in lower case). A national number is
/// completed with `country` ("86"); a SIP user that is '+' and an E.164 number counts as that
/// number, so that one person has one entry in the do-not-call table whatever the spelling.
/// Errors: kInvalid; the text never quotes the target.
Result<Target> normalise_target(std::string_view text, std::string_view country);

/// For screens: "*******8000", or "user@host" of a SIP address.
std::string masked(const Target& target);

}  // namespace yyc3::compliance
