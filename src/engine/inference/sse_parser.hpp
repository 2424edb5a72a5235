#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace yyc3::inference {

/// Server-sent events out of the pieces of a body (WHATWG HTML §9.2.6): the data of each event;
/// names, ids and retry times are left out, as chat streams have none. Threads: none.
class SseParser {
 public:
  static constexpr std::size_t kEventBytesMax = 256u << 10;

  /// The data of the events that `bytes` completes, in order; its lines joined by '\n'.
  /// Errors: kInvalid: an event longer than kEventBytesMax. Nothing is to be fed after it.
  Result<std::vector<std::string>> feed(std::string_view bytes);

 private:
  void take_line(std::vector<std::string>& events);

  std::string line_;
  std::string data_;
  bool has_data_ = false;
  bool after_return_ = false;  ///< the line ended with '\r'; a '\n' now belongs to it
  bool first_ = true;          ///< a byte order mark may come
};

}  // namespace yyc3::inference
