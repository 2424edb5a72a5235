#include "product/compliance/compliance.hpp"

#include <algorithm>

#include "platform/security/web_guard.hpp"
#include "product/events/events.hpp"

namespace yyc3::compliance {

namespace {

constexpr std::size_t kReasonBytes = 500;
constexpr const char* kPurpose = "target";  // the same index as calls.target_index

std::string shortened(const std::string& text) {
  return sanitize_utf8(std::string_view(text).substr(0, kReasonBytes));
}

Decision& deny(Decision& decision, Denial denial, std::string text) {
  decision.denial = denial;
  decision.text = std::move(text);
  return decision;
}

}  // namespace

const char* name_of(Denial denial) {
  switch (denial) {
    case Denial::kNone:
      return "none";
    case Denial::kBadTarget:
      return "bad_target";
    case Denial::kNotAllowed:
      return "destination_not_allowed";
    case Denial::kDoNotCall:
      return "do_not_call";
    case Denial::kOutsideWindow:
      return "outside_calling_window";
    case Denial::kBadTimeZone:
      return "bad_time_zone";
  }
  return "none";
}

Compliance::Compliance(Rules rules, storage::Database& database,
                       const security::FieldCipher& cipher, events::Bus& bus, const Clock& clock)
    : rules_(std::move(rules)), database_(database), cipher_(cipher), bus_(bus), clock_(clock) {}

Decision Compliance::judge_destination(const DialRequest& request) const {
  Decision decision;
  const Result<Target> target = normalise_target(request.target, rules_.country);
  if (!target) return deny(decision, Denial::kBadTarget, target.error().detail);
  decision.target = *target;
  const auto& hosts = rules_.allowed_hosts;
  if (!target->host.empty()) {
    if (std::find(hosts.begin(), hosts.end(), target->host) == hosts.end())
      deny(decision, Denial::kNotAllowed,
           "calls to this SIP host are not allowed; add it to compliance.allowed_hosts");
    return decision;
  }
  const auto& prefixes = rules_.allowed_prefixes;
  if (std::none_of(prefixes.begin(), prefixes.end(),
                   [&](const std::string& prefix) { return target->number.starts_with(prefix); }))
    deny(decision, Denial::kNotAllowed,
         "calls to numbers of this prefix are not allowed; add it to compliance.allowed_prefixes");
  return decision;
}

std::string Compliance::zone_for(const DialRequest& request, const Target& target) const {
  if (request.time_zone) return *request.time_zone;
  const std::string* best = &rules_.time_zone;
  std::size_t length = 0;
  for (const auto& [prefix, zone] : rules_.zones) {
    if (prefix.size() <= length || !target.number.starts_with(prefix)) continue;
    best = &zone;
    length = prefix.size();
  }
  return *best;
}

void Compliance::judge_window(const DialRequest& request, UtcTime now, Decision& decision) const {
  if (!decision.target.host.empty() && security::is_loopback(decision.target.host)) return;
  const std::string zone = zone_for(request, decision.target);
  const Result<UtcTime> opening = next_opening(rules_, zone, now);
  if (!opening) {
    deny(decision, Denial::kBadTimeZone, opening.error().detail);
    return;
  }
  if (*opening <= now) return;
  decision.retry_at = *opening;
  deny(decision, Denial::kOutsideWindow,
       "it is outside the calling window in " + zone + "; allowed again from " +
           to_rfc3339(*opening));
}

Result<Decision> Compliance::may_dial(storage::Connection& connection, const DialRequest& request,
                                      UtcTime now) const {
  Decision decision = judge_destination(request);
  if (decision.denial == Denial::kBadTarget) return decision;
  const Result<std::string> index =
      cipher_.blind_index(request.tenant, kPurpose, decision.target.canonical);
  if (!index) return tl::unexpected<Error>(index.error());
  decision.target_index = *index;
  if (!decision.allowed()) return decision;
  const Result<storage::Rows> listed =
      connection.query("SELECT at_ms FROM do_not_call WHERE tenant_id = ? AND target_index = ?",
                       {request.tenant, *index});
  if (!listed) return tl::unexpected<Error>(listed.error());
  if (!listed->empty())
    return deny(decision, Denial::kDoNotCall,
                "this person asked on " +
                    to_rfc3339(UtcTime(Milliseconds(listed->front().int64("at_ms")))) +
                    " not to be called");
  judge_window(request, now, decision);
  return decision;
}

net::Task<Result<Decision>> Compliance::may_dial(storage::Lane lane, DialRequest request) const {
  const auto job = [this, request = std::move(request)](storage::Connection& connection) {
    return may_dial(connection, request, clock_.utc());
  };
  co_return co_await database_.read(lane, job);
}

Result<void> Compliance::add_do_not_call(storage::Connection& connection,
                                         const DoNotCall& entry) const {
  const Result<Target> target = normalise_target(entry.target, rules_.country);
  if (!target) return tl::unexpected<Error>(target.error());
  const Result<std::string> index = cipher_.blind_index(entry.tenant, kPurpose, target->canonical);
  if (!index) return tl::unexpected<Error>(index.error());
  const Result<Bytes> sealed =
      cipher_.encrypt({entry.tenant, "do_not_call", "target_sealed", *index}, target->canonical);
  if (!sealed) return tl::unexpected<Error>(sealed.error());
  std::optional<std::string> call;
  if (entry.call) call = entry.call->str();
  const Result<std::int64_t> added = connection.exec(
      "INSERT INTO do_not_call (tenant_id, target_index, target_sealed, source, reason, call_id, "
      "at_ms) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      {entry.tenant, *index, *sealed, entry.source, shortened(entry.reason), call,
       clock_.utc().time_since_epoch().count()});
  if (!added) return tl::unexpected<Error>(added.error());
  return {};
}

