#include "product/usage/usage_ledger.hpp"

#include <algorithm>

namespace yyc3::usage {

namespace {

Result<void> check(const Charge& charge) {
  if (charge.tenant.empty()) return fail(ErrorCode::kInvalid, "usage: tenant is empty");
  if (charge.kind.empty()) return fail(ErrorCode::kInvalid, "usage: kind is empty");
  if (charge.unit.empty()) return fail(ErrorCode::kInvalid, "usage: unit is empty");
  const bool capitals = std::all_of(charge.currency.begin(), charge.currency.end(),
                                    [](char c) { return c >= 'A' && c <= 'Z'; });
  if (charge.currency.size() != 3 || !capitals)
    return fail(ErrorCode::kInvalid, "usage: currency must be three capitals (ISO 4217)");
  return {};
}

}  // namespace

Result<void> UsageLedger::record(storage::Connection& connection, const Charge& charge) const {
  const Result<void> good = check(charge);
  if (!good) return good;
  std::optional<std::string> call;
  if (charge.call) call = charge.call->str();
  const Result<std::int64_t> added = connection.exec(
      "INSERT INTO usage_ledger (id, tenant_id, call_id, kind, quantity, unit, amount_micros, "
      "currency, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {Uuid::make(clock_).str(), charge.tenant, call, charge.kind, charge.quantity, charge.unit,
       charge.amount_micros, charge.currency, clock_.utc().time_since_epoch().count()});
  if (!added) return tl::unexpected<Error>(added.error());
  return {};
}

net::Task<Result<void>> UsageLedger::record(storage::Lane lane, Charge charge) const {
  const auto job = [this, charge = std::move(charge)](storage::Connection& connection) {
    return record(connection, charge);
  };
  co_return co_await database_.write(lane, job);
}

Result<std::vector<Total>> UsageLedger::totals(storage::Connection& connection,
                                               const TotalsQuery& query) {
  std::string sql =
      "SELECT kind, unit, currency, SUM(quantity) AS quantity, SUM(amount_micros) AS amount, "
      "COUNT(*) AS entries FROM usage_ledger WHERE tenant_id = ?";
  std::vector<storage::Value> args{query.tenant};
  if (query.call) {
    sql += " AND call_id = ?";
    args.emplace_back(query.call->str());
  }
  if (query.from) {
    sql += " AND at_ms >= ?";
    args.emplace_back(query.from->time_since_epoch().count());
  }
  if (query.until) {
    sql += " AND at_ms < ?";
    args.emplace_back(query.until->time_since_epoch().count());
  }
  sql += " GROUP BY kind, unit, currency ORDER BY kind, unit, currency";
  const Result<storage::Rows> rows = connection.query(sql, std::span<const storage::Value>(args));
  if (!rows) return tl::unexpected<Error>(rows.error());
  std::vector<Total> totals;
  for (const storage::Row& row : *rows)
    totals.push_back({row.text("kind"), row.text("unit"), row.text("currency"),
                      row.int64("quantity"), row.int64("amount"), row.int64("entries")});
  return totals;
}

net::Task<Result<std::vector<Total>>> UsageLedger::totals(storage::Lane lane,
                                                          TotalsQuery query) const {
  const auto job = [query = std::move(query)](storage::Connection& connection) {
    return totals(connection, query);
  };
  co_return co_await database_.read(lane, job);
}

}  // namespace yyc3::usage
