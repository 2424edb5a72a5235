#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.hpp"

namespace yyc3::storage {

/// One cell: what both databases can hold exactly. Text is UTF-8 without NUL (both adapters refuse
/// other text); bool goes in as 0 or 1.
class Value {
 public:
  using Variant = std::variant<std::monostate, std::int64_t, double, std::string, Bytes>;

  // Implicit, so that arguments read as a list: db.exec("… VALUES (?, ?)", {id, 5}).
  // NOLINTBEGIN(google-explicit-constructor)
  Value() = default;
  Value(std::nullptr_t) {}
  Value(std::nullopt_t) {}
  template <std::integral T>
  Value(T number) : data_(static_cast<std::int64_t>(number)) {}
  Value(double number) : data_(number) {}
  Value(const char* text) : data_(std::string(text)) {}
  Value(std::string_view text) : data_(std::string(text)) {}
  Value(std::string text) : data_(std::move(text)) {}
  Value(Bytes bytes) : data_(std::move(bytes)) {}
  Value(ByteView bytes) : data_(Bytes(bytes.begin(), bytes.end())) {}
  template <class T>
  Value(const std::optional<T>& maybe) {
    if (maybe) *this = Value(*maybe);
  }
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  [[nodiscard]] const Variant& data() const { return data_; }
  bool operator==(const Value&) const = default;

 private:
  Variant data_;
};

/// One row of a result. Getters take a column's name; a null gives 0 or empty.
/// A column that is not in the result, or of another type, is a fault of the program and throws
/// std::logic_error (inside a job: the job fails with kInternal and is undone).
class Row {
 public:
  Row(std::shared_ptr<const std::vector<std::string>> columns, std::vector<Value> cells)
      : columns_(std::move(columns)), cells_(std::move(cells)) {}

  [[nodiscard]] const Value& at(std::string_view column) const;
  [[nodiscard]] const Value& at(std::size_t column) const { return cells_.at(column); }
  [[nodiscard]] bool is_null(std::string_view column) const { return at(column).is_null(); }
  [[nodiscard]] std::int64_t int64(std::string_view column) const;
  [[nodiscard]] double real(std::string_view column) const;  ///< also from an integer
  [[nodiscard]] std::string text(std::string_view column) const;
  [[nodiscard]] Bytes bytes(std::string_view column) const;
  [[nodiscard]] bool flag(std::string_view column) const { return int64(column) != 0; }
  [[nodiscard]] std::optional<std::int64_t> maybe_int64(std::string_view column) const;
  [[nodiscard]] std::optional<std::string> maybe_text(std::string_view column) const;
  [[nodiscard]] std::size_t size() const { return cells_.size(); }

 private:
  std::shared_ptr<const std::vector<std::string>> columns_;
  std::vector<Value> cells_;
};

using Rows = std::vector<Row>;

}  // namespace yyc3::storage
