#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "product/call/call_record.hpp"

namespace yyc3::app {

/// Prints a call as it grows: one line a state, one a turn, with a coloured bar of where the
/// milliseconds before an answer went. Colours only on a terminal. Threads: one.
class CallPrinter {
 public:
  /// @param out nullptr prints nothing.
  explicit CallPrinter(std::FILE* out);
  /// Prints what `detail` has that was not printed yet.
  void show(const call::CallDetail& detail);

 private:
  void show_turn(const call::TurnRecord& turn);
  [[nodiscard]] std::string bar(const call::Stages& stages) const;

  std::FILE* out_;
  bool colours_ = false;
  std::size_t transitions_ = 0;
  std::int64_t last_seq_ = 0;
};

}  // namespace yyc3::app
