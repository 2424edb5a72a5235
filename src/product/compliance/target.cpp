#include "product/compliance/target.hpp"

#include <algorithm>
#include <charconv>

#include "base/phone_number.hpp"

namespace yyc3::compliance {

namespace {

constexpr std::size_t kLongest = 255;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

tl::unexpected<Error> bad(const char* why) {
  return fail(ErrorCode::kInvalid, std::string("to: ") + why +
                                       "; give a number like +8613800138000 or a SIP address like "
                                       "sip:user@host:5060");
}

/// "+86 (138) 0013-8000" → "+8613800138000". Errors: kInvalid.
Result<std::string> number_of(std::string_view text, std::string_view country) {
  std::string digits;
  bool plus = false;
  for (const char c : text) {
    if (c >= '0' && c <= '9')
      digits += c;
    else if (c == '+' && digits.empty() && !plus)
      plus = true;
    else if (c != ' ' && c != '-' && c != '.' && c != '(' && c != ')')
      return bad("not a telephone number");
  }
  if (!plus && digits.starts_with("00")) {
    digits.erase(0, 2);
    plus = true;
  }
  if (!plus) {
    if (digits.starts_with('0')) digits.erase(0, 1);  // the national trunk prefix
    digits.insert(0, country);
  }
  const Result<E164Number> number = E164Number::parse("+" + digits);
  if (!number) return bad("not a telephone number");
  return number->str();
}

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

Result<HostPort> host_of(std::string_view text, std::uint16_t standard) {
  std::string_view host = text;
  std::string_view port;
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.empty()) return bad("the port is missing");
  }
  const bool plain = std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
  });
  if (host.empty() || !plain) return bad("not a SIP host");
  HostPort out{lower(host), standard};
  if (out.host.size() > 1 && out.host.back() == '.') out.host.pop_back();
  if (!port.empty()) {
    const auto end = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (end.ec != std::errc() || end.ptr != port.data() + port.size() || out.port == 0)
      return bad("not a port");
  }
  return out;
}

Result<Target> sip_target(std::string_view rest, bool secure, std::string_view country) {
  rest = rest.substr(
      0, rest.find_first_of(";?", rest.find('@') == std::string_view::npos ? 0 : rest.find('@')));
  const std::size_t at = rest.rfind('@');
  if (at == std::string_view::npos || at == 0) return bad("a SIP address needs user@host");
  std::string_view user = rest.substr(0, at);
  user = user.substr(0, user.find_first_of(";:"));  // parameters and a password are not identity
  const bool printable = std::all_of(user.begin(), user.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '<' && c != '>' && c != '"' && c != '@';
  });
  if (user.empty() || !printable) return bad("not a SIP user");
  const std::uint16_t standard = secure ? 5061 : 5060;
  const Result<HostPort> host = host_of(rest.substr(at + 1), standard);
  if (!host) return tl::unexpected<Error>(host.error());
  Target target;
  target.host = host->host;
  target.port = host->port;
  if (user.front() == '+') {
    const Result<std::string> number = number_of(user, country);
    if (number) target.number = *number;
  }
  target.canonical =
      target.number.empty()
          ? "sip:" + std::string(user) + "@" + target.host +
                (target.port == standard ? std::string() : ":" + std::to_string(target.port))
          : target.number;
  return target;
}

}  // namespace

Result<Target> normalise_target(std::string_view text, std::string_view country) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.empty()) return bad("it is empty");
  if (text.size() > kLongest) return bad("it is longer than 255 characters");
  const std::string scheme = lower(text.substr(0, text.find(':')));
  if (scheme.size() < text.size()) {
    const std::string_view rest = text.substr(scheme.size() + 1);
    if (scheme == "sip" || scheme == "sips") return sip_target(rest, scheme == "sips", country);
    if (scheme != "tel") return bad("an unknown kind of address");
    text = rest.substr(0, rest.find(';'));
  }
  const Result<std::string> number = number_of(text, country);
  if (!number) return tl::unexpected<Error>(number.error());
  return Target{*number, *number, "", 0};
}

std::string masked(const Target& target) {
  if (target.number.empty()) return target.canonical.substr(target.canonical.find(':') + 1);
  return std::string(target.number.size() - 4, '*') +
         target.number.substr(target.number.size() - 4);
}

}  // namespace yyc3::compliance
