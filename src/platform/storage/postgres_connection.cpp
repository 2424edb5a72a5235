#include "platform/storage/postgres_connection.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <libpq-fe.h>
#include <limits>
#include <poll.h>

#include "platform/storage/job_queue.hpp"
#include "platform/storage/sql_text.hpp"

namespace yyc3::storage {

namespace {

// Type numbers of PostgreSQL's catalogue (pg_type.dat); they never change.
enum : Oid {
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kFloat4 = 700,
  kFloat8 = 701,
  kNumeric = 1700
};

constexpr Milliseconds kGrace{1'000};  // the server's own time-out is given this long to arrive

/// Arguments as libpq wants them. Numbers travel as text, which is exact for both kinds.
struct Arguments {
  std::vector<std::string> texts;
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths;
  std::vector<int> formats;

  void add(const Value& value) {
    Oid type = 0;
    int format = 0;
    std::string text;
    const auto& data = value.data();
    if (const auto* number = std::get_if<std::int64_t>(&data)) {
      type = kInt8;
      text = std::to_string(*number);
    } else if (const auto* real = std::get_if<double>(&data)) {
      type = kFloat8;
      std::array<char, 40> digits{};
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *real);
      text.assign(digits.data(), end.ptr);
    } else if (const auto* words = std::get_if<std::string>(&data)) {
      type = kText;
      text = *words;
    } else if (const auto* bytes = std::get_if<Bytes>(&data)) {
      type = kBytea;
      format = 1;
      text = as_text(*bytes);
    }
    types.push_back(type);
    formats.push_back(format);
    lengths.push_back(static_cast<int>(text.size()));
    texts.push_back(std::move(text));
  }
  void point(std::span<const Value> args) {
    for (std::size_t i = 0; i < args.size(); ++i)
      values.push_back(args[i].is_null() ? nullptr : texts[i].c_str());
  }
};

template <class T>
std::optional<T> number_in(std::string_view text) {
  T number{};
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

Value cell(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column) == 1) return nullptr;
  const std::string_view text(PQgetvalue(result, row, column),
                              static_cast<std::size_t>(PQgetlength(result, row, column)));
  switch (PQftype(result, column)) {
    case kBool:
      return text == "t";
    case kInt2:
    case kInt4:
    case kInt8:
    case kNumeric:  // sums of BIGINT come as this
      if (const auto whole = number_in<std::int64_t>(text)) return *whole;
      [[fallthrough]];
    case kFloat4:
    case kFloat8:
      if (const auto real = number_in<double>(text)) return *real;
      return text;
    case kBytea:
      if (auto bytes = from_hex(text.substr(std::min<std::size_t>(2, text.size()))))
        return std::move(*bytes);
      return text;
    default:
      return text;
  }
}

ErrorCode code_of(std::string_view state) {
  if (state == "23505" || state == "23503") return ErrorCode::kConflict;
  if (state == "57014") return ErrorCode::kTimeout;
  if (state == "40001" || state == "40P01" || state == "55P03") return ErrorCode::kBusy;
  const std::string_view kind = state.substr(0, 2);
  if (kind == "22" || kind == "23" || kind == "42" || kind == "25" || kind == "0A")
    return ErrorCode::kInvalid;
  if (kind == "08" || kind == "53" || kind == "57" || kind == "58" || kind == "28" || kind == "3D")
    return ErrorCode::kUnavailable;
  return ErrorCode::kInternal;
}

}  // namespace

void PostgresConnection::Free::operator()(pg_result* result) const { PQclear(result); }

Result<void> check_connection_string(const std::string& text) {
  PQconninfoOption* options = PQconninfoParse(text.c_str(), nullptr);
  if (options == nullptr)
    return fail(ErrorCode::kInvalid,
                "not a PostgreSQL connection string: use host=… port=… dbname=… user=… or "
                "postgresql://user@host:port/database");
  PQconninfoFree(options);
  return {};
}

