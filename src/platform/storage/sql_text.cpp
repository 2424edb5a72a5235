#include "platform/storage/sql_text.hpp"

namespace yyc3::storage {

namespace {

constexpr std::size_t kMaxArguments = 65'535;  // the protocol counts them in 16 bits

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// Each skip_* is given the place where its element begins and returns the place behind it, or npos
/// when it is not closed.
std::size_t skip_quoted(std::string_view sql, std::size_t at, bool backslashes) {
  const char quote = sql[at];
  for (std::size_t i = at + 1; i < sql.size(); ++i) {
    if (backslashes && sql[i] == '\\') {
      ++i;
    } else if (sql[i] == quote) {
      if (i + 1 >= sql.size() || sql[i + 1] != quote) return i + 1;
      ++i;  // doubled: stands for itself
    }
  }
  return std::string_view::npos;
}

std::size_t skip_line(std::string_view sql, std::size_t at) {
  const std::size_t end = sql.find('\n', at);
  return end == std::string_view::npos ? sql.size() : end;
}

std::size_t skip_comment(std::string_view sql, std::size_t at) {
  int depth = 0;
  for (std::size_t i = at; i + 1 < sql.size(); ++i) {
    if (sql[i] == '/' && sql[i + 1] == '*') {
      ++depth;
      ++i;
    } else if (sql[i] == '*' && sql[i + 1] == '/') {
      ++i;
      if (--depth == 0) return i + 1;
    }
  }
  return std::string_view::npos;
}

/// `at` when the '$' opens no dollar quote.
std::size_t skip_dollar(std::string_view sql, std::size_t at) {
  if (at > 0 && is_name(sql[at - 1])) return at;  // a$b is a name
  std::size_t end = at + 1;
  while (end < sql.size() && is_name(sql[end])) ++end;
  const bool digit = at + 1 < sql.size() && sql[at + 1] >= '0' && sql[at + 1] <= '9';
  if (digit || end >= sql.size() || sql[end] != '$') return at;
  const std::string_view tag = sql.substr(at, end + 1 - at);
  const std::size_t close = sql.find(tag, end + 1);
  return close == std::string_view::npos ? close : close + tag.size();
}

/// The place behind the string, name or comment at `at`; `at` when there is none.
std::size_t skip_element(std::string_view sql, std::size_t at) {
  const char c = sql[at];
  const char next = at + 1 < sql.size() ? sql[at + 1] : '\0';
  if (c == '\'') {
    const bool escapes =
        at > 0 && (sql[at - 1] == 'e' || sql[at - 1] == 'E') && (at < 2 || !is_name(sql[at - 2]));
    return skip_quoted(sql, at, escapes);
  }
  if (c == '"') return skip_quoted(sql, at, false);
  if (c == '-' && next == '-') return skip_line(sql, at);
  if (c == '/' && next == '*') return skip_comment(sql, at);
  if (c == '$') return skip_dollar(sql, at);
  return at;
}

}  // namespace

Result<NumberedSql> number_placeholders(std::string_view sql) {
  NumberedSql out;
  out.text.reserve(sql.size() + 16);
  std::size_t at = 0;
  while (at < sql.size()) {
    const std::size_t behind = skip_element(sql, at);
    if (behind == std::string_view::npos)
      return fail(ErrorCode::kInvalid, "SQL: a string, name or comment is not closed");
    if (behind > at) {
      out.text += sql.substr(at, behind - at);
      at = behind;
      continue;
    }
    if (sql[at] == '?') {
      if (++out.arguments > kMaxArguments)
        return fail(ErrorCode::kInvalid, "SQL: more than 65,535 arguments");
      out.text += '$';
      out.text += std::to_string(out.arguments);
    } else {
      out.text += sql[at];
    }
    ++at;
  }
  return out;
}

}  // namespace yyc3::storage
