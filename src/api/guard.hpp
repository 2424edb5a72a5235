#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "platform/net/http.hpp"
#include "platform/security/token_file.hpp"
#include "platform/security/web_guard.hpp"

namespace yyc3::api {

/// Who may come in: Host and Origin first (DNS rebinding, other sites' pages), then the bearer
/// token or the console's session cookie.
///
/// The console opens by a one-time link: `make_login_code` (printed by the program on its
/// terminal), good once for ten minutes, is traded for a session of twelve hours. Bounds: 32 codes
/// and 256 sessions; the oldest goes first. Threads: any.
class Guard {
 public:
  Guard(const Clock& clock, const security::TokenFile& token, security::WebGuard web);

  /// nullopt when the request may go on, else the refusal (403 or 401).
  [[nodiscard]] std::optional<net::HttpResponse> check(const net::HttpRequest& request,
                                                       bool open_route) const;
  std::string make_login_code();
  /// The Set-Cookie value for a good code, which is then used up.
  std::optional<std::string> trade(const std::string& code, bool tls);

 private:
  struct Held {
    SteadyTime until;
  };
  using Shelf = std::map<std::string, Held, std::less<>>;
  void put(Shelf& shelf, std::string secret, std::chrono::minutes life, std::size_t bound) const;
  [[nodiscard]] bool has_session(const net::HttpRequest& request) const;

  const Clock& clock_;
  const security::TokenFile& token_;
  security::WebGuard web_;
  mutable std::mutex
      lock_;  // a few look-ups a second from the web loops; no strand is shared by them
  Shelf codes_;
  Shelf sessions_;
};

/// Headers of every answer: CSP, no sniffing, no framing, no caching of API answers.
void add_security_headers(net::HttpResponse& response, bool is_api);

}  // namespace yyc3::api