Result<void> PostgresConnection::connect() {
  close();
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(limits_.connect).count();
  const std::string connect = std::to_string(seconds);
  const std::string tcp = std::to_string((limits_.statement + kGrace).count());
  const std::array<const char*, 9> names{
      "dbname",           "connect_timeout",     "keepalives",
      "keepalives_idle",  "keepalives_interval", "keepalives_count",
      "tcp_user_timeout", "client_encoding",     nullptr};
  const std::array<const char*, 9> values{text_.c_str(), connect.c_str(), "1",    "10",   "3",
                                          "3",           tcp.c_str(),     "UTF8", nullptr};
  connection_ = PQconnectdbParams(names.data(), values.data(), 1);
  if (PQstatus(connection_) != CONNECTION_OK) {
    std::string why = PQerrorMessage(connection_);
    while (!why.empty() && why.back() == '\n') why.pop_back();
    close();
    return fail(ErrorCode::kUnavailable, "PostgreSQL: " + why);
  }
  PQsetNoticeProcessor(connection_, [](void*, const char*) {}, nullptr);
  const std::string settings =
      "SET statement_timeout=" + std::to_string(limits_.statement.count()) +
      "; SET lock_timeout=" + std::to_string(limits_.statement.count()) +
      "; SET TIME ZONE 'UTC'; SET standard_conforming_strings=on; SET bytea_output='hex'";
  const Result<std::string> set = control(settings.c_str());
  if (set) return {};
  close();
  return tl::unexpected<Error>(set.error());
}

void PostgresConnection::close() {
  if (connection_ != nullptr) PQfinish(connection_);
  connection_ = nullptr;
}

bool PostgresConnection::still_there() {
  if (connection_ == nullptr) return false;
  pollfd waiting{PQsocket(connection_), POLLIN, 0};
  if (::poll(&waiting, 1, 0) == 0) return true;
  if (!control("SELECT 1")) close();
  return connected();
}

tl::unexpected<Error> PostgresConnection::lost(ErrorCode code, const char* why) {
  close();
  return fail(code, std::string("PostgreSQL: ") + why);
}

Error PostgresConnection::error_of(const pg_result* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string_view code = state == nullptr ? "08006" : state;
  if (code == "40001" || code == "40P01") again_ = true;
  return {code_of(code),
          "PostgreSQL " + std::string(code) + ": " + (text == nullptr ? "connection lost" : text)};
}

