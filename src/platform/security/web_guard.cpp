#include "platform/security/web_guard.hpp"

#include <algorithm>

namespace yyc3::security {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string authority(std::string_view host, std::string_view port) {
  const bool v6 = host.find(':') != std::string_view::npos && host.front() != '[';
  return (v6 ? "[" + lower(host) + "]" : lower(host)) + ":" + std::string(port);
}

/// "host", "host:port", "[v6]" or "[v6]:port" → "host:port" in lower case; empty when neither.
std::string with_port(std::string_view text, std::string_view default_port) {
  std::string_view host = text;
  std::string_view port = default_port;
  const std::size_t bracket = text.find(']');
  const bool v6 = !text.empty() && text.front() == '[';
  if (v6 && bracket == std::string_view::npos) return {};
  const std::size_t colon = text.find(':', v6 ? bracket : 0);
  if (colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (v6 && host.size() != bracket + 1) return {};
  const bool digits =
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool plain = std::all_of(host.begin(), host.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '/' && c != '@' && c != '?' && c != '#' && c != ',';
  });
  if (host.empty() || !plain || port.empty() || port.size() > 5 || !digits) return {};
  if (!v6 && host.back() == '.') host.remove_suffix(1);  // the root dot names the same host
  return host.empty() ? std::string() : authority(host, port);
}

}  // namespace

bool is_loopback(std::string_view host) {
  const std::string name = lower(host);
  if (name == "localhost" || name == "::1" || name == "[::1]") return true;
  if (!name.starts_with("127.")) return false;
  int dots = 0;
  std::size_t run = 0;
  for (const char c : name) {
    if (c == '.') {
      if (run == 0 || run > 3) return false;
      ++dots;
      run = 0;
    } else if (c >= '0' && c <= '9') {
      ++run;
    } else {
      return false;  // 127.evil.example is a name
    }
  }
  return dots == 3 && run > 0 && run <= 3;
}

WebGuard::WebGuard(const std::vector<ListenAddress>& listen, std::vector<std::string> names) {
  for (const ListenAddress& address : listen) {
    const std::string port = std::to_string(address.port);
    authorities_.push_back(authority(address.host, port));
    if (is_loopback(address.host))
      for (const char* alias : {"localhost", "127.0.0.1", "::1"})
        authorities_.push_back(authority(alias, port));
    for (const std::string& name : names) authorities_.push_back(with_port(name, port));
  }
  // A name without a port is reached through a proxy on the standard ones.
  for (const std::string& name : names)
    for (const char* port : {"80", "443"}) authorities_.push_back(with_port(name, port));
  std::erase(authorities_, std::string());
}

bool WebGuard::known(std::string_view text, std::string_view default_port) const {
  const std::string wanted = with_port(text, default_port);
  return !wanted.empty() &&
         std::find(authorities_.begin(), authorities_.end(), wanted) != authorities_.end();
}

GuardVerdict WebGuard::check(std::optional<std::string_view> host,
                             std::optional<std::string_view> origin) const {
  if (!host) return {false, "no Host header"};
  // Whether TLS was used is not known here, so a Host without a port is tried as both.
  if (!known(*host, "80") && !known(*host, "443"))
    return {false,
            "Host is not an address of this server; add it to the configured names if it is"};
  if (!origin) return {true, {}};
  const std::string from = lower(*origin);
  if (from.starts_with("http://") && known(std::string_view(from).substr(7), "80"))
    return {true, {}};
  if (from.starts_with("https://") && known(std::string_view(from).substr(8), "443"))
    return {true, {}};
  return {false, "Origin is another site"};
}

}  // namespace yyc3::security