void Compliance::announce(const DoNotCall& entry) const {
  const Result<Target> target = normalise_target(entry.target, rules_.country);
  if (!target) return;
  const Result<std::string> index = cipher_.blind_index(entry.tenant, kPurpose, target->canonical);
  if (!index) return;
  events::DoNotCallAdded added{entry.tenant, *index, entry.source, entry.call, clock_.utc()};
  bus_.publish(added);
}

net::Task<Result<void>> Compliance::add_do_not_call(storage::Lane lane, DoNotCall entry) const {
  const auto job = [this, entry](storage::Connection& connection) {
    return add_do_not_call(connection, entry);
  };
  const Result<void> added = co_await database_.write(lane, job);
  if (added) announce(entry);
  co_return added;
}

Result<void> Compliance::add_do_not_call_blocking(storage::Lane lane,
                                                  const DoNotCall& entry) const {
  const Result<void> added = database_.write_blocking(
      lane, [&](storage::Connection& connection) { return add_do_not_call(connection, entry); });
  if (added) announce(entry);
  return added;
}

Result<void> Compliance::record_disclosure(storage::Connection& connection,
                                           const Disclosure& heard) const {
  const std::string call = heard.call.str();
  const bool whole = heard.whole > Milliseconds{0} && heard.played >= heard.whole;
  const Result<std::int64_t> added = connection.exec(
      "INSERT INTO disclosures (call_id, tenant_id, text, language, started_ms, played_ms, "
      "whole_ms, heard, subject_id, retention_class, legal_hold) VALUES (?, ?, ?, ?, ?, ?, ?, ?, "
      "(SELECT subject_id FROM calls WHERE id = ?), "
      "COALESCE((SELECT retention_class FROM calls WHERE id = ?), 'standard'), "
      "COALESCE((SELECT legal_hold FROM calls WHERE id = ?), 0))",
      {call, heard.tenant, heard.text, heard.language, heard.started.time_since_epoch().count(),
       heard.played.count(), heard.whole.count(), whole, call, call, call});
  if (!added) return tl::unexpected<Error>(added.error());
  return {};
}

}  // namespace yyc3::compliance
