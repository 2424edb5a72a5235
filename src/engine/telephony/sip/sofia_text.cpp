#include "engine/telephony/sip/sofia_text.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/url.h>
#include <strings.h>

#include "base/bytes.hpp"

namespace yyc3::sip {

namespace {
constexpr std::size_t kTextMax = 256;
constexpr std::size_t kRoutesMax = 16;

template <class Header>
std::string written(Header const* header) {
  if (header == nullptr) return {};
  su_home_t home[1] = {SU_HOME_INIT(home)};
  char* text = sip_header_as_string(home, reinterpret_cast<sip_header_t const*>(header));
  std::string out = text == nullptr ? "" : text;
  su_home_deinit(home);
  return out;
}

std::string url_text(url_t const* url) {
  su_home_t home[1] = {SU_HOME_INIT(home)};
  char* text = url_as_string(home, url);
  std::string out = text == nullptr ? "" : text;
  su_home_deinit(home);
  return out;
}

std::string trunk_host(const Trunk& trunk) {
  const bool six = trunk.host.find(':') != std::string::npos;
  const std::string host = six ? '[' + trunk.host + ']' : trunk.host;
  return trunk.port == 0 || trunk.port == 5060 ? host : fmt::format("{}:{}", host, trunk.port);
}

}  // namespace

Addresses addresses_of(const DialRequest& request, const SipConfig& config) {
  Addresses out;
  const bool number = request.target.starts_with('+');
  std::string domain = config.bind_address;
  const bool tcp = request.trunk && request.trunk->transport == Transport::kTcp;
  const char* transport = tcp ? ";transport=tcp" : "";
  if (number) {
    const Trunk& trunk = *request.trunk;
    const std::string host = trunk_host(trunk);
    const std::string user = trunk.plus ? request.target : request.target.substr(1);
    out.to = fmt::format("<sip:{}@{}>", user, host);
    out.request_uri = fmt::format("sip:{}@{}{}", user, host, transport);
    domain = trunk.from_domain.empty() ? trunk.host : trunk.from_domain;
  } else {
    out.request_uri = request.target;
    if (request.trunk && request.target.find('@' + trunk_host(*request.trunk)) == std::string::npos)
      out.route = fmt::format("<sip:{}{};lr>", trunk_host(*request.trunk), transport);
    out.to = fmt::format("<{}>", request.target.substr(0, request.target.find(';')));
  }
  std::string user = request.caller_id;
  if (user.empty() && request.trunk) user = request.trunk->from_user;
  if (user.empty() && request.trunk) user = request.trunk->auth_user;
  if (user.empty()) user = "aicall";
  const std::string display = request.trunk ? request.trunk->display_name : "";
  out.from = display.empty() ? fmt::format("<sip:{}@{}>", user, domain)
                             : fmt::format("\"{}\" <sip:{}@{}>", display, user, domain);
  return out;
}

std::string reason_header(const HangUpReason& reason) {
  std::string text;
  for (const char c : reason.text.substr(0, 128))
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != 0x7F) text += c;
  return fmt::format("Q.850;cause={};text=\"{}\"", std::clamp(reason.q850, 1, 127), text);
}

std::string body_of(sip_t const* sip) {
  if (sip == nullptr || sip->sip_payload == nullptr || sip->sip_payload->pl_data == nullptr ||
      sip->sip_payload->pl_len > kMaxSdpBytes)
    return {};
  return {sip->sip_payload->pl_data, sip->sip_payload->pl_len};
}

std::string target_of(sip_t const* sip) {
  return sip == nullptr || sip->sip_contact == nullptr ? "" : url_text(sip->sip_contact->m_url);
}

std::string text_of(char const* phrase) {
  std::string out;
  for (const char* at = phrase; at != nullptr && *at != '\0' && out.size() < kTextMax; ++at)
    if (static_cast<unsigned char>(*at) >= 0x20 && *at != 0x7F) out += *at;
  return sanitize_utf8(out);
}

std::string reason_text_of(sip_t const* sip) {
  if (sip == nullptr || sip->sip_reason == nullptr) return {};
  std::string text = text_of(sip->sip_reason->re_text);
  if (text.starts_with('"')) text.erase(0, 1);
  if (text.ends_with('"')) text.pop_back();
  return text;
}

std::optional<int> q850_of(sip_t const* sip) {
  if (sip == nullptr) return std::nullopt;
  for (auto const* reason = sip->sip_reason; reason != nullptr; reason = reason->re_next) {
    if (reason->re_protocol == nullptr || reason->re_cause == nullptr) continue;
    if (strcasecmp(reason->re_protocol, "Q.850") != 0) continue;
    const int cause = std::atoi(reason->re_cause);
    if (cause >= 1 && cause <= 127) return cause;
  }
  return std::nullopt;
}

std::optional<Milliseconds> retry_after_of(sip_t const* sip) {
  if (sip == nullptr || sip->sip_retry_after == nullptr) return std::nullopt;
  const auto seconds = std::min<unsigned long>(sip->sip_retry_after->af_delta, 3600);
  return std::chrono::seconds(seconds);
}

std::string credentials_for(msg_auth_t const* challenge, const Trunk& trunk) {
  if (trunk.auth_user.empty()) return {};
  for (; challenge != nullptr; challenge = challenge->au_next) {
    char const* realm = msg_params_find(challenge->au_params, "realm=");
    char const* algorithm = msg_params_find(challenge->au_params, "algorithm=");
    if (realm == nullptr || strcasecmp(challenge->au_scheme, "Digest") != 0) continue;
    if (algorithm != nullptr && strcasecmp(algorithm, "MD5") != 0) continue;
    // `realm` carries its own quotes.
    return fmt::format("Digest:{}:{}:{}", realm, trunk.auth_user, trunk.auth_password);
  }
  return {};
}

std::optional<DialogState> dialog_of(sip_t const* sip, const std::optional<Trunk>& trunk) {
  if (sip == nullptr || sip->sip_call_id == nullptr || sip->sip_from == nullptr ||
      sip->sip_to == nullptr || sip->sip_contact == nullptr || sip->sip_cseq == nullptr)
    return std::nullopt;
  DialogState state;
  state.call_id = sip->sip_call_id->i_id;
  state.local_uri = written(sip->sip_from);
  state.remote_uri = written(sip->sip_to);
  state.remote_target = target_of(sip);
  for (auto const* route = sip->sip_record_route;
       route != nullptr && state.route_set.size() < kRoutesMax; route = route->r_next) {
    sip_record_route_t one = *route;
    one.r_next = nullptr;
    state.route_set.insert(state.route_set.begin(), written(&one));  // reversed: RFC 3261 §12.1.2
  }
  state.cseq = sip->sip_cseq->cs_seq;
  const bool tcp = (trunk && trunk->transport == Transport::kTcp) ||
                   state.remote_target.find("transport=tcp") != std::string::npos ||
                   state.remote_target.find("transport=TCP") != std::string::npos;
  state.transport = tcp ? Transport::kTcp : Transport::kUdp;
  return state;
}

}  // namespace yyc3::sip
