#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "platform/net/task.hpp"
#include "platform/storage/database.hpp"

namespace yyc3::usage {

/// One thing used. Never changed once recorded; a correction is a charge of the opposite sign.
struct Charge {
  std::string tenant;
  std::optional<CallId> call;
  std::string kind;  ///< "telephony", "speech.hear", "speech.speak", "model.tokens" …
  std::int64_t quantity = 0;
  std::string unit;                ///< "ms", "characters", "tokens"
  std::int64_t amount_micros = 0;  ///< millionths of `currency`; 0 for what costs nothing
  std::string currency;            ///< ISO 4217, three capitals
};

struct Total {
  std::string kind;
  std::string unit;
  std::string currency;
  std::int64_t quantity = 0;
  std::int64_t amount_micros = 0;
  std::int64_t entries = 0;
  bool operator==(const Total&) const = default;
};

struct TotalsQuery {
  std::string tenant;
  std::optional<CallId> call;
  std::optional<UtcTime> from;   ///< inclusive
  std::optional<UtcTime> until;  ///< exclusive
};

/// The one ledger of quantity and money. Money exists nowhere else.
/// Errors of recording: kInvalid with the field's name (empty tenant, kind or unit; currency that
/// is not three capitals), else the database's. Threads: any.
class UsageLedger {
 public:
  UsageLedger(storage::Database& database, const Clock& clock)
      : database_(database), clock_(clock) {}

  /// In the caller's transaction, beside the rows it belongs to.
  Result<void> record(storage::Connection& connection, const Charge& charge) const;
  /// In a transaction of its own.
  net::Task<Result<void>> record(storage::Lane lane, Charge charge) const;

  /// Sums by kind, unit and currency, in that order.
  static Result<std::vector<Total>> totals(storage::Connection& connection,
                                           const TotalsQuery& query);
  net::Task<Result<std::vector<Total>>> totals(storage::Lane lane, TotalsQuery query) const;

 private:
  storage::Database& database_;
  const Clock& clock_;
};

}  // namespace yyc3::usage
