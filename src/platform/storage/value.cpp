#include "platform/storage/value.hpp"

#include <stdexcept>

namespace yyc3::storage {

namespace {
template <class T>
T get(const Value& value, std::string_view column) {
  if (value.is_null()) return T{};
  if (const T* found = std::get_if<T>(&value.data())) return *found;
  throw std::logic_error("column " + std::string(column) + " is of another type");
}
}  // namespace

const Value& Row::at(std::string_view column) const {
  for (std::size_t i = 0; i < columns_->size(); ++i)
    if ((*columns_)[i] == column) return cells_[i];
  throw std::logic_error("no column " + std::string(column) + " in the result");
}

std::int64_t Row::int64(std::string_view column) const {
  return get<std::int64_t>(at(column), column);
}

double Row::real(std::string_view column) const {
  const Value& value = at(column);
  if (const auto* whole = std::get_if<std::int64_t>(&value.data()))
    return static_cast<double>(*whole);
  return get<double>(value, column);
}

std::string Row::text(std::string_view column) const {
  return get<std::string>(at(column), column);
}

Bytes Row::bytes(std::string_view column) const { return get<Bytes>(at(column), column); }

std::optional<std::int64_t> Row::maybe_int64(std::string_view column) const {
  if (is_null(column)) return std::nullopt;
  return int64(column);
}

std::optional<std::string> Row::maybe_text(std::string_view column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

}  // namespace yyc3::storage
