#include <date/tz.h>

#include "product/compliance/compliance.hpp"

namespace yyc3::compliance {

namespace {
constexpr int kDay = 24 * 60;

const date::time_zone* zone_named(std::string_view name) {
  try {
    return date::locate_zone(std::string(name));
  } catch (const std::exception&) {
    return nullptr;  // unknown, or no time zone database on this machine
  }
}
}  // namespace

Result<UtcTime> next_opening(const Rules& rules, std::string_view zone, UtcTime now) {
  const date::time_zone* place = zone_named(zone);
  if (place == nullptr)
    return fail(ErrorCode::kInvalid, "time_zone: " + std::string(zone) +
                                         " is not known; give an IANA name like Asia/Shanghai "
                                         "(package tzdata must be installed)");
  const auto local = place->to_local(now);
  const auto today = date::floor<date::days>(local);
  // A week ahead and a day: the window may have closed today and be open on one weekday only.
  for (int ahead = 0; ahead <= 8; ++ahead) {
    const auto day = today + date::days{ahead};
    const auto weekday = date::weekday{day}.c_encoding();
    if (!rules.days.test(weekday)) continue;
    const auto opens = day + std::chrono::minutes{rules.window_start_minute};
    const auto closes = day + std::chrono::minutes{rules.window_end_minute};
    if (local >= opens && local < closes) return now;
    if (local >= opens) continue;
    // `latest`: where clocks go back and the hour is there twice, the later one; where it is
    // skipped, the moment after.
    return std::chrono::time_point_cast<Milliseconds>(place->to_sys(opens, date::choose::latest));
  }
  return fail(ErrorCode::kInvalid, "compliance.days: the calling window never opens");
}

Result<void> Compliance::check(const Rules& rules) {
  std::string faults;
  const auto fault = [&](const std::string& line) {
    faults += (faults.empty() ? "" : "\n") + line;
  };
  if (rules.window_start_minute < 0 || rules.window_start_minute >= kDay)
    fault("compliance.window_start: must be 00:00 to 23:59");
  if (rules.window_end_minute <= rules.window_start_minute || rules.window_end_minute > kDay)
    fault("compliance.window_end: must be after window_start and not after 24:00");
  if (rules.days.none()) fault("compliance.days: name at least one day");
  if (rules.country.empty() || rules.country.size() > 3 || rules.country.front() == '0' ||
      rules.country.find_first_not_of("0123456789") != std::string::npos)
    fault("compliance.country: must be a country code like 86");
  if (zone_named(rules.time_zone) == nullptr)
    fault("compliance.time_zone: " + rules.time_zone +
          " is not known; give an IANA name like Asia/Shanghai (needs the package tzdata)");
  for (const auto& [prefix, zone] : rules.zones)
    if (zone_named(zone) == nullptr)
      fault("compliance.zones: " + zone + " (for " + prefix + ") is not known");
  for (const std::string& prefix : rules.allowed_prefixes)
    if (prefix.empty() || prefix.front() != '+' ||
        prefix.find_first_not_of("0123456789", 1) != std::string::npos)
      fault("compliance.allowed_prefixes: '" + prefix + "' must be + and digits, e.g. +86");
  for (const std::string& host : rules.allowed_hosts)
    if (host.empty() || host.find_first_of(" /@*") != std::string::npos)
      fault("compliance.allowed_hosts: '" + host + "' must be one host name or address");
  if (!faults.empty()) return fail(ErrorCode::kInvalid, faults);
  return {};
}

}  // namespace yyc3::compliance
