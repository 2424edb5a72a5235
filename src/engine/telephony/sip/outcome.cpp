#include "engine/telephony/sip/outcome.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace yyc3::sip {

namespace {
using enum Outcome;

constexpr std::array<OutcomeInfo, 16> kOutcomes{{
    {kCompleted, "completed", false, "The call was answered and ended normally.", "通话正常结束。"},
    {kBusy, "busy", true, "The line was busy.", "对方占线。"},
    {kNoAnswer, "no_answer", true, "It rang and nobody answered.", "响铃后无人接听。"},
    {kRejected, "rejected", false, "The customer refused the call.", "对方拒接。"},
    {kUnavailable, "unavailable", true, "The phone is off or out of reach.",
     "对方关机或不在服务区。"},
    {kInvalidNumber, "invalid_number", false, "There is no such number.", "号码不存在。"},
    {kUnreachable, "unreachable", true, "Nothing answers at that address.", "线路对端没有响应。"},
    {kTrunkFailure, "trunk_failure", true, "The carrier failed.", "运营商线路故障。"},
    {kTrunkBusy, "trunk_busy", true, "The carrier is full; try later.", "运营商线路繁忙。"},
    {kForbidden, "forbidden", false, "The carrier refused our credentials.",
     "线路鉴权失败或无权呼叫。"},
    {kNoCommonCodec, "no_common_codec", false, "There is no common audio codec.",
     "没有共同的语音编码。"},
    {kTimeout, "timeout", true, "The carrier stayed silent.", "运营商长时间无响应。"},
    {kCancelled, "cancelled", false, "We gave up before the answer.", "接通前已取消。"},
    {kMediaLost, "media_lost", true, "The audio stopped coming.", "通话中语音中断。"},
    {kLost, "lost", true, "The connection broke during the call.", "通话连接意外中断。"},
    {kInternal, "internal", true, "Our own fault; see the log.", "系统内部错误。"},
}};

struct Mapping {
  int code;
  Outcome outcome;
};

/// ITU-T Q.850 causes that say something definite.
constexpr Mapping kCauses[] = {{1, kInvalidNumber},  {2, kUnreachable},    {3, kUnreachable},
                               {17, kBusy},          {18, kUnavailable},   {19, kNoAnswer},
                               {20, kUnavailable},   {21, kRejected},      {22, kInvalidNumber},
                               {27, kUnavailable},   {28, kInvalidNumber}, {34, kTrunkBusy},
                               {38, kTrunkFailure},  {41, kTrunkFailure},  {42, kTrunkBusy},
                               {44, kTrunkBusy},     {47, kTrunkBusy},     {57, kForbidden},
                               {65, kNoCommonCodec}, {88, kNoCommonCodec}, {102, kTimeout}};

constexpr Mapping kStatuses[] = {
    {401, kForbidden},     {402, kForbidden},     {403, kForbidden},     {404, kInvalidNumber},
    {407, kForbidden},     {408, kTimeout},       {410, kInvalidNumber}, {415, kNoCommonCodec},
    {480, kUnavailable},   {481, kLost},          {484, kInvalidNumber}, {486, kBusy},
    {487, kCancelled},     {488, kNoCommonCodec}, {600, kBusy},          {603, kRejected},
    {604, kInvalidNumber}, {606, kNoCommonCodec}, {607, kRejected},      {608, kRejected},
    {900, kInternal},      {904, kForbidden}};

/// Statuses that carriers use for anything: a definite cause beside them wins.
bool is_vague(int status) {
  return status == 0 || status == 480 || status == 487 || status == 603 || status >= 500;
}

template <std::size_t N>
std::optional<Outcome> find(const Mapping (&table)[N], int code) {
  const auto* at = std::find_if(std::begin(table), std::end(table),
                                [code](const Mapping& m) { return m.code == code; });
  return at == std::end(table) ? std::nullopt : std::optional(at->outcome);
}

}  // namespace

const OutcomeInfo& describe(Outcome outcome) {
  return *std::find_if(kOutcomes.begin(), kOutcomes.end(),
                       [outcome](const OutcomeInfo& info) { return info.outcome == outcome; });
}

Result<Outcome> parse_outcome(std::string_view name) {
  for (const auto& info : kOutcomes)
    if (info.name == name) return info.outcome;
  return fail(ErrorCode::kInvalid, "no such outcome: " + std::string(name.substr(0, 40)));
}

Outcome outcome_of(const Disposition& d) {
  if (d.q850 && is_vague(d.sip_status))
    if (const auto known = find(kCauses, *d.q850)) return *known;
  if (const auto known = find(kStatuses, d.sip_status)) {
    const bool silent = d.sip_status == 408 && !d.from_network;
    return silent ? kUnreachable : *known;
  }
  if (d.sip_status == 503)
    return !d.from_network ? kUnreachable : d.retry_after ? kTrunkBusy : kTrunkFailure;
  if (d.sip_status >= 500 && d.sip_status < 600) return kTrunkFailure;
  if (d.sip_status >= 600 && d.sip_status < 700) return kRejected;
  if (d.sip_status >= 900) return kInternal;
  if (d.q850)
    if (const auto known = find(kCauses, *d.q850)) return *known;
  return d.sip_status == 0 ? kInternal : kTrunkFailure;
}

int q850_of_status(int sip_status) {
  constexpr std::pair<int, int> kTable[] = {{400, 41}, {401, 21},  {403, 21}, {404, 1},  {405, 63},
                                            {407, 21}, {408, 102}, {410, 22}, {480, 18}, {484, 28},
                                            {486, 17}, {487, 16},  {488, 65}, {500, 41}, {502, 38},
                                            {503, 41}, {504, 102}, {600, 17}, {603, 21}, {604, 1}};
  for (const auto& [status, cause] : kTable)
    if (status == sip_status) return cause;
  return 31;
}

}  // namespace yyc3::sip
