#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace yyc3::sip {

enum class Transport : std::uint8_t { kUdp, kTcp };

/// Everything a BYE needs when the process that made the call is gone (RFC 3261 §12.2.1.1).
struct DialogState {
  std::string call_id;
  std::string local_uri;               ///< our From: as sent, with its tag
  std::string remote_uri;              ///< To of the answer, with its tag
  std::string remote_target;           ///< Contact of the answer: the Request-URI
  std::vector<std::string> route_set;  ///< in the order of Route headers, ≤ 16
  std::uint32_t cseq = 0;              ///< highest we are known to have used
  Transport transport = Transport::kUdp;

  /// One line of JSON for a database column.
  [[nodiscard]] std::string to_json() const;
  /// Errors: kInvalid (field named): not our JSON, a field missing, too long or with CR/LF.
  static Result<DialogState> from_json(std::string_view text);
  bool operator==(const DialogState&) const = default;
};

}  // namespace yyc3::sip
