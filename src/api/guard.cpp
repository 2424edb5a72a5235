#include "api/guard.hpp"

#include <algorithm>
#include <utility>

#include "api/problem.hpp"
#include "base/bytes.hpp"
#include "platform/security/random.hpp"

namespace yyc3::api {

namespace {

constexpr std::string_view kCookie = "aicall_session";
constexpr std::chrono::minutes kCodeLife{10};
constexpr std::chrono::minutes kSessionLife{12 * 60};

std::string fresh_secret() { return to_base64url(security::random_bytes(32)); }

std::optional<std::string> cookie(const net::HttpRequest& request, std::string_view name) {
  const auto header = request.headers.get("Cookie");
  if (!header) return std::nullopt;
  std::string_view rest = *header;
  while (!rest.empty()) {
    std::string_view pair = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
      return std::string(pair.substr(name.size() + 1));
  }
  return std::nullopt;
}

}  // namespace

Guard::Guard(const Clock& clock, const security::TokenFile& token, security::WebGuard web)
    : clock_(clock), token_(token), web_(std::move(web)) {}

std::optional<net::HttpResponse> Guard::check(const net::HttpRequest& request,
                                              bool open_route) const {
  const auto verdict = web_.check(request.headers.get("Host"), request.headers.get("Origin"));
  if (!verdict.allowed) return problem(403, verdict.reason);
  if (open_route) return std::nullopt;
  if (const auto header = request.headers.get("Authorization")) {
    if (token_.authorizes(*header)) return std::nullopt;
  } else if (has_session(request)) {
    return std::nullopt;
  }
  net::HttpResponse refusal =
      problem(401,
              "send Authorization: Bearer <token> (the token file is in the data folder), or "
              "open the console by the link that `aicall serve` prints");
  refusal.headers.set("WWW-Authenticate", "Bearer");
  return refusal;
}

bool Guard::has_session(const net::HttpRequest& request) const {
  const auto id = cookie(request, kCookie);
  if (!id) return false;
  const std::lock_guard hold(lock_);
  const auto at = sessions_.find(*id);
  return at != sessions_.end() && at->second.until > clock_.now();
}

void Guard::put(Shelf& shelf, std::string secret, std::chrono::minutes life,
                std::size_t bound) const {
  const std::lock_guard hold(lock_);
  std::erase_if(shelf, [&](const auto& entry) { return entry.second.until <= clock_.now(); });
  if (shelf.size() >= bound)
    shelf.erase(std::min_element(shelf.begin(), shelf.end(), [](const auto& a, const auto& b) {
      return a.second.until < b.second.until;
    }));
  shelf.emplace(std::move(secret), Held{clock_.now() + life});
}

std::string Guard::make_login_code() {
  std::string code = fresh_secret();
  put(codes_, code, kCodeLife, 32);
  return code;
}

std::optional<std::string> Guard::trade(const std::string& code, bool tls) {
  {
    const std::lock_guard hold(lock_);
    const auto at = codes_.find(code);
    if (at == codes_.end() || at->second.until <= clock_.now()) return std::nullopt;
    codes_.erase(at);
  }
  std::string id = fresh_secret();
  put(sessions_, id, kSessionLife, 256);
  return std::string(kCookie) + "=" + id + "; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200" +
         (tls ? "; Secure" : "");
}

void add_security_headers(net::HttpResponse& response, bool is_api) {
  auto& headers = response.headers;
  headers.set("X-Content-Type-Options", "nosniff");
  headers.set("Referrer-Policy", "no-referrer");
  headers.set("X-Frame-Options", "DENY");
  headers.set(
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
      "img-src 'self' data:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; "
      "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
      "frame-ancestors 'none'");
  if (is_api && !headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
}

}  // namespace yyc3::api
