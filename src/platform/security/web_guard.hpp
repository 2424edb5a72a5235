#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace yyc3::security {

/// An address the web server listens on.
struct ListenAddress {
  std::string host;  ///< "127.0.0.1", "::1" (no brackets) or a name
  std::uint16_t port = 0;
  bool tls = false;
};

struct GuardVerdict {
  bool allowed = false;
  std::string reason;  ///< why not, for the log and the 403; empty when allowed
};

/// Refuses requests that a browser was tricked into sending: a Host that is not ours means DNS
/// rebinding, an Origin that is not ours means another site's page. Pure; threads: any.
class WebGuard {
 public:
  /// Loopback addresses answer to each other's names ("localhost", 127.0.0.1, [::1]) on their port.
  /// `names` are further host names from the configuration (behind a proxy), "name" or "name:port".
  explicit WebGuard(const std::vector<ListenAddress>& listen, std::vector<std::string> names = {});

  /// `host` is the Host header (RFC 9110 §7.2; nullopt when absent: refused). `origin` is the
  /// Origin header (RFC 6454 §7; nullopt when absent: a program, not a page: allowed; "null":
  /// refused).
  [[nodiscard]] GuardVerdict check(std::optional<std::string_view> host,
                                   std::optional<std::string_view> origin) const;

 private:
  [[nodiscard]] bool known(std::string_view authority, std::string_view default_port) const;
  std::vector<std::string> authorities_;  ///< lower-case, "host:port"
};

/// True for 127.0.0.0/8, ::1 and "localhost": what may be served without TLS.
bool is_loopback(std::string_view host);

}  // namespace yyc3::security
