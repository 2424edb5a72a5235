#include "engine/telephony/sip/dialog_state.hpp"

#include <algorithm>

#include "base/json.hpp"

namespace yyc3::sip {

namespace {

constexpr std::size_t kFieldMax = 512;
constexpr std::size_t kRoutesMax = 16;

bool is_header_safe(std::string_view text) {
  return text.size() <= kFieldMax && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
         });
}

tl::unexpected<Error> bad(const char* field) {
  return fail(ErrorCode::kInvalid, std::string("dialog state: ") + field);
}

}  // namespace

std::string DialogState::to_json() const {
  json::array routes(route_set.begin(), route_set.end());
  return json::serialize(json::object{{"call_id", call_id},
                                      {"local_uri", local_uri},
                                      {"remote_uri", remote_uri},
                                      {"remote_target", remote_target},
                                      {"route_set", std::move(routes)},
                                      {"cseq", cseq},
                                      {"transport", transport == Transport::kTcp ? "tcp" : "udp"}});
}

Result<DialogState> DialogState::from_json(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed) return bad("not JSON");
  DialogState state;
  const std::pair<const char*, std::string DialogState::*> fields[] = {
      {"call_id", &DialogState::call_id},
      {"local_uri", &DialogState::local_uri},
      {"remote_uri", &DialogState::remote_uri},
      {"remote_target", &DialogState::remote_target}};
  for (const auto& [name, member] : fields) {
    const auto value = string_field(*parsed, name);
    if (!value || value->empty() || !is_header_safe(*value)) return bad(name);
    state.*member = *value;
  }
  const json::value* routes = find_field(*parsed, "route_set");
  if (routes == nullptr || !routes->is_array() || routes->get_array().size() > kRoutesMax)
    return bad("route_set");
  for (const auto& route : routes->get_array()) {
    if (!route.is_string() || !is_header_safe(route.get_string())) return bad("route_set");
    state.route_set.emplace_back(route.get_string());
  }
  const auto cseq = int_field(*parsed, "cseq");
  if (!cseq || *cseq < 0 || *cseq > 0x7FFFFFFF) return bad("cseq");
  state.cseq = static_cast<std::uint32_t>(*cseq);
  const auto transport = string_field(*parsed, "transport");
  if (transport != "udp" && transport != "tcp") return bad("transport");
  state.transport = transport == "tcp" ? Transport::kTcp : Transport::kUdp;
  return state;
}

}  // namespace yyc3::sip