Result<void> PostgresConnection::wait_readable(SteadyTime until) {
  while (true) {
    const auto left = std::chrono::ceil<Milliseconds>(until - clock_.now()).count();
    if (left <= 0) return lost(ErrorCode::kTimeout, "no answer in time; the connection was closed");
    pollfd waiting{PQsocket(connection_), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return lost(ErrorCode::kUnavailable, "connection lost");
  }
}

/// Collects the answers to what was sent and gives the last, or the first that failed. Never waits
/// for longer than the statement may take: a stopped server keeps its sockets open and silent.
Result<PostgresConnection::Answer> PostgresConnection::receive() {
  const SteadyTime until = clock_.now() + limits_.statement + kGrace;
  Answer kept;
  while (true) {
    while (PQisBusy(connection_) == 1) {
      const Result<void> ready = wait_readable(until);
      if (!ready) return tl::unexpected<Error>(ready.error());
      if (PQconsumeInput(connection_) != 1) return lost(ErrorCode::kUnavailable, "connection lost");
    }
    Answer next(PQgetResult(connection_));
    if (!next) break;
    const bool bad = kept && PQresultStatus(kept.get()) == PGRES_FATAL_ERROR;
    if (!bad) kept = std::move(next);
  }
  if (!kept) return lost(ErrorCode::kUnavailable, "connection lost");
  const ExecStatusType status = PQresultStatus(kept.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
    return kept;
  const Error error = error_of(kept.get());
  // A server that ends the session says so first (57P01 …) and closes the socket a moment later.
  const char* state = PQresultErrorField(kept.get(), PG_DIAG_SQLSTATE);
  const std::string_view kind = state == nullptr ? "" : std::string_view(state).substr(0, 3);
  if (PQstatus(connection_) != CONNECTION_OK || kind == "57P" || kind.starts_with("08")) close();
  return tl::unexpected<Error>(error);
}

Result<void> PostgresConnection::send(const std::string& sql, std::span<const Value> args) {
  Arguments arguments;
  for (const Value& value : args) {
    const Result<void> good = check_value(value);
    if (!good) return good;
    arguments.add(value);
  }
  arguments.point(args);
  const int sent = PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(args.size()),
                                     arguments.types.data(), arguments.values.data(),
                                     arguments.lengths.data(), arguments.formats.data(), 0);
  if (sent != 1) return lost(ErrorCode::kUnavailable, "connection lost");
  return {};
}

Result<PostgresConnection::Answer> PostgresConnection::ask(std::string_view sql,
                                                           std::span<const Value> args) {
  if (failed_)
    return fail(ErrorCode::kInternal, "the transaction has failed already: " + failed_->detail);
  if (connection_ == nullptr) return fail(ErrorCode::kUnavailable, "PostgreSQL: not connected");
  const Result<NumberedSql> numbered = number_placeholders(sql);
  if (!numbered) return tl::unexpected<Error>(numbered.error());
  if (numbered->arguments != args.size())
    return fail(ErrorCode::kInvalid, "SQL: as many arguments as question marks, please");
  const Result<void> sent = send(numbered->text, args);
  if (!sent) return tl::unexpected<Error>(sent.error());
  return receive();
}

template <class T>
Result<T> PostgresConnection::noted(Result<T> result) {
  if (!result && !failed_) failed_ = result.error();
  return result;
}

Result<Rows> PostgresConnection::query(std::string_view sql, std::span<const Value> args) {
  const Result<Answer> answer = noted(ask(sql, args));
  if (!answer) return tl::unexpected<Error>(answer.error());
  const PGresult* result = answer->get();
  auto columns = std::make_shared<std::vector<std::string>>();
  const int width = PQnfields(result);
  for (int i = 0; i < width; ++i) columns->emplace_back(PQfname(result, i));
  Rows rows;
  for (int row = 0; row < PQntuples(result); ++row) {
    std::vector<Value> cells;
    cells.reserve(static_cast<std::size_t>(width));
    for (int i = 0; i < width; ++i) cells.push_back(cell(result, row, i));
    rows.emplace_back(columns, std::move(cells));
  }
  return rows;
}

Result<std::int64_t> PostgresConnection::exec(std::string_view sql, std::span<const Value> args) {
  const Result<Answer> answer = noted(ask(sql, args));
  if (!answer) return tl::unexpected<Error>(answer.error());
  const char* tuples = PQcmdTuples(answer->get());
  return number_in<std::int64_t>(tuples).value_or(0);
}

Result<void> PostgresConnection::script(std::string_view sql) {
  if (failed_)
    return fail(ErrorCode::kInternal, "the transaction has failed already: " + failed_->detail);
  const Result<std::string> done = noted(control(std::string(sql).c_str()));
  if (!done) return tl::unexpected<Error>(done.error());
  return {};
}

Result<std::string> PostgresConnection::control(const char* sql) {
  if (connection_ == nullptr) return fail(ErrorCode::kUnavailable, "PostgreSQL: not connected");
  if (PQsendQuery(connection_, sql) != 1) return lost(ErrorCode::kUnavailable, "connection lost");
  const Result<Answer> answer = receive();
  if (!answer) return tl::unexpected<Error>(answer.error());
  return std::string(PQcmdStatus(answer->get()));
}

}  // namespace yyc3::storage
